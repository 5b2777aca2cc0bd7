"""Indexes of an archive of packages: what Release and Packages files say (Debian repository format)."""

import bz2
import gzip
import hashlib
import lzma
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, cast

from sparkctl.airgap.blobs import CHUNK, opened
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.evidence_path import relative_path
from sparkctl.model.mirror_apt import FLAT
from sparkctl.model.printable import printable

MAX_INDEX = 2**30
"""Bytes of one index, unpacked, at most; the largest of Ubuntu's is below a tenth of it."""

MAX_LINE = 2**20
"""Bytes of a line of an index at most."""

COMPRESSED = ("", ".xz", ".gz", ".bz2")
"""What an index may be called after its name, as apt and its owners have it."""

_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")
_DIGEST = re.compile(r" ([0-9a-f]{64}) +([0-9]{1,15}) (\S{1,1000})")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as an index lists it; `size` in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """A Release file: its fields, and the indexes that it lists by their path below it."""

    fields: Mapping[str, str]
    listed: Mapping[str, Listed]

    def moment(self, field: str) -> datetime | None:
        """A time that it names, in UTC; None where it does not."""
        try:
            found = parsedate_to_datetime(self.fields[field])
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (KeyError, ValueError, OverflowError):
            return None


def release(text: str, named: str) -> Release:
    """Read a Release file; raises UsageError where it lists nothing by SHA-256, or what lies elsewhere."""
    fields: dict[str, str] = {}
    listed: dict[str, Listed] = {}
    section = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            section, _, value = line.partition(":")
            fields[section.lower()] = value.strip()
        elif section.lower() == "sha256" and (match := _DIGEST.fullmatch(line)):
            path = _inside(match[3], named)
            listed[path] = Listed(path, int(match[2]), match[1])
    if not listed:
        raise UsageError(f"{named} lists nothing by SHA-256", hint="an archive without such digests cannot be proven")
    return Release(fields, listed)


def require_suite(told: Release, suite: str, named: str) -> None:
    """Raise RefusedError where a Release file calls itself by other names than that of its suite.

    Its signature holds wherever it lies: somebody could show another suite of the same owner, old and unpatched, in its
    place, and every signature would be right. `suite` may go on after a slash, as in bookworm/updates.
    """
    names = {name for field in ("suite", "codename") if (name := told.fields.get(field))}
    if suite != FLAT and names and names.isdisjoint({suite, suite.partition("/")[0], suite.rpartition("/")[0]}):
        said = " and ".join(printable(name, 100) for name in sorted(names))
        raise RefusedError(
            f"{named} is refused: it is of the suite {said}, and not of {suite}",
            hint="name the suite as it calls itself; if it did until now, somebody shows another in its place",
        )


def packages(path: Path, plain: Listed | None) -> Iterator[Listed]:
    """The packages of an index; raises UsageError as `stanzas` and `package` do."""
    return (package(fields, path) for fields in stanzas(path, plain))


def stanzas(path: Path, plain: Listed | None) -> Iterator[Mapping[str, str]]:
    """The fields of each package of an index, unpacked on the way, whose digest is compared where there is one of it.

    Names of fields are in small letters; lines that go on are left out. Raises UsageError where it does not unpack, or
    not to what it should be.
    """
    digest = hashlib.sha256()
    fields: dict[str, str] = {}
    for line in _lines(path, digest):
        if not line:
            if fields:
                yield fields
            fields = {}
        elif line[0] not in " \t":
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
    if fields:
        yield fields
    if plain is not None and digest.hexdigest() != plain.sha256:
        raise UsageError(f"{path} does not unpack to what its Release file lists", hint="the archive is damaged")


def package(fields: Mapping[str, str], index: Path) -> Listed:
    """One package of an index; raises UsageError for one without digest, or one that lies elsewhere."""
    try:
        size, sha256 = int(fields["size"]), fields["sha256"].lower()
        if not re.fullmatch(r"[0-9a-f]{64}", sha256) or not 0 <= size < 2**40:
            raise ValueError("a digest or a size is none")
    except (KeyError, ValueError):
        name = printable(fields.get("package", "without a name"), 100)
        raise UsageError(f"{index} lists a package {name} without size and SHA-256") from None
    return Listed(_inside(fields.get("filename", ""), str(index)), size, sha256)


def depends(fields: Mapping[str, str]) -> list[set[str]]:
    """What a package depends on: names, one of each set will do."""
    wanted = ",".join(fields.get(name, "") for name in ("pre-depends", "depends"))
    found = [{match[0] for one in each.split("|") if (match := _NAME.match(one.strip()))} for each in wanted.split(",")]
    return [names for names in found if names]


def unpacked(path: Path, target: Path) -> None:
    """Write an index without its compression; raises UsageError where it does not unpack, or to too much, OSError."""
    with target.open("xb") as file:
        for piece in _pieces(path):
            file.write(piece)


def _inside(path: str, named: str) -> str:
    try:
        return relative_path(path.removeprefix("./"))
    except ValueError as error:
        raise UsageError(f"{named} lists {printable(path, 200)!r}: {error}", hint="the archive is hostile") from error


def _lines(path: Path, digest: "hashlib._Hash") -> Iterator[str]:
    rest = b""
    for piece in _pieces(path):
        digest.update(piece)
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > MAX_LINE:
            raise UsageError(f"{path} holds a line of more than {MAX_LINE // 2**20} MiB")
        for line in lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


def _pieces(path: Path) -> Iterator[bytes]:
    """An index without its compression, piece by piece; raises UsageError where it does not unpack, or to too much."""
    left = MAX_INDEX
    try:
        with opened(path) as file, _unpacked(file, path.suffix) as plain:
            while piece := plain.read(CHUNK):
                left -= len(piece)
                if left < 0:
                    raise UsageError(f"{path} unpacks to more than {MAX_INDEX // 2**20} MiB")
                yield piece
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        raise UsageError(f"{path} does not unpack: {printable(str(error))}") from error


def _unpacked(file: BinaryIO, suffix: str) -> BinaryIO:
    if suffix == ".xz":
        return cast("BinaryIO", lzma.LZMAFile(file))
    if suffix == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    return cast("BinaryIO", bz2.BZ2File(file)) if suffix == ".bz2" else file
