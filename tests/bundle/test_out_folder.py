"""Where bundles go: tried before a node is asked, and named when it fails later."""

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from sparkctl.app.bundle_collect import ROOM, BundleOptions, collect_bundles
from sparkctl.app.places import Places
from sparkctl.app.run import RunRequest
from sparkctl.errors import UsageError
from sparkctl.evidence.sealing import seal
from sparkctl.executor.limits import Limits
from sparkctl.model.evidence import EntryFacts, EntryKind
from tests.bundle.made import SALT_KEY, about
from tests.support.command import sparkctl
from tests.support.spools import Silence

READ_ONLY = Path("/sys/kernel")  # files cannot be made there, not even by root


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file that is written meanwhile becomes larger, as where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def collect(folder: Path, out: Path) -> None:
    """Collect of no fleet at all: what is wrong with `out` is told before anybody looks for one."""
    request = RunRequest(
        places=Places(folder / "no fleet", folder / "state", os.environ), selector="all", limits=Limits()
    )
    collect_bundles(request, BundleOptions(out=out), Silence())


def test_a_folder_that_takes_no_file_is_told_in_one_sentence(tmp_path: Path) -> None:
    ran = sparkctl("bundle", "collect", "--fleet", tmp_path / "none", "--out", READ_ONLY, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"no bundle can be written into {READ_ONLY}: " in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_on_a_full_disk_is_told_before_a_node_is_asked(tmp_path: Path) -> None:
    with largest_file(1024), pytest.raises(UsageError, match=f"no bundle can be written into {tmp_path}/out: "):
        collect(tmp_path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_with_too_little_room_is_told_before_a_node_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = SimpleNamespace(free=ROOM - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: little)
    with pytest.raises(UsageError, match=f"{tmp_path}/out has .* free"):
        collect(tmp_path, tmp_path / "out")


def test_a_bundle_that_cannot_be_written_names_where_it_was_to_go(tmp_path: Path) -> None:
    folder, out = tmp_path / "clean", tmp_path / "out" / "bundle"
    folder.mkdir()
    out.parent.mkdir()
    (folder / "random").write_bytes(os.urandom(300_000))
    facts = [EntryFacts(path="random", kind=EntryKind.ARTEFACT)]
    with largest_file(100_000), pytest.raises(UsageError, match=f"{out} was not written: "):
        seal(folder, facts, [], about(), out, salt_key=SALT_KEY, signer=None)
    assert list(out.parent.iterdir()) == []
