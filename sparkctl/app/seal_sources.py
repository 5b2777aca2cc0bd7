"""What lies in a spool, laid out for redaction: each file with the name that tells the redactor what it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.entry_origin import command_name, kind_of, printed_by
from sparkctl.app.recorded_tree import COMMANDS, OURS, RecordedTree, lines_of
from sparkctl.app.spool import contents
from sparkctl.model.bundle import Artefact, BundleData, RecordedTask
from sparkctl.redaction.redactor import Kind


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
    """Every artefact that brought bytes."""
    for sent, place in contents(spool, data):
        if isinstance(sent, Artefact):
            yield sent, RawFile(_origin(sent), Kind(sent.kind), place)


def _origin(artefact: Artefact) -> str:
    if artefact.source.path is not None:
        return artefact.source.path
    return command_name(artefact.source.argv or ["command"])
