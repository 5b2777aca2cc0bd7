"""The secret behind all sticks: it is made once, and whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from sparkctl.app.places import Places
from sparkctl.app.seed_secret import NAME, master_secret
from sparkctl.errors import UsageError


def test_a_full_disk_leaves_nothing_that_passes_for_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    places = Places(None, tmp_path / "state", {})
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match="No space left"):
            master_secret(places, None, make=True)
    assert list((tmp_path / "state").iterdir()) == []
    made = master_secret(places, None, make=True)
    assert len(made) == 32
    assert master_secret(places, None, make=True) == made
    assert [path.name for path in (tmp_path / "state").iterdir()] == [NAME]
    assert (tmp_path / "state" / NAME).stat().st_mode & 0o777 == 0o600
