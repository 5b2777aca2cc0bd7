"""A maintenance run over simulated nodes, whose process is killed after every record: every node restarts once.

Fifty nodes take a quarter of an hour, so that one is the rule and fifty the exception (SPARKCTL_THOROUGH=1).
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.app.places import Places
from sparkctl.app.playbook_parts import state_of_nodes
from sparkctl.app.playbook_plan import PlanRequest, make_plan, utc_now
from sparkctl.app.playbook_run import DriveRequest, drive
from sparkctl.app.playbook_shelf import playbook_named
from sparkctl.app.playbook_site import Site
from sparkctl.executor.limits import Limits
from sparkctl.lab import node_state
from sparkctl.lab.state import Lab
from sparkctl.model.journal import Ended, Intended, JournalEntry, Outcome
from sparkctl.model.plan import Plan
from sparkctl.playbook.state import RunState, fold
from sparkctl.store.store import Store
from tests.playbook.test_playbook_crashes import in_a_process
from tests.support.corpus import THOROUGH
from tests.support.labs import running_lab

pytestmark = pytest.mark.slow

NODES = 50 if THOROUGH else 1
PLAYBOOK = """\
version: 1
title: Stop what serves, and restart
risk: read-only
windowed: false
waves: {sizes: [1, 10, 100%], at_once: 10}
budget: {wave: 0}
steps:
  - {id: drain, do: control.drain, within: 2m, undo: true, options: {units: [docker.service]}}
  - {id: restart, do: control.reboot, within: 2m}
  - {id: after, do: judge, within: 1m}
"""


def killer() -> Callable[[JournalEntry, RunState], None]:
    """Kill this process as soon as one record is on the disk beside that of taking the run up."""

    def tell(entry: JournalEntry, _state: RunState) -> None:
        if entry.event.what not in ("opened", "claimed"):
            os.kill(os.getpid(), signal.SIGKILL)

    return tell


def planned(places: Places, folder: Path) -> Plan:
    (folder / "maintenance").mkdir()
    (folder / "maintenance" / "crashes.yaml").write_text(PLAYBOOK)
    site = Site(folder=folder)
    with Store.open(places.state) as store:
        request = PlanRequest(
            places=places,
            playbook=playbook_named("crashes", site),
            site=site,
            selector="all",
            values={},
            limits=Limits(),
            state_of=state_of_nodes(store),
        )
        return make_plan(request, store, utc_now())


def boots(lab: Lab) -> list[int]:
    return [len(node_state.read(lab.directory / "acts" / node.name).ended) for node in lab.nodes]


def test_every_node_restarts_once_however_often_the_runner_is_killed(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", NODES, ["founders"], seconds=3600) as lab:
        places = Places(lab.fleet_file, tmp_path / "state", {**os.environ, "HOME": str(tmp_path)})
        plan = planned(places, tmp_path)
        before, kills = boots(lab), 0

        def once() -> None:
            with Store.open(places.state, create=False) as store:
                if store.journals.run(plan.run_id).ended_at is None:
                    request = DriveRequest(
                        places=places,
                        site=Site(folder=tmp_path),
                        run_id=plan.run_id,
                        limits=Limits(),
                        state_of=state_of_nodes(store),
                        changed=killer(),
                    )
                    drive(request, store)

        while (status := in_a_process(once)) != 0:
            assert status == -signal.SIGKILL
            kills += 1
            assert kills < 40 * NODES
        assert boots(lab) == [count + 1 for count in before]
        with Store.open(places.state, create=False) as store:
            entries = list(store.journals.entries(plan.run_id))
    state = fold(plan, entries)
    assert state.closed is not None
    assert state.closed.outcome is Outcome.DONE
    acts = [entry.event.act for entry in entries if isinstance(entry.event, Ended)]
    intents = [entry.event.act for entry in entries if isinstance(entry.event, Intended)]
    assert len(acts) == len(set(acts)) == 3 * NODES
    assert len(intents) == len(set(intents)) == 3 * NODES
    assert kills >= 2 * 3 * NODES
