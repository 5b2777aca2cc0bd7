"""The whole program under a real systemd: units are stopped, masked and let go with a node's own words."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.decode import Expected, decode_control
from sparkctl.model.control import ControlData
from sparkctl.model.vocabulary import Elevation, Origin
from sparkctl.probes import stage_one
from sparkctl.probes.program import bundle
from sparkctl.resources import shipped
from tests.lab.leftovers import eventually
from tests.support.systemd_box import Box, Unavailable, systemd_box

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("/usr/bin/python3"), reason="there is no /usr/bin/python3, which a node has"),
]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
SERVICE = "[Service]\nExecStart=/mnt/serve\n"
UNITS = ["vendor.service", "site.service"]
PROGRAM = bundle(shipped("diag"), "control")
NONCE = "ab" * 16


class Program:
    """The streamed program, run as root inside the box."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def do(self, controller: str, phase: str, act: int, **given: Any) -> ControlData:
        """One phase of one act."""
        name = f"{act:032x}"
        words = (
            "control", f"--controller={controller}", f"--phase={phase}", f"--act={name}", "--fence=1",
            f"--boot={BOOT_ID}", f"--with={json.dumps(given)}", "--seconds=30", "--elevation=root",
        )  # fmt: skip
        argv = stage_one.argv(PROGRAM, NONCE, words)
        ran = self.box.run("/usr/bin/python3", *argv[1:], stdin=PROGRAM.packed)
        head, _, document = ran.stdout.partition(b"\n")
        assert head.startswith(b"sparkctl-frame/1 "), ran.stderr
        expected = Expected(
            2**18, PROGRAM.sha256, Elevation.ROOT, Origin.LIVE, control=(controller, phase, name)
        )  # fmt: skip
        data = decode_control(document.rstrip(b"\n"), expected).data
        assert data is not None
        return data

    def ended(self, controller: str, act: int, **given: Any) -> ControlData:
        """What an act came to."""
        assert eventually(lambda: self.do(controller, "observe", act, **given).result.value != "running", 30)
        return self.do(controller, "observe", act, **given)

    def states(self) -> dict[str, str]:
        """Whether each unit runs."""
        return {unit: self.box.run("systemctl", "is-active", unit).stdout.decode().strip() for unit in UNITS}


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A systemd with a unit that a package brought and one that an administrator wrote."""
    folder = tmp_path / "box"
    try:
        with systemd_box(folder, {"serve": "#!/bin/sh\nexec sleep 1000\n"}) as box:
            (folder / "units" / UNITS[0]).write_text(SERVICE)
            (folder / "etc" / UNITS[1]).write_text(SERVICE)
            box.run("systemctl", "daemon-reload")
            box.run("systemctl", "start", *UNITS)
            yield Program(box)
    except Unavailable as why:
        pytest.skip(f"no systemd of its own here: {why}")


def test_a_quarantine_holds_for_units_of_packages_and_of_administrators_and_is_taken_back(program: Program) -> None:
    seen = program.do("quarantine", "precheck", 1, units=UNITS)
    assert (seen.result.value, set(seen.observed.values())) == ("ready", {"active"})
    assert program.do("quarantine", "apply", 1, units=UNITS).result.value in ("started", "done")
    assert program.ended("quarantine", 1, units=UNITS).result.value == "done"
    after = program.do("quarantine", "postcheck", 1, units=UNITS)
    assert (after.result.value, set(after.observed.values())) == ("holds", {"masked"})
    for unit in UNITS:
        assert b"masked" in program.box.run("systemctl", "start", unit).stderr
    assert set(program.states().values()) == {"inactive"}
    back = program.do("quarantine", "undo", 2, units=UNITS, before=seen.observed)
    assert back.result.value in ("started", "done")
    assert program.ended("quarantine", 2, units=UNITS).result.value == "done"
    assert set(program.states().values()) == {"active"}


def test_a_drain_stops_what_runs_and_its_undo_starts_that_and_no_more(program: Program) -> None:
    program.box.run("systemctl", "stop", UNITS[1])
    seen = program.do("drain", "precheck", 1, units=UNITS)
    assert seen.observed[UNITS[0]] == "active"
    assert seen.argv[-1] == UNITS[0]
    assert program.do("drain", "apply", 1, units=UNITS).result.value in ("started", "done")
    assert program.ended("drain", 1, units=UNITS).result.value == "done"
    assert program.do("drain", "postcheck", 1, units=UNITS).result.value == "holds"
    program.do("drain", "undo", 2, units=UNITS, before=seen.observed)
    assert program.ended("drain", 2, units=UNITS).result.value == "done"
    assert program.states() == {UNITS[0]: "active", UNITS[1]: "inactive"}
    assert program.do("drain", "precheck", 3, units=["none.service"]).reason == "unit_absent"


def test_a_fence_around_a_dashboard_that_is_not_there_has_nothing_to_do(program: Program) -> None:
    assert program.do("fence-dashboard", "precheck", 1).result.value == "holds"
    done = program.do("fence-dashboard", "apply", 1)
    assert (done.result.value, done.unit) == ("done", None)
    more = {"more": [UNITS[0]]}
    assert program.do("fence-dashboard", "apply", 2, **more).result.value in ("started", "done")
    assert program.ended("fence-dashboard", 2, **more).result.value == "done"
    assert program.do("fence-dashboard", "postcheck", 2, **more).result.value == "holds"


def test_without_logind_nobody_can_say_that_a_restart_is_welcome(program: Program) -> None:
    checked = program.do("reboot", "precheck", 1)
    assert (checked.result.value, checked.reason) == ("unknown", "precondition")
    applied = program.do("reboot", "apply", 1)
    assert applied.result.value == "unknown"
    assert program.do("reboot", "observe", 1).result.value == "absent"
