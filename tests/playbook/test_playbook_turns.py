"""Steps that are runs of sparkctl: those of one playbook wait for each other, and for nobody else."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from sparkctl.app import playbook_command
from sparkctl.app.places import Places
from sparkctl.app.playbook_doing import FleetDoing
from sparkctl.app.playbook_driver import Came
from sparkctl.app.playbook_life import RunFiles
from sparkctl.model.journal import Intended, Result, act_id
from sparkctl.model.playbook import Step
from sparkctl.playbook.engine import Start
from tests.support.playbooks import Told, plan_of

COMMAND = """\
import os, sys, time
open("started", "a").write(" ".join(sys.argv[1:]) + "\\n")
try:
    os.mkdir(sys.argv[1])
except FileExistsError:
    sys.exit(75)
give_up = time.monotonic() + 20
while sys.argv[1] == "ota" and not os.path.exists("ota-too") and time.monotonic() < give_up:
    time.sleep(0.02)
time.sleep(0.2)
os.rmdir(sys.argv[1])
"""


async def did(folder: Path, command: str, nodes: list[str]) -> list[Came]:
    """What came of a command on all of these nodes at the same time, as a playbook does it."""
    step = Step(id="one", do="sparkctl", title="x", within_s=60, options={"command": [command]})
    plan = plan_of(nodes, steps=[step])
    doing = FleetDoing(
        plan=plan, state=Told(plan).state, visits=cast("Any", None), files=RunFiles(folder / "run"),
        places=Places(folder / "fleet.yaml", folder / "state", {}), journals=cast("Any", None),
    )  # fmt: skip
    acts = [(name, act_id(plan.run_id, name, "one", 1, undoing=False)) for name in nodes]
    starts = [
        doing.do(Start(name, step, 1), Intended(node_id=name, step="one", act=act, attempt=1), 1) for name, act in acts
    ]
    return [came for came in await asyncio.gather(*starts) if isinstance(came, Came)]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a stand-in of sparkctl, which is busy while it runs already, notes each of its starts."""
    monkeypatch.chdir(tmp_path)
    Path("command.py").write_text(COMMAND)
    monkeypatch.setattr(playbook_command, "program", lambda: (sys.executable, "-IS", "command.py"))
    return tmp_path / "started"


@pytest.mark.parametrize("command", ["collect", "health", "reset-reason"])
def test_runs_of_a_playbook_wait_for_each_other(tmp_path: Path, started: Path, command: str) -> None:
    came = asyncio.run(did(tmp_path, command, ["n1", "n2", "n3"]))
    assert [each.result for each in came] == [Result.DONE] * 3
    assert sorted(started.read_text().splitlines()) == [f"{command} n{number}" for number in (1, 2, 3)]


def test_a_run_of_somebody_else_is_waited_for(tmp_path: Path, started: Path) -> None:
    os.mkdir("collect")

    async def both() -> list[Came]:
        doing = asyncio.create_task(did(tmp_path, "collect", ["n1"]))
        while not started.exists() or not started.read_text():
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        os.rmdir("collect")
        return await doing

    (came,) = asyncio.run(both())
    assert came.result is Result.DONE
    assert len(started.read_text().splitlines()) > 1


def test_what_is_no_run_does_not_wait(tmp_path: Path, started: Path) -> None:
    """The first `ota` is still at it when the second is told that it is busy."""

    async def both() -> None:
        doing = asyncio.create_task(did(tmp_path, "ota", ["n1", "n2"]))
        while not started.exists() or len(started.read_text().splitlines()) < 2:
            await asyncio.sleep(0.02)
        Path("ota-too").touch()
        await doing

    asyncio.run(asyncio.wait_for(both(), 30))
