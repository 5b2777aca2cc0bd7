"""The demo shows its story, says that it is simulated, and leaves nothing behind."""

from pathlib import Path

import pytest

from tests.support.command import sparkctl

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
    ran = sparkctl("demo", home=tmp_path, timeout=30, TMPDIR=str(temporary))
    assert ran.returncode == 0, ran.stderr
    assert "24 nodes" in ran.stdout
    assert "SIMULATED" in ran.stdout
    for words in ("disk.space", "gpu.power_wedge", "memory.pressure", "host key changed", "What to try next"):
        assert words in ran.stdout
    assert list(temporary.iterdir()) == []
    assert processes_with(str(temporary)) == []
    assert not (tmp_path / ".local").exists()
