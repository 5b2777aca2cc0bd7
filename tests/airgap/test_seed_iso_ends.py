"""Making an installer ends well or leaves nothing: killed, on a full disk, or with an xorriso that lies."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkctl.app import seed_iso
from sparkctl.app.installer_source import Voucher
from sparkctl.app.seed_iso import IsoRequest, make_iso
from sparkctl.errors import UsageError
from tests.airgap.installers import MARKS, Desk, make_desk, refused, sha256
from tests.support.command import environment
from tests.support.installers import PATH

pytestmark = MARKS
ROOT = Path(__file__).parents[2]
XORRISO = shutil.which("xorriso", path=PATH) or "xorriso"

STAND_IN = """#!{python}
import os, subprocess, sys, time
arguments = sys.argv[1:]
if "-outdev" not in arguments:
    os.execv("{xorriso}", ["xorriso", *arguments])
lie, mark = "{lie}", bytes.fromhex("{mark}")
if lie == "hang":
    open("made.iso", "ab").write(b"x" * 100000)
    time.sleep(600)
if lie == "fail":
    sys.exit("xorriso : FAILURE : it does not feel like it")
if lie == "idle":
    sys.exit(0)
if lie == "other guid":
    at = next(i for i, one in enumerate(arguments) if one.startswith("gpt_disk_guid="))
    del arguments[at - 2 : at + 1]
if lie == "no joliet":
    del arguments[arguments.index("-joliet") : arguments.index("-joliet") + 4]
more = {{
    "a file more": ["-map", "changed/boot/grub/grub.cfg", "/more"],
    "a file less": ["-rm", "/pool/main/a/an empty file", "--"],
    "another mode": ["-chmod", "0777", "/casper/initrd", "--"],
    "another link": ["-rm", "/dists/stable", "--", "-lns", "elsewhere", "/dists/stable"],
    "another name": ["-volid", "OTHER"],
}}.get(lie, [])
at = arguments.index("-commit")
arguments[at:at] = more
code = subprocess.run(["{xorriso}", *arguments]).returncode
with open("made.iso", "r+b") as file:
    image = file.read()
    for kind, what in (("another byte", "squashfs"), ("another loader", "loader"), ("another boot code", "code")):
        if lie == kind:
            at = {{"squashfs": image.find(mark), "loader": image.find(b"BOOTAA64EFI") + 40,
                  "code": 10}}[what]
            file.seek(at)
            file.write(bytes([image[at] ^ 1]))
sys.exit(code)
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return make_desk(tmp_path_factory.mktemp("iso") / "desk")


def lying(desk: Desk, lie: str) -> str:
    """Where programs are looked for, with an xorriso that does something else."""
    squashfs = (desk.installer.parent / "tree/casper/ubuntu-server-minimal.squashfs").read_bytes()
    tool = desk.installer.parent / lie.replace(" ", "-") / "xorriso"
    tool.parent.mkdir(exist_ok=True)
    mark = squashfs[1_000_000:1_000_016].hex()
    tool.write_text(STAND_IN.format(python=sys.executable, xorriso=XORRISO, lie=lie, mark=mark))
    tool.chmod(0o755)
    return f"{tool.parent}:{desk.folder}/bin:{PATH}"


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ("another byte", "/casper/ubuntu-server-minimal.squashfs is another"),
        ("another loader", "what its boot records point at is another"),
        ("another boot code", "what its boot records point at is another"),
        ("a file more", "/more is another"),
        ("a file less", "/pool/main/a/an empty file is another"),
        ("another mode", "/casper/initrd is another"),
        ("another link", "/dists/stable is another"),
        ("another name", "its volume descriptors are others"),
        pytest.param("no joliet", "its volume descriptors are others", marks=pytest.mark.thorough),
        ("other guid", "of its boot records 'GPT disk GUID"),
    ],
)
def test_what_was_not_asked_for_is_found_and_thrown_away(desk: Desk, lie: str, words: str) -> None:
    before = desk.listing()
    ran = desk.iso("never.iso", path=lying(desk, lie))
    refused(ran, 4, f"the ISO that xorriso made is not what was asked for: {words}")
    assert desk.listing() == before


def test_an_xorriso_that_fails_is_told(desk: Desk) -> None:
    before = desk.listing()
    refused(desk.iso("never.iso", path=lying(desk, "fail")), 2, "it does not feel like it")
    refused(desk.iso("never.iso", path=lying(desk, "idle")), 2, "is no ISO image")
    assert desk.listing() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_iso(desk: Desk, number: signal.Signals) -> None:
    """What SIGKILL leaves is for its owner alone, and goes with the next run."""
    before = desk.listing()
    env = {**environment(desk.folder, {"PATH": lying(desk, "hang")}), "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable, "-m", "sparkctl", "airgap", "iso", desk.installer, "--seeds", desk.folder / "seeds",
        "--key", desk.key, "--out", desk.folder / "ended.iso", "--sha256", sha256(desk.installer),
    ]  # fmt: skip
    process = subprocess.Popen(
        [*map(str, command)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not any(path.stat().st_size for path in desk.folder.glob("sparkctl-tree-*/content/made.iso")):
        assert process.poll() is None
        time.sleep(0.01)
    if number == signal.SIGKILL:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait() != 0
    left = desk.listing() - before
    if number != signal.SIGKILL:
        assert left == set()
        return
    (name,) = left
    assert (desk.folder / name).stat().st_mode & 0o777 == 0o700
    ran = desk.iso("ended.iso")
    assert ran.returncode == 0, ran.stderr
    assert desk.listing() - before == {"ended.iso"}
    (desk.folder / "ended.iso").unlink()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 9 MiB: the copy of the installer goes on it, and what is made does not."""
    (place := tmp_path / "disk").mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", place], check=False, capture_output=True)
    if os.geteuid() != 0 or made.returncode != 0:
        pytest.skip("a small disk needs root and the right to mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_without_room_is_told_before_and_while(desk: Desk, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(desk.iso("", "--out", small / "x.iso"), 2, f"{small} has room for 9 MiB, and 73 MiB are needed")
    request = IsoRequest(
        desk.installer, Voucher(sha256(desk.installer)), desk.folder / "seeds", desk.key, small / "x.iso"
    )
    monkeypatch.setattr(seed_iso, "free_bytes", lambda _: 2**40)
    with pytest.raises(UsageError, match="an image was not made: xorriso") as told:
        make_iso(request)
    assert told.value.hint == "is there room on the disk?"
    assert list(small.iterdir()) == []
    (small / "filling").write_bytes(bytes(6 * 2**20))
    with pytest.raises(UsageError, match=r"x\.iso was not made: No space left on device") as told:
        make_iso(request)
    assert told.value.hint == "is there room on the disk?"
    assert [path.name for path in small.iterdir()] == ["filling"]
