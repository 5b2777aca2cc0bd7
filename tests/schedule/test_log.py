"""The log of a schedule: bounded, compressed, for its owner alone."""

import gzip
from pathlib import Path

from sparkctl.app.schedule_log import ScheduleLog
from sparkctl.model.schedule import LogSettings


def log_in(folder: Path, keep: int = 2) -> ScheduleLog:
    return ScheduleLog(LogSettings(folder=folder, max_bytes=64, keep=keep), "sweep")


def test_it_is_put_aside_when_it_has_its_size(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    for number in range(5):
        log.rotate()
        log.note(f"{number} " + "x" * 64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sweep.log", "sweep.log.1.gz", "sweep.log.2.gz"]
    assert " 4 x" in log.path.read_text()
    assert b" 3 x" in gzip.decompress((tmp_path / "sweep.log.1.gz").read_bytes())
    assert b" 2 x" in gzip.decompress((tmp_path / "sweep.log.2.gz").read_bytes())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_it_stays_while_it_is_small(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.note("a")
    log.rotate()
    log.note("b")
    assert len(log.path.read_text().splitlines()) == 2


def test_a_log_that_cannot_be_written_is_a_trouble_and_no_error(tmp_path: Path) -> None:
    log = log_in(tmp_path / "nowhere")
    log.note("a")
    assert log.trouble is not None
    assert "cannot be written" in log.trouble


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "sweep.log").symlink_to(tmp_path / "passwd")
    log = log_in(tmp_path)
    log.note("a")
    assert log.trouble is not None
    assert not (tmp_path / "passwd").exists()


def test_a_log_that_cannot_be_put_aside_says_so(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.note("x" * 64)
    (tmp_path / "sweep.log.3.gz").mkdir()
    log.rotate()
    assert log.trouble is not None
    assert "cannot be put aside" in log.trouble
