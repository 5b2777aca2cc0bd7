"""Where a playbook meets the ledger of custody: a node moves on, on the evidence of the run that moves it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.evidence_file import reference
from sparkctl.app.node_moves import deciding, evidence_fact, move
from sparkctl.app.node_states import entries_of, known
from sparkctl.app.places import Places
from sparkctl.app.playbook_driver import Came
from sparkctl.atomic_file import replace_file
from sparkctl.errors import BusyError, RefusedError, StoreError, UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.lifecycle.machine import APPROVAL, edge_between
from sparkctl.lifecycle.standing import standing_of
from sparkctl.model.journal import Result
from sparkctl.model.lifecycle import LifecycleState, Risk
from sparkctl.model.node_record import NodeRecord
from sparkctl.model.plan import Plan
from sparkctl.playbook.state import RunState
from sparkctl.store.store import Store

NAMES = {
    "record": "record.json",
    "baseline": "baseline.yaml",
    "sanitisation": "sanitisation.json",
    "certificate": "certificate.json",
}
"""The files of a node in a run, by what they are."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run: its plan, and for each node a folder with what was done to it."""

    folder: Path

    @property
    def plan(self) -> Path:
        """The bytes that were approved."""
        return self.folder / "plan.json"

    def of_node(self, node_id: str) -> Path:
        """The folder of a node."""
        return self.folder / node_id

    def documents(self, node_id: str) -> dict[str, Path]:
        """Where each document is that a move of a node may rest on, whether or not it is there yet."""
        return {"plan": self.plan, **{what: self.of_node(node_id) / name for what, name in NAMES.items()}}

    def write_plan(self, plan: Plan) -> None:
        """Put the plan there, once."""
        if not self.plan.is_file():
            self._write(self.plan, plan.canonical)

    def write_record(self, state: RunState, node_id: str) -> None:
        """Put what is known of a node there, in place of what was."""
        plan, head = state.plan, state.head
        assert head is not None  # noqa: S101 - no step is done before a record says that the run was taken up
        planned = next(node for node in plan.nodes if node.node_id == node_id)
        record = NodeRecord(
            at=head.at,
            run_id=plan.run_id,
            playbook=plan.playbook,
            title=plan.title,
            plan_sha256=plan.sha256,
            node_id=node_id,
            serial=planned.serial,
            simulated=planned.simulated,
            head=head.sha256,
            entries=state.records_about(node_id),
        )
        self._write(self.documents(node_id)["record"], record.model_dump_json(indent=1).encode())

    def _write(self, path: Path, content: bytes) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, content, 0o600)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written: {error.strerror}", hint="what was journalled is safe"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeMove:
    """A move that a step makes: of which node, where to and why, on which files of evidence by kind.

    Where a move takes two persons, whoever approved the plan by signature has approved it.
    """

    places: Places
    run_id: str
    node_id: str
    to: LifecycleState
    reason: str
    files: Mapping[str, Path]
    approved_by: list[str]
    plan_file: Path

    def make(self) -> Came:
        """Make it; nothing where the node is there already, or the ledger has nothing of it. Raises StoreError."""
        began = time.monotonic()
        try:
            words = self._moved()
            result, cause = Result.DONE, None
        except RefusedError as error:
            words, result, cause = error.message, Result.REFUSED, "refused"
        except BusyError as error:
            words, result, cause = error.message, Result.UNKNOWN, "busy"
        except UsageError as error:
            words, result, cause = error.message, Result.FAILED, "usage"
        spent = round((time.monotonic() - began) * 1000)
        return Came(result=result, reason=cause, summary=words[:1000], duration_ms=spent)

    def _moved(self) -> str:
        here = self._here()
        if here is self.to:
            return f"it is {self.to.value} already"
        if here is LifecycleState.UNRECORDED:
            return f"the ledger has nothing of it, so that nothing says that it is {self.to.value}"
        self._enter_approval(here)
        try:
            moved = move(self.places, self.node_id, self.to.value, self.reason, self.files)
        except RefusedError:
            if self._here() is self.to:  # the node that is cabled to it has just taken it along
                return f"it is {self.to.value} already"
            raise
        names = ", ".join(one.node_id for one in moved)
        return f"{names}: {moved[0].left.value} → {self.to.value}, entry {moved[0].entries[-1].seq} of the ledger"

    def _here(self) -> LifecycleState:
        with Store.open(self.places.state) as store:
            return standing_of(self.node_id, entries_of(store, self.node_id)).state

    def _enter_approval(self, here: LifecycleState) -> None:
        edge = edge_between(here, self.to)
        if edge is None or edge.risk is not Risk.TWO_PERSONS or not self.approved_by:
            return
        fleet = load_fleet(self.places.fleet)
        with deciding(self.places.state), Store.open(self.places.state) as store:
            found = known(fleet, store, self.node_id)
            who = f"{self.approved_by[0]} (signed {self.run_id})"[:120]
            store.ledger.add([evidence_fact(found, APPROVAL, reference(self.plan_file), who)], datetime.now(UTC))
