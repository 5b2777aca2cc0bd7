"""The folder of mirrors as disks and people leave it: who may read it, what is noted, and what is told of it."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from sparkctl.airgap.mirrors import tool
from sparkctl.airgap.mirrors.shelf import PROMOTIONS, Shelf, shared
from sparkctl.app.airgap_files import told
from sparkctl.app.mirror_serve import written
from sparkctl.errors import UsageError
from sparkctl.model.mirror import Promotion
from tests.airgap.gaps import refused
from tests.support.command import sparkctl

STAMP = "20261130T070000Z"
TURN = Promotion(
    at=datetime(2026, 11, 30, 8, tzinfo=UTC), by="alice", ring="canary", mirror="ubuntu", stamp=STAMP, instead_of=None,
    reason=None,
)  # fmt: skip


@pytest.fixture
def strict() -> Iterator[None]:
    """The umask of a hardened bastion."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("strict")
def test_a_web_server_and_nodes_may_read_what_is_made_for_them(tmp_path: Path) -> None:
    shared(tmp_path / "mirror/snapshots/ubuntu")
    assert {mode(path) for path in (tmp_path / "mirror").rglob("*")} | {mode(tmp_path / "mirror")} == {0o755}
    Shelf(tmp_path / "mirror").turn(TURN)
    assert mode(tmp_path / "mirror/rings/canary") == 0o755
    written({"etc/apt/preferences.d/site": "Pin"}, tmp_path / "client")
    assert [mode(path) for path in sorted((tmp_path / "client").rglob("*"))] == [0o755, 0o755, 0o755, 0o644]


def test_a_ring_that_cannot_be_turned_is_not_noted_as_turned(tmp_path: Path) -> None:
    (tmp_path / "rings/canary/.ubuntu.new").mkdir(parents=True)
    with pytest.raises(OSError, match="ubuntu"):
        Shelf(tmp_path).turn(TURN)
    assert not (tmp_path / PROMOTIONS).exists()


def test_an_empty_shelf_says_so_and_one_that_cannot_be_read_is_no_bug(tmp_path: Path) -> None:
    file = tmp_path / "mirror.yaml"
    file.write_text("version: 1\nfolder: mirror\nurl: http://mirror.lab.example\n")
    ran = sparkctl("airgap", "mirror", "list", file, "--format", "human", home=tmp_path)
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"there is no snapshot in {tmp_path}/mirror\n  → ")
    assert sparkctl("airgap", "mirror", "list", file, home=tmp_path).stdout == ""
    (tmp_path / "mirror").write_text("")
    refused(sparkctl("airgap", "mirror", "list", file, home=tmp_path), 2, "Not a directory")
    ran = sparkctl("airgap", "mirror", "client", file, "--ring", "fleet", "--out", "c", home=tmp_path)
    refused(ran, 2, "Not a directory")


def test_who_waits_at_a_terminal_hears_what_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "mirror.yaml"
    model = {"hub": {"endpoint": "http://127.0.0.1:1", "repositories": {"a/b": {"revision": "0" * 40}}}}
    file.write_text(json.dumps({"version": 1, "folder": "mirror", "models": model}))
    terminal, ours = os.openpty()
    argv = [sys.executable, "-m", "sparkctl", "airgap", "mirror", "sync", str(file)]
    ran = subprocess.run(argv, stdout=subprocess.PIPE, stderr=ours, text=True, check=False)
    os.close(ours)
    assert ran.returncode == 2
    assert json.loads(ran.stdout)["mirror"] == "hub"
    assert (
        os.read(terminal, 1000).decode() == f"hub (models) ... what its tools say is in {tmp_path}/mirror/work/hub\r\n"
    )
    os.close(terminal)
    assert sparkctl("airgap", "mirror", "sync", file, home=tmp_path).stderr == ""


def test_a_folder_that_is_not_there_is_named_and_not_our_scratch(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as failed:
        written({"etc/a": "b"}, tmp_path / "nowhere/client")
    assert failed.value.message == f"there is no folder {tmp_path}/nowhere"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="is there already"):
        written({"etc/a": "b"}, tmp_path / "loop")


def test_that_nobody_reads_our_output_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), told(tmp_path):
        raise BrokenPipeError
    made = tmp_path / "made"
    made.mkdir()
    with pytest.raises(UsageError, match=f"^{made}: "), told(tmp_path):
        made.symlink_to("../../snapshots")


def test_a_tool_has_a_home_where_a_service_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    ran = tool.run(["sh", "-c", 'echo "at home in $HOME"'], tmp_path / "log", package="dash")
    assert ran.last_line == f"at home in {Path.home()}"


def test_a_tool_that_fails_on_a_full_disk_need_not_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tool.run(["false"], tmp_path / "log", package="coreutils").status == 1
    full = SimpleNamespace(f_bavail=0, f_bfree=0, f_frsize=4096, f_files=100, f_ffree=50)
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    assert tool.run(["true"], tmp_path / "log", package="coreutils").status == 0
    with pytest.raises(UsageError, match="is full"):
        tool.run(["false"], tmp_path / "log", package="coreutils")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**vars(full) | {"f_bavail": 9999, "f_bfree": 9999}))
    assert tool.run(["false"], tmp_path / "log", package="coreutils").status == 1
    monkeypatch.setattr(
        os, "statvfs", lambda _: SimpleNamespace(**vars(full) | {"f_bavail": 9999, "f_bfree": 9999, "f_ffree": 0})
    )
    with pytest.raises(UsageError, match="is full"):
        tool.run(["false"], tmp_path / "log", package="coreutils")


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["mirror", "take", "mirror.yaml", "nowhere"], "there is no snapshot in nowhere", "`current`"),
        (["mirror", "ca", "firmware", "--out", "new", "--from", "old"], "there is no old/firmware-ca.key", "made"),
        (["pack", "--mirrors", "mirror.yaml", "--ring", "fleet", "--out", "o"], "in the ring fleet", "packed"),
        (["pack", "--mirrors", "mirror.yaml", "--out", "o"], "there is no snapshot in", "airgap mirror sync FILE"),
        (["pack", "--ring", "fleet", "--out", "o"], "--ring chooses among --mirrors", None),
        (["mirror", "client", "mirror.yaml", "--ring", "fleet", "--out", "c"], "has no snapshot yet", "--ring fleet"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(tmp_path: Path, words: list[str], said: str, hint: str | None) -> None:
    (tmp_path / "mirror.yaml").write_text("version: 1\nfolder: mirror\nurl: http://mirror.lab.example\n")
    ran = sparkctl("airgap", *words, home=tmp_path, SPARKCTL_STATE=str(tmp_path / "state"))
    assert ran.returncode == 2
    lines = ran.stderr.splitlines()
    assert any(said in line for line in lines), ran.stderr
    assert hint is None or any(line.startswith("  → ") and hint in line for line in lines), ran.stderr
    assert ran.stdout == ""
