"""What lies in a spool, laid out for redaction: each file with the name that tells the redactor what it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.entry_origin import command_name, kind_of, printed_by
from sparkctl.app.recorded_tree import COMMANDS, OURS, RecordedTree, lines_of
from sparkctl.app.spool import contents
from sparkctl.app.unpacking import LeftOut, Member, unpack
from sparkctl.model.bundle import Artefact, BundleData, RecordedTask
from sparkctl.redaction.redactor import Kind

ARCHIVE = "archive"
COPIED = tuple(f"{folder}/" for folder in ("boot", "etc", "opt", "proc", "run", "sys", "usr", "var"))
"""Folders of a report of sos that hold files of the node, where they lie there."""
_PRINTED = re.compile(r"sos_commands/[^/]+/([A-Za-z0-9.-]{1,60}).*")
"""What a command printed, named after it: `sos_commands/block/lsblk_-t`."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file as it came. `origin` is its path on the node, or the command that printed it."""

    origin: str
    kind: Kind
    place: Path


@dataclass(frozen=True, slots=True)
class TreeFile(RawFile):
    """A file of the recorded tree; `path` is where it lies there, `is_named` whether that is a name of the node's."""

    path: str
    is_named: bool


def lay_out(spool: Path, data: BundleData, tree: Path, *, simulated: bool) -> int:
    """Write the recorded reads as a tree into a new folder; returns how many have no place in one."""
    tree.mkdir(mode=0o700, parents=True)
    recorded = RecordedTree(tree, simulated=simulated)
    for sent, place in contents(spool, data):
        if isinstance(sent, RecordedTask):
            recorded.add(lines_of(place), is_whole=sent.sha256 is not None)
    recorded.close()
    return recorded.left_out


def tree_files(tree: Path) -> Iterator[TreeFile]:
    """Every file of a tree, by path."""
    printed = printed_by(tree / COMMANDS)
    for place in sorted(path for path in tree.rglob("*") if path.is_file()):
        path = place.relative_to(tree).as_posix()
        if path in OURS:
            yield TreeFile(path, Kind.RECORDING, place, path, is_named=False)
        else:
            yield TreeFile(printed.get(path, f"/{path}"), kind_of(place), place, path, is_named=path not in printed)


def artefact_files(spool: Path, data: BundleData) -> Iterator[tuple[Artefact, RawFile]]:
    """Every artefact that brought bytes, apart from reports."""
    for sent, place in contents(spool, data):
        if isinstance(sent, Artefact) and sent.kind != ARCHIVE:
            yield sent, RawFile(_origin(sent), Kind(sent.kind), place)


@dataclass(frozen=True, slots=True)
class ReportFile(RawFile):
    """A file of a report. `path` is where it lies below the report, `words` say what of it is not there.

    `copied` is its path on the node, None for what the tool made itself.
    """

    path: str
    copied: str | None
    words: str | None


@dataclass(frozen=True, slots=True)
class UnpackedReport:
    """What an isolated tool reported, unpacked."""

    artefact: Artefact
    files: list[ReportFile]
    left_out: list[LeftOut]


def reports(spool: Path, data: BundleData) -> Iterator[UnpackedReport]:
    """Every report that brought bytes, unpacked below the spool."""
    for sent, place in contents(spool, data):
        if isinstance(sent, Artefact) and sent.kind == ARCHIVE:
            made = unpack(place, spool / "unpacked" / place.name)
            yield UnpackedReport(sent, [_report_file(sent, member) for member in made.members], made.left_out)


def _report_file(artefact: Artefact, member: Member) -> ReportFile:
    copied = f"/{member.path}" if member.path.startswith(COPIED) else None
    printed = _PRINTED.fullmatch(member.path)
    origin = copied or (f"/cmd/{printed[1]}" if printed else _origin(artefact))
    return ReportFile(origin, member.kind, member.place, member.path, copied, member.words)


def _origin(artefact: Artefact) -> str:
    if artefact.source.path is not None:
        return artefact.source.path
    return command_name(artefact.source.argv or ["command"])
