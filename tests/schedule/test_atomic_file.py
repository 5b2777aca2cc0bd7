"""A reader finds the old file or the new one, whatever happens in between."""

import os
from pathlib import Path

import pytest

from sparkctl.atomic_file import replace_file


@pytest.mark.parametrize("step", ["fsync", "write", "rename"])
def test_what_fails_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "beat.json"
    replace_file(path, b"old", 0o644)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "rename":
        monkeypatch.setattr(Path, "replace", fail)
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(os, "fchmod", fail)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new", 0o644)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["beat.json"]


def test_a_link_is_replaced_and_its_end_left_alone(tmp_path: Path) -> None:
    (tmp_path / "end").write_bytes(b"end")
    (tmp_path / "link").symlink_to("end")
    replace_file(tmp_path / "link", b"new", 0o600)
    assert (tmp_path / "end").read_bytes() == b"end"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["pipe", "device", "output"])
def test_what_is_no_file_is_not_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null" if kind == "device" else "/proc/self/exe")
    before = path.lstat()
    with pytest.raises(OSError, match="no regular file"):
        replace_file(path, b"new", 0o644)
    assert path.lstat() == before
    assert list(tmp_path.iterdir()) == [path]
