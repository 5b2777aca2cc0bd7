"""Objects of git as files, one by one: every byte is proven by the id under which it was asked for.

A commit id is the SHA-1 of the commit, which has the id of its tree, which has the ids of its files: from 40 digits in
an operator's file follows all that is in the repository at that commit. A file in Git LFS is a pointer there, with the
SHA-256 of its content. git computes SHA-1 with detection of collisions when it fetches; here it is computed plainly.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap.blobs import opened
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.evidence_path import relative_path
from sparkctl.model.printable import printable
from sparkctl.model.transfer import MAX_FILES, MAX_SIZE

MAX_BLOB = 64 * 2**20
"""Bytes of a file at most that lies in git itself; a Hub wants larger ones in Git LFS."""

MAX_POINTER = 1024
"""Bytes of a pointer at most, by the specification of Git LFS."""

_MAX_DEPTH = 20
_MAX_FOLDERS = 10_000
_FILE, _PROGRAM, _TREE = "100644", "100755", "40000"
_TREE_LINE = re.compile(rb"tree ([0-9a-f]{40})\n")
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(ext-[^\n]+\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]{0,17})\n"
)
_VERSION = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit; `plain` is False for links and for other repositories."""

    path: str
    blob: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a pointer of Git LFS says of a content; `size` in bytes, and `length` is that of the pointer itself."""

    sha256: str
    size: int
    length: int


class Objects:
    """Loose objects below a folder, as git names them; `read` are the ids of those that were read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read = set[str]()

    def place(self, oid: str) -> Path:
        """Where an object lies."""
        return self.folder / oid[:2] / oid[2:]

    def has(self, oid: str) -> bool:
        """Whether there is something under this id."""
        return self.place(oid).is_file()

    def content(self, kind: str, oid: str, limit: int = MAX_BLOB) -> bytes:
        """An object of a kind; raises RefusedError for one that is another, UsageError where there is none."""
        try:
            with opened(self.place(oid)) as file:
                packed = file.read(limit + 2**16)
        except OSError:
            raise UsageError(f"git has no {kind} {oid[:12]}", hint="run the same command again") from None
        inflate = zlib.decompressobj()
        try:
            raw = inflate.decompress(packed, limit + 64)
        except zlib.error:
            raw = b""
        head, _, content = raw.partition(b"\0")
        if not inflate.eof or sha1(raw).hexdigest() != oid or head != f"{kind} {len(content)}".encode():
            raise RefusedError(f"what git has as the {kind} {oid[:12]} is another, or larger than {limit:,} bytes")
        self.read.add(oid)
        return content

    def entries(self, revision: str) -> Iterator[Entry]:
        """Every file of a commit; raises RefusedError for a path that leads elsewhere, UsageError."""
        match = _TREE_LINE.match(self.content("commit", revision))
        if match is None:
            raise RefusedError(f"the commit {revision[:12]} has no tree")
        files = folders = 0
        for entry in self._below(match[1].decode(), "", 0):
            files, folders = files + (entry is not None), folders + (entry is None)
            if files > MAX_FILES or folders > _MAX_FOLDERS:
                words = f"more than {MAX_FILES:,} files, or more than {_MAX_FOLDERS:,} folders"
                raise UsageError(f"the commit {revision[:12]} has {words}")
            if entry is not None:
                yield entry

    def _below(self, tree: str, prefix: str, depth: int) -> Iterator[Entry | None]:
        """What a tree has, None for each folder: a few bytes of trees may have more of them than anybody walks."""
        if depth > _MAX_DEPTH:
            raise RefusedError(f"{printable(prefix)} is more than {_MAX_DEPTH} folders deep")
        names = set[str]()
        for mode, name, oid in _lines(self.content("tree", tree)):
            path = _path(prefix, name)
            if path in names:
                raise RefusedError(f"the tree {tree[:12]} has {printable(path)} twice")
            names.add(path)
            if mode == _TREE:
                yield None
                yield from self._below(oid, f"{path}/", depth + 1)
            else:
                yield Entry(path, oid, mode in {_FILE, _PROGRAM})


def sha1(content: bytes) -> "hashlib._Hash":
    """The digest that git names things by, of a content that may be gone on with."""
    return hashlib.sha1(content)  # noqa: S324 - see above


def pointer_in(content: bytes) -> Pointer | None:
    """The pointer that a small file is, None where it is a file of its own; raises ValueError for a broken one."""
    if not content.startswith(_VERSION) or len(content) > MAX_POINTER:
        return None
    match = _POINTER.fullmatch(content)
    if match is None or int(match[3]) > MAX_SIZE:
        raise ValueError("is a pointer of Git LFS that cannot be read")
    return Pointer(match[2].decode(), int(match[3]), len(content))


def _lines(tree: bytes) -> Iterator[tuple[str, bytes, str]]:
    at = 0
    while at < len(tree):
        end = tree.find(b"\0", at)
        mode, _, name = tree[at:end].partition(b" ")
        oid = tree[end + 1 : end + 21]
        if end < 0 or len(oid) != 20 or not name:
            raise RefusedError("git has a tree that ends in the middle of an entry")
        yield mode.decode("latin-1"), name, oid.hex()
        at = end + 21


def _path(prefix: str, name: bytes) -> str:
    try:
        text = name.decode()
        if "/" in text:
            raise ValueError("a name has no slash")
        return relative_path(prefix + text)
    except ValueError as error:
        shown = printable(prefix + name.decode("utf-8", "replace"), 100)
        raise RefusedError(
            f"the repository holds {shown!r}: {error}", hint="no sound repository does; do not use it"
        ) from None
