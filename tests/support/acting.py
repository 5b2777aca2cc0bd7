"""Acts on nodes for tests: over SSH with the program that is streamed, as the executor visits them."""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

from sparkctl.app.programs import program_of
from sparkctl.executor.limits import Limits
from sparkctl.executor.question import HEALTH, Question, control, what_is_it, why_did_it_go_down
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand, visit
from sparkctl.inventory.load import load_fleet
from sparkctl.lab.state import Lab
from sparkctl.model.control import ControlData
from sparkctl.model.inventory import Node
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Elevation
from sparkctl.transport.settings import TransportSettings
from sparkctl.transport.ssh import AsyncsshTransport

PATIENCE_SECONDS = 30.0


class Hand:
    """Somebody who acts on one node of a lab; every act has a number of its own."""

    def __init__(self, lab: Lab, name: str, elevation: Elevation = Elevation.ROOT) -> None:
        self._settings = TransportSettings(lab.directory / "no-pins")
        self._node = node_of(lab.fleet_file, name).model_copy(update={"elevation": elevation})
        self.boot = self.boot_now()

    def boot_now(self) -> str:
        """The boot that runs."""
        record = self.ask(what_is_it(("identity",)), "collect")
        assert record.envelope is not None, record.failure
        return str(record.envelope.meta.node.boot_id)

    def health(self) -> RunRecord:
        """A visit of the health program."""
        return self.ask(HEALTH, "health")

    def reset(self, back: int | None = 0) -> RunRecord:
        """A visit of the reset program."""
        return self.ask(why_did_it_go_down(back), "reset-reason")

    def ask(self, question: Question, command: str) -> RunRecord:
        """One visit."""
        errand = Errand("0" * 26, program_of(command), Limits(attempts=1), question)
        return asyncio.run(visit(self._node, AsyncsshTransport(self._settings), errand, Stop(), random.Random(1)))

    def record(
        self, controller: str, phase: str, act: int, *, fence: int = 1, boot: str = "", **given: Any
    ) -> RunRecord:
        """One phase of the act of a number."""
        words = (
            "control", f"--controller={controller}", f"--phase={phase}", f"--act={act:032x}", f"--fence={fence}",
            f"--boot={boot or self.boot}", f"--with={json.dumps(given)}",
        )  # fmt: skip
        return self.ask(control(words, controller, phase, f"{act:032x}"), "control")

    def do(self, controller: str, phase: str, act: int, **more: Any) -> ControlData:
        """The same, where it must be answered."""
        record = self.record(controller, phase, act, **more)
        assert record.envelope is not None, record.failure
        assert isinstance(record.envelope.data, ControlData)
        return record.envelope.data

    def ended(self, controller: str, act: int, **more: Any) -> ControlData:
        """What an act comes to."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            seen = self.do(controller, "observe", act, **more)
            if seen.result.value != "running" or time.monotonic() > give_up:
                return seen
            time.sleep(0.1)

    def is_back(self) -> bool:
        """Whether the node answers with another boot; it may be away meanwhile."""
        record = self.ask(what_is_it(("identity",)), "collect")
        return record.envelope is not None and record.envelope.meta.node.boot_id != self.boot


def node_of(fleet: Path, name: str) -> Node:
    """A node of a fleet file."""
    return next(node for node in load_fleet(fleet).nodes if node.node_id == name)
