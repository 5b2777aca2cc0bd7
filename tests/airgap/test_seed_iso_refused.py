"""What no installer is made of: each time one sentence, the right exit code, and nothing left."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.airgap.installers import MARKS, Desk, make_desk, refused, sha256
from tests.support.installers import installer_files, make_installer
from tests.support.seeds import ssh_key

pytestmark = MARKS


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return make_desk(tmp_path_factory.mktemp("iso") / "desk")


def test_nothing_unproven_goes_on_a_stick(desk: Desk) -> None:
    before = desk.listing()
    refused(desk.iso("never.iso", "--nothing"), 4, "nothing says what the installer must be")
    refused(desk.iso("never.iso", "--sha256", "0" * 64), 4, f"its SHA-256 is {sha256(desk.installer)}")
    ran = desk.iso("never.iso", "--sha256", "0" * 63)
    assert (ran.returncode, "is no SHA-256" in ran.stderr) == (2, True)
    ran = desk.iso("never.iso", "--sums", desk.key)
    assert (ran.returncode, "--keyring" in ran.stderr) == (2, True)
    assert desk.listing() == before


def test_what_is_no_whole_iso_is_refused(desk: Desk, tmp_path: Path) -> None:
    before = desk.listing()
    text = desk.installer.read_bytes()
    for name, content, words in (
        ("text.iso", b"no image" * 9000, "is no ISO image"),
        ("empty.iso", b"", "is no ISO image"),
        ("cut.iso", text[: len(text) // 2], "is cut off"),
        ("short.iso", text[:-1], "is cut off"),
        ("torn.iso", text[: 16 * 2048] + b"\xff" * 2048 + text[17 * 2048 :], "is no ISO image"),
    ):
        (tmp_path / name).write_bytes(content)
        refused(desk.iso("never.iso", of=tmp_path / name), 2, words)
    os.mkfifo(tmp_path / "pipe.iso")
    refused(desk.iso("never.iso", "--sha256", "0" * 64, of=tmp_path / "pipe.iso"), 2, "cannot be read")
    refused(desk.iso("never.iso", "--sha256", "0" * 64, of=tmp_path / "nowhere.iso"), 2, "cannot be read")
    assert desk.listing() == before


@pytest.mark.parametrize(
    ("without", "more", "words"),
    [
        ("casper/vmlinuz", {}, "there is no /casper/vmlinuz in it"),
        ("casper/initrd", {}, "there is no /casper/initrd in it"),
        (".disk/info", {}, "there is no /.disk/info in it"),
        ("boot/grub/grub.cfg", {}, "there is no /boot/grub/grub.cfg in it"),
        ("", {"boot/grub/arm64-efi/grub.cfg": b"configfile /elsewhere.cfg\n"}, "does not read /boot/grub/grub.cfg"),
        ("", {"spark-seeds/x/user-data": b"x"}, "was repacked before"),
        ("", {"boot/grub/grub.cfg": b"linux /casper/vmlinuz 'two words' ---\n"}, "cannot stand in a file of this kind"),
    ],
)
def test_what_is_no_installer_is_refused(
    desk: Desk, tmp_path: Path, without: str, more: dict[str, bytes], words: str
) -> None:
    before = desk.listing()
    files = {name: content for name, content in installer_files().items() if name != without} | more
    code = 4 if "cannot stand" in words else 2
    refused(desk.iso("never.iso", of=make_installer(tmp_path / "other", files)), code, words)
    assert desk.listing() == before


def test_an_installer_for_other_machines_is_refused(desk: Desk, tmp_path: Path) -> None:
    refused(desk.iso("never.iso", "--hwe"), 2, "there is no /casper/hwe-vmlinuz in it")
    unbootable = make_installer(tmp_path / "unbootable", boot=())
    refused(desk.iso("never.iso", of=unbootable), 2, "does not boot an ARM machine by EFI")
    other = tmp_path / "amd64.iso"
    other.write_bytes(desk.installer.read_bytes().replace(b"BOOTAA64EFI", b"BOOTX64 EFI"))
    refused(desk.iso("never.iso", of=other), 2, "does not boot an ARM machine by EFI")


def test_a_file_that_is_there_is_left_alone(desk: Desk) -> None:
    (desk.folder / "there.iso").write_text("there")
    refused(desk.iso("there.iso"), 4, "is there already")
    assert (desk.folder / "there.iso").read_text() == "there"
    digest = sha256(desk.installer)
    (desk.folder / "link.iso").symlink_to(desk.installer)
    for out in (desk.installer, desk.folder / "link.iso"):
        refused(desk.iso("", "--out", out), 4, "is the installer itself")
    assert sha256(desk.installer) == digest
    refused(desk.iso("", "--out", desk.folder / "no such folder" / "x.iso"), 2, "was not made")


def tampered(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"version: 1", b"version: 2"))


def unsigned(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["nodes"]["spark09"] = "spark-x"
    (folder / "manifest.json").write_text(json.dumps(manifest))


SPOILS: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "changed": (lambda seeds: tampered(seeds / "http/spark01/user-data"), 4, "http/spark01/user-data of"),
    "gone": (lambda seeds: (seeds / "http/spark02/meta-data").unlink(), 4, "http/spark02/meta-data of"),
    "half there": (lambda seeds: shutil.rmtree(seeds / "nodes"), 4, "is missing"),
    "more": (lambda seeds: (seeds / "http/spark01/vendor-data").write_text("x"), 4, "does not name it"),
    "a link": (lambda seeds: (seeds / "http/x").symlink_to("/etc/passwd"), 2, "neither a file nor a folder"),
    "another manifest": (unsigned, 4, "was not signed by"),
    "no manifest": (lambda seeds: (seeds / "manifest.json").unlink(), 2, "cannot be read"),
    "no signature": (lambda seeds: (seeds / "manifest.json.sig").unlink(), 2, "cannot be read"),
    "a broken signature": (lambda seeds: (seeds / "manifest.json.sig").write_text("x"), 4, "was not signed by"),
    "nothing": (shutil.rmtree, 2, "cannot be read"),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_seeds_that_are_not_what_was_signed_are_refused(desk: Desk, tmp_path: Path, spoil: str) -> None:
    before = desk.listing()
    shutil.copytree(desk.folder / "seeds", tmp_path / "seeds")
    act, code, words = SPOILS[spoil]
    act(tmp_path / "seeds")
    refused(desk.iso("never.iso", "--seeds", tmp_path / "seeds"), code, words)
    assert desk.listing() == before


def test_seeds_that_somebody_else_signed_are_refused(desk: Desk, tmp_path: Path) -> None:
    """Whatever the folder says of who may sign it."""
    ssh_key(tmp_path / "other")
    refused(desk.iso("never.iso", "--key", tmp_path / "other.pub"), 4, "was not signed by")
    refused(desk.iso("never.iso", "--key", tmp_path / "nowhere"), 2, "the public key of")
