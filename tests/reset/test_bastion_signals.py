"""`reset-reason` of a tree ends at once when it is told to, and nothing that it started outlives it."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from diag.reset.sources.firmware import GET_HISTORY
from tests.reset.trees import build_machine
from tests.support.command import environment

PARENT, PROGRAM_AND_WORKERS = 1, 3  # the program, and two of its workers at least


def processes(marked: Path) -> list[int]:
    """Those that were started with something under `marked` on their command line, of our own kind."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:  # it has ended meanwhile
            continue
        if os.fsencode(marked) in words and b"python" in words:
            found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """The tree of a machine one of whose commands takes as long as it may."""
    root = build_machine(tmp_path / "case" / "root", ["reboot"])
    listed = root / "cmd/commands.json"
    recorded = json.loads(listed.read_text()) if listed.exists() else []
    listed.write_text(json.dumps([*recorded, {"argv": list(GET_HISTORY), "stdout": "", "rc": 0, "delay_s": 60}]))
    return root


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("packed", [False, True])
def test_a_signal_ends_the_program_and_its_workers(
    number: signal.Signals, packed: bool, slow: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    which = ["--root", str(slow)]
    if packed:
        with tarfile.open(tmp_path / "case.tar", "w") as archive:
            archive.add(slow, "root")
        which = ["--bundle", str(tmp_path / "case.tar")]
    with subprocess.Popen(
        [sys.executable, "-m", "sparkctl", "reset-reason", *which], stdout=subprocess.DEVNULL,
        env={**environment(tmp_path), "TMPDIR": str(temporary)}, cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        while len(processes(tmp_path)) < PARENT + PROGRAM_AND_WORKERS:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number
        assert processes(tmp_path) == []
    assert list(temporary.iterdir()) == []
