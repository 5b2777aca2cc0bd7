"""Paths of what lies in a bundle: they mean the same on every system, and lead nowhere else."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

from sparkctl.model.base import CONTROLS, INVISIBLE

MAX_PART = 255  # bytes of UTF-8, as file systems have it
MAX_PATH = 1024  # bytes of UTF-8

MANIFEST: Final = "manifest.json"
DISCLOSURE = "disclosure.json"
STATEMENT = "statement.dsse.json"
RESERVED = frozenset({MANIFEST, DISCLOSURE, STATEMENT})
"""What a bundle says of itself; no entry has such a name."""

_UNWANTED = re.compile(rf"[\\{CONTROLS}{INVISIBLE}\ud800-\udfff]")


def relative_path(path: str) -> str:
    """The path itself; raises ValueError unless it leads to one place below a folder, and nowhere else."""
    if _UNWANTED.search(path):
        raise ValueError("a path holds no backslash, no control and no invisible character")
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError("a path is relative, without empty parts, `.` or `..`")
    if len(path.encode()) > MAX_PATH or any(len(part.encode()) > MAX_PART for part in path.split("/")):
        raise ValueError(f"a path has at most {MAX_PATH} bytes, each part of it at most {MAX_PART}")
    return path


def checked_path(path: str) -> str:
    """The path itself; raises ValueError for one that a bundle of evidence does not hold."""
    relative_path(path)
    if folded(path.split("/", 1)[0]) in RESERVED:
        raise ValueError("the bundle itself has this name")
    return path


EntryPath = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH), AfterValidator(checked_path)]
"""A relative path with forward slashes, of an entry in a bundle."""


class Apart:
    """Paths each of which can be a file beside the others, also where case or composition is lost."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, path: str) -> None:
        """Take one more; raises ValueError for one that cannot be beside those that are there."""
        file = folded(path)
        if file in self._files:
            raise ValueError(f"two entries would be one file: {path}")
        parts = file.split("/")
        folders = {"/".join(parts[:count]) for count in range(1, len(parts))}
        if both := sorted(folders & self._files) or [file] * (file in self._folders):
            raise ValueError(f"an entry is a file and a folder at once: {both[0]}")
        self._files.add(file)
        self._folders |= folders


def require_apart(paths: Iterable[str]) -> None:
    """Raise ValueError unless every path can be a file beside the others, as `Apart` has it."""
    apart = Apart()
    for path in paths:
        apart.add(path)


def bytewise(path: str) -> bytes:
    """What entries are sorted by."""
    return path.encode()


def folded(path: str) -> str:
    """What a path comes to where case and composition are lost."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
