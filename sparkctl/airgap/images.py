"""Images of seeds, made without mounting anything and without root: the same files give the same bytes."""

import hashlib
import os
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

EPOCH = 1_704_067_200
"""The time of everything in an image, 2024-01-01: an image tells what is in it and not when it was made."""

SECONDS = 120.0
_MIB = 2**20
_SBIN = ":/usr/sbin:/sbin"

Files = Mapping[str, bytes]


def cidata_iso(files: Files, target: Path) -> None:
    """An ISO image labelled CIDATA, which cloud-init finds by that name; needs xorriso. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        tree = _laid_out(files, Path(scratch))
        options = ("-quiet", "-V", "CIDATA", "-J", "-r", "-no-pad")
        run_tool("xorriso", "-no_rc", "-as", "mkisofs", *options, "-o", str(target), str(tree))


def cidata_fat(files: Files, target: Path) -> None:
    """The same as a FAT image; needs mtools. `files` have no folders. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        tree = _laid_out(files, Path(scratch))
        _sized(target, max(4, 1 + 2 * _total(files) // _MIB))
        run_tool("mformat", "-i", str(target), "-v", "CIDATA", "-N", _digest(files)[:8], "::")
        run_tool("mcopy", "-m", "-i", str(target), *(str(tree / name) for name in sorted(files)), "::")


def oemdata_ext4(files: Files, target: Path) -> None:
    """An ext4 image labelled OEMDATA, all of it root's; needs e2fsprogs. Raises UsageError."""
    label = str(uuid.uuid5(uuid.NAMESPACE_URL, f"sparkctl-seed:{_digest(files)}"))
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        tree = _laid_out(files, Path(scratch))
        _sized(target, 8 + _total(files) * 9 // 8 // _MIB)
        extended = f"hash_seed={label},root_owner=0:0,lazy_itable_init=0"
        inodes = str(64 + 2 * len(files))
        # Without a journal: the node writes one file to it, once, and a check repairs what a cut leaves.
        options = ("-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-N", inodes, "-E", extended)
        run_tool("mke2fs", *options, "-L", "OEMDATA", "-U", label, "-d", str(tree), str(target))
        # Owner and time of change come from the files that were copied: both differ from one making to the next.
        fields = (f"uid 0\nsif {{0}} gid 0\nsif {{0}} ctime @{EPOCH}\nsif {{0}} crtime @{EPOCH}\n").format
        paths = ["/", *(f"/{path.relative_to(tree)}" for path in sorted(tree.rglob("*")))]
        script = Path(scratch) / "fields"
        script.write_text("".join(f"sif {path} {fields(path)}" for path in paths), "ascii")
        run_tool("debugfs", "-w", "-f", str(script), str(target))


def _laid_out(files: Files, scratch: Path) -> Path:
    tree = scratch / "tree"
    for name, content in sorted(files.items()):
        path = tree / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    for path in [*tree.rglob("*"), tree]:
        os.utime(path, (EPOCH, EPOCH))
    return tree


def _sized(path: Path, mebibytes: int) -> None:
    with path.open("xb") as file:
        file.truncate(mebibytes * _MIB)


def _total(files: Files) -> int:
    return sum(len(content) for content in files.values())


def _digest(files: Files) -> str:
    parts = (f"{name}\0{hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(files.items()))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def run_tool(tool: str, *arguments: str, cwd: Path | None = None, seconds: float = SECONDS) -> str:
    """What a program that makes or reads images prints, run so that neither clock nor locale is in what it makes.

    Raises UsageError when it is not here, does not end in time, or fails.
    """
    fixed = {
        "PATH": os.environ.get("PATH", "") + _SBIN, "LC_ALL": "C", "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1",
        "SOURCE_DATE_EPOCH": str(EPOCH), "E2FSPROGS_FAKE_TIME": str(EPOCH), "MKE2FS_CONFIG": os.devnull,
    }  # fmt: skip
    try:
        ran = subprocess.run(
            [tool, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=fixed, cwd=cwd,
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise MissingTool(tool) from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{tool} did not end within {seconds:g} s") from None
    if ran.returncode != 0:
        # What went wrong stands at the end: some of these programs talk before they do anything.
        words = printable(" ".join(ran.stderr.decode("utf-8", "replace").split())[-300:], 300)
        raise UsageError(f"an image was not made: {tool}: {words}", hint="is there room on the disk?")
    return ran.stdout.decode("utf-8", "surrogateescape")


class MissingTool(UsageError):
    """A program that makes images is not here."""

    def __init__(self, tool: str) -> None:
        package = {"mformat": "mtools", "mcopy": "mtools", "mke2fs": "e2fsprogs", "debugfs": "e2fsprogs"}.get(
            tool, tool
        )
        super().__init__(f"there is no {tool} here", hint=f"apt-get install {package}")
