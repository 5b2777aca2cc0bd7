"""The demo shows its story, says that it is simulated, and leaves nothing behind."""

from pathlib import Path

import pytest

from tests.support.command import json_lines, sparkctl

pytestmark = pytest.mark.slow


def processes_with(words: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if words in (entry / "cmdline").read_text() or words in (entry / "environ").read_text():
                found.append(entry.name)
        except (OSError, UnicodeDecodeError):
            continue
    return found


def test_the_demo(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    ran = sparkctl("demo", home=tmp_path, timeout=300, TMPDIR=str(temporary))
    assert ran.returncode == 0, ran.stderr
    assert "24 nodes" in ran.stdout
    assert "SIMULATED" in ran.stdout
    for words in ("disk.space", "gpu.power_wedge", "memory.pressure", "host key changed", "What to try next"):
        assert words in ran.stdout
    for words in ("The kernel panicked: hung_task", "Seen before the end", "Proof", "sparkctl reset-reason sim-05"):
        assert words in ran.stdout
    assert ran.stdout.index("host key changed") < ran.stdout.index("The kernel panicked")
    (left,) = temporary.iterdir()
    page = left / "fleet.html"
    assert [*left.iterdir()] == [page]
    assert str(page) in ran.stderr
    assert "SIMULATED" in page.read_text("utf-8")
    assert processes_with(str(temporary)) == []
    assert not (tmp_path / ".local").exists()


def test_the_demo_for_programs_is_two_runs(tmp_path: Path) -> None:
    ran = sparkctl("demo", "--nodes", "2", "--format", "jsonl", home=tmp_path, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert "one page" not in ran.stderr
    schemas = [line["schema"] for line in json_lines(ran)]
    assert schemas == [
        "sparkctl.run-record/1", "sparkctl.run-record/1", "sparkctl.sweep-report/1",
        "sparkctl.run-record/1", "sparkctl.reset-report/1",
    ]  # fmt: skip
