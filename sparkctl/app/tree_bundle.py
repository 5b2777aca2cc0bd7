"""A saved tree in a tar: unpacked into a private folder, within limits, and removed again.

Nothing of it is trusted. Only folders, files and links are made, with our own modes; a link is made last and kept only
when it stays within the tree. What is read between two members is bounded, since a header may announce any size.
"""

import contextlib
import gzip
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from sparkctl.app.leaving import leaving_in_order
from sparkctl.app.private_folder import private_folder
from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

TREE_FOLDERS = frozenset({"proc", "var", "sys", "cmd", "etc"})
"""What a tree has at its top, at least one of it."""

MAX_BYTES = 2 * 2**30
MAX_MEMBERS = 200_000
MAX_LEVELS = 8  # of folders above the tree
MAX_DEPTH = 128  # of folders in it
HEADERS = 4 * 2**20  # bytes that may stand between the contents of two members
REMEMBERED = 4 * tarfile.RECORDSIZE  # bytes: tarfile reads a record ahead, in one piece or in several
LATEST = 2**33  # seconds since the epoch; what claims to be later was not written then
A_BUNDLE = "a bundle is a .tar, .tar.gz or .tar.zst of a saved tree; a folder is named with --root"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_DAMAGE = (tarfile.TarError, zstandard.ZstdError, gzip.BadGzipFile, zlib.error, EOFError)


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree on this machine for as long as it is needed, and what is to be said of it."""

    root: Path
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def unpacked(bundle: Path) -> Iterator[Tree]:
    """Unpack a `.tar`, `.tar.gz` or `.tar.zst`, find the tree in it, and remove all of it afterwards.

    Raises UsageError for what is none of these, is damaged or over a limit, or holds no tree.
    """
    with leaving_in_order(), private_folder() as folder:
        unpacking = _Unpacking(bundle, folder)
        try:
            unpacking.members()
            root = find_tree(folder, str(bundle))
            unpacking.links(root)
        except _DAMAGE as error:
            raise UsageError(
                f"{bundle} is damaged: {printable(str(error)) or type(error).__name__}",
                hint="copy it from where it was made",
            ) from error
        except OSError as error:
            raise UsageError(
                f"{bundle} cannot be unpacked: {error.strerror or error}",
                hint="TMPDIR names another place to unpack it",
            ) from error
        left_out = (
            f"{unpacking.left_out:,} of {bundle} left out: devices, links that lead out of the tree, and the like"
        )
        yield Tree(root, (left_out,) if unpacking.left_out else ())


def has_tree_folders(folder: Path) -> bool:
    """Whether a folder looks like the top of a tree."""
    # os.path's word, since pathlib raises where a name is too long to be looked up.
    return any(os.path.isdir(folder / name) for name in TREE_FOLDERS)  # noqa: PTH112 - see above


def find_tree(top: Path, named: str) -> Path:
    """The topmost folder that looks like a tree; raises UsageError where there is none, or more than one."""
    level = [top]
    for _ in range(MAX_LEVELS + 1):
        found = [folder for folder in level if has_tree_folders(folder)]
        if len(found) > 1:
            several = ", ".join(printable(str(folder.relative_to(top))) for folder in found[:5])
            raise UsageError(f"{named} holds more than one tree: {several}", hint="unpack it, and name one with --root")
        if found:
            return found[0]
        level = [path for folder in level for path in sorted(folder.iterdir()) if path.is_dir()]
    wanted = ", ".join(sorted(TREE_FOLDERS))
    raise UsageError(f"{named} holds no tree", hint=f"a tree has at least one of the folders {wanted} at its top")


class _Bounded:
    """A stream of which only so many bytes may be read as were last allowed; it remembers the last of them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left = stream, 0
        self._read, self._last = 0, b""

    def allow(self, count: int) -> None:
        """So many bytes from now on."""
        self._left = count

    def read(self, count: int) -> bytes:
        """As a file does; raises TarError over what is allowed."""
        content = self._stream.read(count)
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.ReadError(f"a header of more than {HEADERS // 2**20} MiB")
        self._read += len(content)
        self._last = (self._last + content)[-REMEMBERED:]
        return content

    def is_zero_at(self, offset: int) -> bool:
        """Whether a block of zeros stands there, and was read a short while ago."""
        start = offset - (self._read - len(self._last))
        return start >= 0 and self._last[start : start + tarfile.BLOCKSIZE] == bytes(tarfile.BLOCKSIZE)


@dataclass
class _Unpacking:
    """One tar while it is unpacked into `top`; `made` counts what was made of it, `size` its bytes."""

    bundle: Path
    top: Path
    made: int = 0
    size: int = 0
    left_out: int = 0
    deferred: list[tuple[Path, str]] = field(default_factory=list)

    def members(self) -> None:
        """Make folders and files, and note links."""
        with contextlib.ExitStack() as opened:
            stream = _Bounded(_decompressed(self.bundle, opened))
            stream.allow(HEADERS)
            tar = opened.enter_context(tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|"))
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # else it keeps every header it has seen
                self._count(member.size)
                stream.allow(member.size + HEADERS)
                self._make(tar, member)
            # tarfile takes a header that is cut or damaged for the end, and would leave out all that comes after it.
            if not stream.is_zero_at(tar.offset):
                raise tarfile.ReadError("it is cut, or damaged on the way: it has no end of the archive")

    def _count(self, size: int) -> None:
        self.made += 1
        self.size += size
        if size < 0:
            raise tarfile.ReadError("a member of less than no bytes")
        if self.size > MAX_BYTES:
            raise UsageError(f"{self.bundle} holds more than {MAX_BYTES // 2**30} GiB")
        if self.made > MAX_MEMBERS:
            raise UsageError(f"{self.bundle} holds more than {MAX_MEMBERS:,} files")

    def _make(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        place = self._place(member.name)
        if member.isdir():
            self._folder(place)
            return
        if place == self.top or not (member.isreg() or member.issym() or member.islnk()):
            self.left_out += 1
            return
        self._folder(place.parent)
        if member.issym():
            self.deferred.append((place, member.linkname))
        elif member.islnk():
            self._same_file(place, self._place(member.linkname))
        else:
            self._file(place, tar, member)

    def _place(self, name: str) -> Path:
        """Where a member goes; a leading slash is taken off, as tar does."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if ".." in parts or "\0" in name or len(parts) > MAX_DEPTH:
            raise UsageError(f"{self.bundle} would write outside of its folder, or too deep: {printable(name)}")
        return self.top.joinpath(*parts)

    def _folder(self, place: Path) -> None:
        """Make a folder and those above it; no link is there yet that could lead elsewhere."""
        if place.is_dir():
            return
        for folder in [*reversed(place.relative_to(self.top).parents[:-1]), place.relative_to(self.top)]:
            path = self.top / folder
            if path.is_dir():
                continue
            self._count(0)
            path.mkdir(mode=0o700)

    def _file(self, place: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        place.unlink(missing_ok=True)  # the last one of a name counts
        content = tar.extractfile(member)
        assert content is not None  # noqa: S101 - a regular file has content
        with content, place.open("xb") as file:
            shutil.copyfileobj(content, file, 1024 * 1024)
            file.flush()
            moment = min(max(float(member.mtime), 0.0), LATEST)
            os.utime(file.fileno(), (moment, moment))

    def _same_file(self, place: Path, other: Path) -> None:
        if not other.is_file() or place.exists():
            self.left_out += 1
            return
        os.link(other, place)

    def links(self, root: Path) -> None:
        """Make the symbolic links of the tree, absolute ones from its top, and keep those that stay within it."""
        made = []
        for place, target in self.deferred:
            if place.is_relative_to(root) and self._link(root, place, target):
                made.append(place)
        real = root.resolve()
        for place in made:
            if not Path(os.path.realpath(place)).is_relative_to(real):
                place.unlink()
                self.left_out += 1

    def _link(self, root: Path, place: Path, target: str) -> bool:
        if target.startswith("/"):
            target = os.path.relpath(os.path.join(root, target.lstrip("/")), place.parent)  # noqa: PTH118 - may climb
        try:
            place.symlink_to(target)
        except (OSError, ValueError):  # something of that name is there, or the target is no path
            self.left_out += 1
            return False
        return True


def _decompressed(bundle: Path, opened: contextlib.ExitStack) -> BinaryIO:
    """The tar in a file, whatever it was compressed with; raises UsageError where it is no file that can be read."""
    try:
        found = bundle.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{bundle} is no file", hint=A_BUNDLE)
        raw = opened.enter_context(bundle.open("rb"))
    except OSError as error:
        raise UsageError(f"{bundle} cannot be read: {error.strerror or error}", hint=A_BUNDLE) from error
    if not found.st_size:
        raise UsageError(f"{bundle} is empty", hint=A_BUNDLE)
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(GZIP):
        return cast("BinaryIO", opened.enter_context(gzip.GzipFile(fileobj=raw)))
    if magic == ZSTD:
        reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return cast("BinaryIO", opened.enter_context(reader))
    return raw
