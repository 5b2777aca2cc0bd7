"""The report of a fleet on a screen: once, and on a terminal that stays."""

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.text import Text

from sparkctl.app.places import Places
from sparkctl.app.report import ReportRequest
from sparkctl.app.report_watch import Watcher
from sparkctl.model.fleet_page import OpenAlert, RunGoingOn
from sparkctl.model.node_page import NodeStatus
from sparkctl.report.fleet_screen import show_page
from sparkctl.report.fleet_watch import lines
from tests.support.command import environment
from tests.support.envelopes import finding, reported, unreported
from tests.support.fleet_pages import NOW, fleet_of, pages_of
from tests.support.histories import fleet_file, run_stored, sweep_stored

HOUR = timedelta(hours=1)


def test_the_screen_says_what_needs_hands_and_what_it_rests_on() -> None:
    stream = io.StringIO()
    show_page(fleet_of(pages_of(60)), stream)
    shown = stream.getvalue()
    assert "60 nodes: 3 need hands, 2 without answer, 55 passed" in shown
    assert "60 selected = 58 answered at their newest visit + 2 did not" in shown
    assert re.search(r"spark\[0003,0028,0053\] +bad\.check_0", shown)
    assert re.search(r"→\s+aaaa", shown)
    assert "exit 1 findings" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 120


@pytest.mark.parametrize(("many", "said"), [(0, None), (1, "1 alert is not over: "), (2, "2 alerts are not over: ")])
def test_the_screen_counts_alerts_that_are_not_over(many: int, said: str | None) -> None:
    one = OpenAlert(title="disk.space", nodes=["spark0001"], since=NOW, words="full", action=None)
    stream = io.StringIO()
    show_page(fleet_of(pages_of(3), alerts=[one] * many), stream)
    assert said in stream.getvalue() if said else "not over" not in stream.getvalue()


@pytest.mark.parametrize(("width", "height"), [(200, 60), (100, 24), (80, 12), (30, 5), (10, 3)])
def test_a_watch_fits_every_terminal_with_its_foot_at_the_bottom(width: int, height: int) -> None:
    run = RunGoingOn(
        run_id="r",
        kind="health",
        selector="all",
        started_at=NOW - HOUR,
        selected=60,
        recorded=40,
        waiting=["spark0041"],
    )
    nodes = pages_of(60)
    page = fleet_of(nodes, coverage=fleet_of(nodes).coverage.model_copy(update={"running": [run]}))
    shown = lines(page, width, height, 5)
    assert len(shown) == height
    assert all(line.cell_len <= width for line in shown)
    assert all(isinstance(line, Text) for line in shown)
    if width >= 100:
        words = "\n".join(line.plain for line in shown)
        assert "q ends" in shown[-1].plain
        assert "health of all goes on since 60 min: 40 of 60 stored; not yet: spark0041" in words
        assert " F spark[0003,0028,0053]" in words
        assert "health: newest 60 min" in words


def test_what_does_not_fit_is_counted() -> None:
    nodes = pages_of(9)
    for place, node in enumerate(nodes):
        bad = node.findings[:0] or pages_of(4)[3].findings[:1]
        one = bad[0].model_copy(update={"check": f"c.number_{place}"})
        nodes[place] = node.model_copy(update={"findings": [one], "status": NodeStatus.FAIL})
    shown = [line.plain for line in lines(fleet_of(nodes), 120, 12, 5)]
    (left,) = (line for line in shown if "too low" in line)
    told = sum(line.startswith(" F ") for line in shown)
    assert told > 0
    assert f"and {9 - told} more" in left or f"and {10 - told} more" in left


def test_a_watch_reads_again_what_is_new_and_what_is_known_grows_old(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]")
    start = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    sweep_stored(tmp_path / "state", start, {f"spark{number}": [finding()] for number in (1, 2)})
    watcher = Watcher(ReportRequest(places=Places(tmp_path / "fleet.yaml", tmp_path / "state", {})))
    page = watcher.look(start + HOUR)
    assert page.statuses == {NodeStatus.NEVER: 1, NodeStatus.PASS: 2}
    run_stored(tmp_path / "state", start + HOUR, [reported("spark1", finding(status="fail")), unreported("spark3")])
    page = watcher.look(start + 2 * HOUR)
    assert [cell.status.value for cell in page.cells] == ["fail", "pass", "lost"]
    page = watcher.look(start + 50 * HOUR)
    assert [cell.status.value for cell in page.cells] == ["fail", "stale", "lost"]


@contextmanager
def watching(folder: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """A watch on a terminal, which is as it was when the watch has ended."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-m", "sparkctl", "report", "--watch", "1", "--state", str(folder / "state")],
        stdin=slave, stdout=slave, stderr=slave, cwd=folder,
        env={**environment(folder, {"TERM": "xterm"}), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    try:
        yield master, process
        assert termios.tcgetattr(slave) == before
    finally:
        process.kill()
        process.wait(30)
        os.close(master)
        os.close(slave)


@pytest.mark.slow
def test_on_a_terminal_it_stays_until_q_and_leaves_the_screen_as_it_was(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]")
    sweep_stored(tmp_path / "state", datetime.now(UTC) - timedelta(minutes=1), {"spark1": [finding(status="fail")]})
    with watching(tmp_path) as (terminal, process):
        said = heard(terminal, b"never judged")
        assert b"\x1b[?1049h" in said
        sweep_stored(tmp_path / "state", datetime.now(UTC), {"spark2": [finding("gpu.gone", "fail")]})
        heard(terminal, b"gpu.gone")
        os.write(terminal, b"q")
        heard(terminal, b"\x1b[?1049l")
        assert process.wait(30) == 0


@pytest.mark.slow
def test_a_termination_leaves_the_screen_as_it_was(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]")
    with watching(tmp_path) as (terminal, process):
        heard(terminal, b"never judged")
        process.terminate()
        heard(terminal, b"\x1b[?1049l")
        assert process.wait(30) == 128 + signal.SIGTERM


def heard(terminal: int, words: bytes) -> bytes:
    """What a terminal was sent, to these words."""
    said, give_up = b"", time.monotonic() + 60
    while words not in said:
        assert time.monotonic() < give_up, said
        if select.select([terminal], [], [], 0.2)[0]:
            said += os.read(terminal, 65536)
    return said
