"""Documents of the vendor's tools: read, account for each field, find the node, and hold against our own facts."""

import hashlib
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from sparkctl import __version__
from sparkctl.app.ingest_compare import Collected
from sparkctl.app.ingest_said import Clues, clues_of, said_of
from sparkctl.app.places import FLEET_NAME, FLEET_VARIABLE, Places
from sparkctl.contract.vendor import NoShape, Piece, Read, pieces, read_vendor
from sparkctl.errors import ContractError, ExitCode, UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.model.base import NodeId
from sparkctl.model.ingest import (
    MAX_LISTED,
    About,
    Comparison,
    IngestRecord,
    Mapped,
    NotTaken,
    Refusal,
    Said,
    Unknown,
)
from sparkctl.model.inventory import Node
from sparkctl.model.printable import clip, printable

MAX_FILE_BYTES = 256 * 1024 * 1024
STDIN = "-"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """What the operator asked for: files (`-` is standard input), the node they are about where he says so."""

    places: Places
    files: Sequence[str]
    node: str | None = None
    compare: bool = False


def ingest(request: IngestRequest) -> Iterator[IngestRecord]:
    """A record for every document, and for every file that cannot be read.

    Raises UsageError for a node that the inventory does not have, StoreError where there is nothing to compare with.
    """
    nodes = _nodes(request.places)
    finder = NodeFinder(nodes, request.node)
    if not request.compare:
        yield from _records(request.files, finder, None)
        return
    with Collected.open(request.places.state) as collected:
        yield from _records(request.files, finder, collected)


def exit_code(codes: Collection[int]) -> ExitCode:
    """Of all documents: a refused one before a difference, a difference before what is not settled."""
    return next((code for code in _BY_WEIGHT if code in codes), ExitCode.OK)


_BY_WEIGHT = (ExitCode.USAGE, ExitCode.FINDINGS, ExitCode.UNJUDGED)


def _nodes(places: Places) -> list[Node] | None:
    """The nodes of the inventory, None where none is given and none lies here."""
    given = places.fleet_option is not None or places.environ.get(FLEET_VARIABLE) or FilePath(FLEET_NAME).is_file()
    return load_fleet(places.fleet).nodes if given else None


class NodeFinder:
    """Tells which node a document is about. Evidence in the document outweighs the operator's word."""

    def __init__(self, nodes: Sequence[Node] | None, named: str | None) -> None:
        self._nodes, self._named = nodes, named
        if named is not None:
            self._require(named)

    def _require(self, named: str) -> None:
        try:
            TypeAdapter(NodeId).validate_python(named)
        except ValidationError as error:
            raise UsageError(f"{printable(named)!r} is no name of a node") from error
        if self._nodes is not None and all(node.node_id != named for node in self._nodes):
            raise UsageError(f"the inventory has no node {named!r}", hint="sparkctl inventory list names them")

    def find(self, clues: Clues) -> About:
        """By `--node`, else by serial, else by the host's name; about nobody where these contradict each other."""
        serial, hostname = clues.serial, clues.hostname
        if clues.either is not None:
            is_serial = any(node.serial == clues.either for node in self._nodes or ())
            serial, hostname = (clues.either, None) if is_serial else (None, clues.either)
        enrolled = [node for node in self._nodes or () if serial and node.serial == serial]
        if self._named is not None:
            return self._check(self._named, enrolled, serial)
        if self._nodes is None:
            return About(node_id=None, by=None, why="no inventory and no --node")
        if len(enrolled) == 1:
            return _about(enrolled[0], "serial", f"its serial is {serial}")
        if enrolled:
            return About(node_id=None, by=None, why=f"the inventory has the serial {serial} more than once")
        return self._by_hostname(serial, hostname)

    def _check(self, named: str, enrolled: Sequence[Node], serial: str | None) -> About:
        other = [node.node_id for node in enrolled if node.node_id != named]
        node = next((node for node in self._nodes or () if node.node_id == named), None)
        if other:
            why = f"not {named} as --node says: its serial {serial} is that of {', '.join(other[:5])}"
            return About(node_id=None, by=None, why=clip(why))
        if node is not None and node.serial and serial and node.serial != serial:
            why = f"not {named} as --node says: its serial is {serial}, the inventory has {node.serial}"
            return About(node_id=None, by=None, why=clip(why))
        return About(node_id=named, by="option", why="--node says so", simulated=node is not None and node.simulated)

    def _by_hostname(self, serial: str | None, hostname: str | None) -> About:
        short = (hostname or "").partition(".")[0]
        found = [node for node in self._nodes or () if hostname and {node.node_id, node.ssh.host} & {hostname, short}]
        if len(found) != 1:
            told = ", ".join(
                f"{what} {value}" for what, value in (("serial", serial), ("host", hostname)) if value is not None
            )
            why = f"the inventory has no one node with {told}" if told else "it names neither a serial nor a host"
            return About(node_id=None, by=None, why=clip(why))
        node = found[0]
        if node.serial and serial and node.serial != serial:
            why = f"its host is {hostname}, but its serial is {serial} and the inventory has {node.serial}"
            return About(node_id=None, by=None, why=clip(why))
        return _about(node, "hostname", f"its host is {hostname}")


def _about(node: Node, by: str, why: str) -> About:
    return About.model_validate({"node_id": node.node_id, "by": by, "why": clip(why), "simulated": node.simulated})


def _records(files: Sequence[str], finder: NodeFinder, collected: Collected | None) -> Iterator[IngestRecord]:
    for name in files:
        try:
            found = pieces(_content(name))
        except OSError as error:
            yield _refused(name, None, Refusal(cause="unreadable", message=clip(error.strerror or str(error))))
            continue
        except ContractError as error:
            yield _refused(name, None, Refusal(cause=error.cause, message=clip(error.message)))
            continue
        if not found:
            yield _refused(name, None, Refusal(cause="empty", message="it holds no document"))
        for piece in found:
            yield _record(name, piece, finder, collected)


def _content(name: str) -> bytes:
    """A file or a pipe, bounded; raises OSError, ContractError for a device and for what is too large."""
    if name == STDIN:
        return _bounded(sys.stdin.buffer)
    try:
        path = FilePath(name)
        kind = path.stat().st_mode
    except ValueError as error:
        raise ContractError("unreadable", "a NUL byte cannot stand in a file's name") from error
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        raise ContractError("unreadable", "it is a device, which may have no end")
    with path.open("rb") as file:
        return _bounded(file)


def _bounded(file: BinaryIO) -> bytes:
    parts: list[bytes] = []
    while part := file.read(_CHUNK):
        parts.append(part)
        if len(parts) * _CHUNK > MAX_FILE_BYTES:
            raise ContractError("too_large", f"it is larger than {MAX_FILE_BYTES // 2**20} MiB; split it by lines")
    return b"".join(parts)


def _record(name: str, piece: Piece, finder: NodeFinder, collected: Collected | None) -> IngestRecord:
    try:
        read = read_vendor(piece.text)
    except NoShape as error:
        shapes = {shape: clip(why) for shape, why in error.shapes.items()}
        return _refused(name, piece, Refusal(cause=error.cause, message=error.message, shapes=shapes))
    except ContractError as error:
        return _refused(name, piece, Refusal(cause=error.cause, message=clip(error.message)))
    said = said_of(read, piece)
    about = finder.find(clues_of(read))
    comparison = collected.compare(about.node_id, read.taken.facets) if collected and about.node_id else None
    mapped, not_taken, unknown = _fates(read)
    return _blank(name, piece, _code(said, about, comparison)).model_copy(
        update={
            "said": said,
            "about": about,
            "facets": read.taken.facets,
            "mapped": mapped[:MAX_LISTED],
            "not_taken": not_taken[:MAX_LISTED],
            "unknown": unknown[:MAX_LISTED],
            "unlisted": sum(max(0, len(fates) - MAX_LISTED) for fates in (mapped, not_taken, unknown)),
            "comparison": comparison,
        }
    )


def _code(said: Said, about: About, comparison: Comparison | None) -> ExitCode:
    if comparison is not None and comparison.differences:
        return ExitCode.FINDINGS
    settled = not said.failed and about.node_id is not None and not (comparison and comparison.not_compared)
    return ExitCode.OK if settled else ExitCode.UNJUDGED


def _refused(name: str, piece: Piece | None, refusal: Refusal) -> IngestRecord:
    return _blank(name, piece, ExitCode.USAGE).model_copy(update={"refusal": refusal})


def _blank(name: str, piece: Piece | None, code: ExitCode) -> IngestRecord:
    """The record of a document of which nothing is said yet."""
    return IngestRecord(
        tool=f"sparkctl {__version__}",
        source=printable("standard input" if name == STDIN else name, 1000),
        line=piece.line if piece else 1,
        size_bytes=len(piece.text) if piece else None,
        sha256=hashlib.sha256(piece.text).hexdigest() if piece else None,
        refusal=None,
        said=None,
        about=None,
        facets={},
        mapped=[],
        not_taken=[],
        unknown=[],
        unlisted=0,
        comparison=None,
        exit_code=code,
        exit_name=code.name.lower(),
    )


def _fates(read: Read) -> tuple[list[Mapped], list[NotTaken], list[Unknown]]:
    mapped, not_taken, unknown = [], [], []
    for fate, count in read.taken.fates.items():
        if fate.fields:
            mapped.append(Mapped(source=fate.source, fields=list(fate.fields), count=count))
        elif fate.reason is not None:
            not_taken.append(NotTaken(source=fate.source, reason=clip(fate.reason), count=count))
        else:
            unknown.append(Unknown(source=fate.source, count=count))
    return mapped, not_taken, unknown
