"""Read mirror.yaml, strictly: what is mirrored, where it lies, and the rings of clients."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkctl.app.apt_pins import read_pins
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, number, seconds
from sparkctl.app.mirror_kinds.catalogue import KINDS
from sparkctl.app.mirror_kinds.seam import Kind
from sparkctl.app.settings_file import examined, usable
from sparkctl.app.site_values import url
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems
from sparkctl.inventory.yaml_nodes import Mapping as YamlMapping
from sparkctl.model.base import Record
from sparkctl.model.inventory import Problem
from sparkctl.model.printable import printable
from sparkctl.model.site import AptPin

DEFAULT_RINGS = ("canary", "fleet")
TOP = ("version", "folder", "url", "rings", "soak", "pins", "not_covered", *KINDS)
"""What mirror.yaml may have."""

_name = matches(
    r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", "must be of small letters, digits and hyphens, at most 40 of them"
)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One mirror of the file: its name, its kind, and what an entry of that kind says."""

    name: str
    word: str
    kind: Kind[Any, Any]
    spec: Record


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """The file; `soak` in seconds, `rings` in the order in which they get a snapshot, `url` without a final slash."""

    folder: Path
    url: str | None
    rings: tuple[str, ...]
    soak: int
    mirrors: Mapping[str, Mirrored]
    pins: tuple[AptPin, ...]
    not_covered: tuple[str, ...]

    def chosen(self, names: tuple[str, ...]) -> list[Mirrored]:
        """Mirrors by name, all of them for none; raises UsageError."""
        for name in names:
            if name not in self.mirrors:
                known = ", ".join(self.mirrors) or "none"
                raise UsageError(f"there is no mirror {printable(name, 60)!r} in the file", hint=f"it has: {known}")
        found = [self.mirrors[name] for name in names or self.mirrors]
        if not found:
            raise UsageError("the file names no mirror", hint=f"add one under one of: {', '.join(KINDS)}")
        return found

    def require_ring(self, ring: str) -> None:
        """Raise UsageError for a ring that the file does not name."""
        if ring not in self.rings:
            raise UsageError(f"there is no ring {ring!r} in the file", hint=f"it has: {', '.join(self.rings)}")


def mirror_file(path: Path) -> MirrorFile:
    """The settings in a file; raises UsageError for the first error in it, with file, line and key."""
    return usable(examine(path), f"sparkctl airgap mirror check {path}")


def examine(path: Path) -> tuple[MirrorFile | None, list[Problem]]:
    """What a file says, None where it cannot be used, and everything that is wrong with it."""
    file = lexical(path)
    return examined(file, "of mirrors", lambda root, problems: _read(file, root, problems))


def _read(path: Path, root: YamlMapping, problems: Problems) -> MirrorFile:
    top = Fields(root, "", path, problems, TOP)
    top.text("version", number(1, 1), required="Begin with `version: 1`.")
    folder = top.text("folder", str, required="Name the folder of mirrors: `folder: mirror`.")
    site = top.text("url", url)
    rings = tuple(top.texts("rings", _name)) or DEFAULT_RINGS
    if len(set(rings)) != len(rings):
        top.wrong("rings", "a ring is named twice", "Leave one.")
    mirrors: dict[str, Mirrored] = {}
    for mirrored in _mirrors(top):
        if mirrored.name in mirrors:
            top.wrong(mirrored.word, f"two mirrors are called {mirrored.name}", "Rename one of them.")
        mirrors[mirrored.name] = mirrored
    return MirrorFile(
        folder=lexical(path.parent / (folder or "mirror")),
        url=site.rstrip("/") if site else None,
        rings=rings,
        soak=top.text("soak", seconds) or 0,
        mirrors=mirrors,
        pins=tuple(read_pins(top)),
        not_covered=tuple(top.texts("not_covered", _sentence)),
    )


def _mirrors(top: Fields) -> Iterator[Mirrored]:
    for word, kind in KINDS.items():
        for name, fields in top.each(word, kind.keys, _name):
            spec = kind.read(name, fields)
            if spec is not None:
                yield Mirrored(name, word, kind, spec)


def _sentence(text: str) -> str:
    return matches(r"[^\x00-\x1f\x7f]{1,400}", "must be one printable line")(text)
