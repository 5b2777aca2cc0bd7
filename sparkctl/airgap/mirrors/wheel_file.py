"""Read what a wheel says of itself, without unpacking it: what it costs us is bounded, whatever is in it."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from sparkctl.airgap.blobs import digest_of, opened
from sparkctl.model.evidence_path import relative_path
from sparkctl.model.printable import printable

MAX_WHEEL = 32 * 2**30
"""Bytes of a wheel at most; the largest that are published have about 3 GB."""

_MAX_READ = 64 * 2**20  # bytes of a wheel that are read to see what it is: its directory, METADATA, WHEEL
_MAX_METADATA = 4 * 2**20
_MAX_ENTRIES = 200_000
_MAX_REQUIRES = 5000
_MAX_REQUIREMENT = 4000  # characters of one; a marker of nested brackets costs a stack, many releases cost time
_MAX_TAGS = 5000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,250}\.whl")
_LINUX = re.compile(r"^(many|musl)?linux[0-9]*(_[0-9]+_[0-9]+)?_")
_FOLDER = re.compile(r"[^/]+\.dist-info/(METADATA|WHEEL)")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel whose name, METADATA and WHEEL say the same; `requires_python` as METADATA has it."""

    file: str
    size: int
    sha256: str
    name: str
    version: str
    tags: frozenset[Tag]
    requires: tuple[Requirement, ...]
    requires_python: str | None


def named(file: str) -> tuple[str, str, frozenset[Tag]]:
    """Distribution, version and tags of the name of a wheel; raises ValueError with half a sentence."""
    try:
        if not _NAME.fullmatch(file):
            raise InvalidWheelFilename
        name, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        raise ValueError("has not the name of a wheel") from None
    return name, str(version), tags


def wheel_at(path: Path) -> Wheel:
    """What a wheel says of itself; raises ValueError with half a sentence where it contradicts itself, OSError."""
    name, version, tags = named(path.name)
    sha256, size = digest_of(path)
    if size > MAX_WHEEL:
        raise ValueError(f"is larger than {MAX_WHEEL // 2**30} GiB")
    metadata, about = _documents(path)
    try:
        fields, _ = parse_email(metadata)
    except RecursionError:
        raise ValueError("has a METADATA of messages within messages") from None
    said, of = fields.get("name", ""), fields.get("version", "")
    if canonicalize_name(said) != name:
        raise ValueError(f"is {printable(said, 60) or 'nothing'} by its METADATA")
    try:
        if str(Version(of)) != version:
            raise InvalidVersion
    except InvalidVersion:
        raise ValueError(f"is of version {printable(of, 60) or 'none'} by its METADATA") from None
    if not _agree(tags, _tags_in(about)):
        raise ValueError("is for another interpreter or machine by its WHEEL than by its name")
    return Wheel(
        path.name, size, sha256, name, version, tags, _requires(fields.get("requires_dist", [])),
        fields.get("requires_python"),
    )  # fmt: skip


def _documents(path: Path) -> tuple[bytes, bytes]:
    """METADATA and WHEEL."""
    try:
        with opened(path) as file, zipfile.ZipFile(_Metered(file)) as archive:
            entries = archive.infolist()
            paths = [entry.filename for entry in entries]
            if len(entries) > _MAX_ENTRIES or len(set(paths)) != len(paths):
                raise ValueError("is no sound zip: it has too many entries, or one twice")
            for each in paths:
                _require_inside(each)
            found = {match[1]: entry for entry in entries if (match := _FOLDER.fullmatch(entry.filename))}
            folders = {each.split("/")[0] for each in paths if ".dist-info/" in each}
            if len(folders) != 1 or found.keys() != {"METADATA", "WHEEL"}:
                raise ValueError("has not one dist-info folder with METADATA and WHEEL")
            return _content(archive, found["METADATA"]), _content(archive, found["WHEEL"])
    except _TooMuch:
        raise ValueError(f"would have to be read for more than {_MAX_READ // 2**20} MiB to see what it is") from None
    except _BROKEN as error:
        words = str(error) if type(error) is ValueError else f"is no sound zip: {printable(str(error), 100)}"
        raise ValueError(words) from None


def _require_inside(path: str) -> None:
    try:
        relative_path(path.removesuffix("/"))
    except ValueError:
        raise ValueError(f"holds {printable(path, 100)!r}, which could be unpacked elsewhere") from None


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError("has a METADATA or WHEEL that is neither stored nor deflated")
    with archive.open(entry) as file:
        content = file.read(_MAX_METADATA + 1)
    if len(content) > _MAX_METADATA:
        raise ValueError(f"has a METADATA or WHEEL of more than {_MAX_METADATA // 2**20} MiB")
    return content


def _tags_in(about: bytes) -> frozenset[Tag]:
    lines = about.decode("utf-8", "replace").splitlines()
    said = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("tag:")]
    if sum(prod(len(part.split(".")) for part in each.split("-")) for each in said) > _MAX_TAGS:
        raise ValueError(f"has a WHEEL with more than {_MAX_TAGS:,} tags")
    try:
        return frozenset(tag for each in said for tag in parse_tag(each))
    except ValueError:
        raise ValueError("has a WHEEL with a tag that is none") from None


def _agree(named_so: frozenset[Tag], said: frozenset[Tag]) -> bool:
    """Whether a WHEEL does not contradict the name, by which installers go.

    They differ in the field: the release of glibc is raised in names of wheels that were built as plain `linux`, and
    wheels that carry a program have a machine in their name alone.
    """
    alike = {(tag.interpreter, tag.abi, _LINUX.sub("linux_", tag.platform)) for tag in said}
    return any(
        {(tag.interpreter, tag.abi, _LINUX.sub("linux_", tag.platform)), (tag.interpreter, tag.abi, "any")} & alike
        for tag in named_so
    )


def _requires(lines: list[str]) -> tuple[Requirement, ...]:
    if len(lines) > _MAX_REQUIRES:
        raise ValueError(f"needs more than {_MAX_REQUIRES:,} others by its METADATA")
    if any(len(line) > _MAX_REQUIREMENT for line in lines):
        raise ValueError(f"has a METADATA with a Requires-Dist of more than {_MAX_REQUIREMENT:,} characters")
    try:
        return tuple(map(Requirement, lines))
    except (InvalidRequirement, RecursionError):
        raise ValueError("has a METADATA with a Requires-Dist that is none") from None


class _TooMuch(Exception):
    """More would have to be read than a sound wheel takes."""


class _Metered(io.RawIOBase):
    """A file that gives no more than some MiB in all, however large its directory claims to be."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file, self._left = file, _MAX_READ

    def seekable(self) -> bool:
        """Zip files are read from their end."""
        return True

    def readable(self) -> bool:
        """Nothing is written."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; raises _TooMuch."""
        content = self._file.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise _TooMuch
        return content
