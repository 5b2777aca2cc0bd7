"""From a spool to a bundle: lay out, redact, judge, look for what was left, and only then seal."""

import io
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl import __version__
from sparkctl.app.chained import Chained
from sparkctl.app.over_tree import how_it_ended, how_it_was, node_of, what_it_was
from sparkctl.app.recorded_tree import COMMANDS, FACTS, RecordedTree, lines_of
from sparkctl.app.spool import contents
from sparkctl.contract.generated import schema_file_text
from sparkctl.errors import RefusedError
from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.model.bundle import Artefact, BundleEnvelope, RecordedTask
from sparkctl.model.evidence import (
    About,
    CommandSource,
    EntryFacts,
    EntryKind,
    EntryStatus,
    Missing,
    PathSource,
    Source,
)
from sparkctl.model.inventory import Node
from sparkctl.model.printable import clip, printable
from sparkctl.model.vocabulary import TakenStatus, UnknownReason
from sparkctl.redaction.canaries import canaries, rehearsed
from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Kind, Redactor, TooSlow
from sparkctl.redaction.standins import KEY_BYTES, Class, Pseudonyms
from sparkctl.redaction.survivors import survivors

NOTHING_KEPT = "nothing was kept of it; please report it"
FILE_SECONDS = 60.0
HARVESTED = 4 * 2**20  # bytes of a file that are looked through for names
SCHEMAS = ("health-envelope", "facts-envelope", "reset-envelope", "evidence-manifest", "redaction-report")
MEDIA_TYPES = {
    Kind.TEXT: "text/plain",
    Kind.JSON: "application/json",
    Kind.JOURNAL_JSON: "application/jsonl",
    Kind.RECORDING: "application/json",
    Kind.NUL: "application/octet-stream",
    Kind.BINARY: "application/octet-stream",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sealed: the folder of a spool, the document that came with it, and the key to sign with."""

    spool: Path
    envelope: BundleEnvelope
    simulated: bool
    out: Path
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """A bundle on the disk: bytes, entries, what was not collected, and what its judgement says."""

    path: Path
    bytes: int
    entries: int
    missing: int
    withheld: tuple[str, ...]
    merkle_root: str


class NotSealed(RefusedError):
    """Something that must not leave was left in it."""


def seal_spool(order: Order) -> SealedBundle:
    """Seal what lies in a spool, which keeps all that is written on the way.

    Raises NotSealed where redaction left something, UsageError where a bundle cannot hold it or be written.
    """
    return _Sealing(order).seal()


class _Sealing:
    """One bundle while it is made: `_raw` holds what came, `_clean` what may leave."""

    def __init__(self, order: Order) -> None:
        assert order.envelope.data is not None  # noqa: S101 - decoding refuses a document without
        self._order, self._data = order, order.envelope.data
        self._raw, self._clean = order.spool / "raw", order.spool / "clean"
        self._known, self._pseudonyms = Known(), Pseudonyms(secrets.token_bytes(KEY_BYTES))
        self._facts: list[EntryFacts] = []
        self._missing: list[Missing] = []

    def seal(self) -> SealedBundle:
        """All steps in their order."""
        self._lay_out()
        self._harvest()
        self._canaries = canaries(self._known)
        self._redactor = Redactor(self._pseudonyms, self._known)
        self._rehearse()
        self._clean.mkdir(mode=0o700)
        self._redact_tree()
        self._redact_artefacts()
        self._judge()
        self._add("redaction.json", EntryKind.REDACTION, self._redactor.report().model_dump_json().encode())
        for name in SCHEMAS:
            self._add(f"schemas/{name}.schema.json", EntryKind.SCHEMA, schema_file_text(name).encode())
        self._look_for_survivors()
        return self._write()

    def _lay_out(self) -> None:
        tree = self._raw / "tree"
        tree.mkdir(mode=0o700, parents=True)
        recorded = RecordedTree(tree, simulated=self._order.simulated)
        for sent, place in contents(self._order.spool, self._data):
            if isinstance(sent, RecordedTask):
                recorded.add(lines_of(place))
        recorded.close()
        if recorded.left_out:
            words = f"{recorded.left_out} reads have no place in a tree"
            self._missing.append(Missing(name="tree", reason=UnknownReason.PARSE_ERROR, words=words))

    def _harvest(self) -> None:
        """Learn the node's own names before anything is redacted."""
        self._known.add(Class.HOST, self._order.envelope.meta.node.hostname.encode())
        for name, place, _ in self._sources():
            with place.open("rb") as file:
                self._known.harvest(name, file.read(HARVESTED))

    def _rehearse(self) -> None:
        """Send secrets of every class through the redactor; one that comes out of it means that a rule is broken."""
        out = io.BytesIO(rehearsed(self._redactor, self._canaries))
        if found := survivors(out, Known(), self._canaries):
            rules = ", ".join(sorted({str(one.rule) for one in found}))
            raise NotSealed(f"a canary of {rules} came through redaction", hint=NOTHING_KEPT)

    def _sources(self) -> Iterator[tuple[str, Path, Kind]]:
        """Everything that came, by the name that tells the redactor what it is."""
        tree = self._raw / "tree"
        names = _output_names(tree / COMMANDS)
        for place in sorted(path for path in tree.rglob("*") if path.is_file()):
            path = place.relative_to(tree).as_posix()
            if path in (FACTS, COMMANDS):
                yield path, place, Kind.RECORDING
            else:
                yield names.get(path, f"/{path}"), place, _kind_of(place)
        for artefact, place in self._artefacts():
            yield _origin(artefact), place, Kind(artefact.kind)

    def _artefacts(self) -> Iterator[tuple[Artefact, Path]]:
        for sent, place in contents(self._order.spool, self._data):
            if isinstance(sent, Artefact):
                yield sent, place

    def _redact_tree(self) -> None:
        tree = self._raw / "tree"
        names = _output_names(tree / COMMANDS)
        for place in sorted(path for path in tree.rglob("*") if path.is_file()):
            path = place.relative_to(tree).as_posix()
            kind = Kind.RECORDING if path in (FACTS, COMMANDS) else _kind_of(place)
            shown = path if path in (FACTS, COMMANDS) or path in names else self._redactor.path(f"/{path}").lstrip("/")
            facts = EntryFacts(path=f"tree/{shown}", kind=EntryKind.TREE, media_type=MEDIA_TYPES[kind])
            self._redact(names.get(path, path if kind is Kind.RECORDING else f"/{path}"), kind, place, facts)

    def _redact_artefacts(self) -> None:
        for artefact, place in self._artefacts():
            kind = Kind(artefact.kind)
            facts = EntryFacts(
                path=self._redactor.path(f"artefacts/{artefact.name}"),
                kind=EntryKind.ARTEFACT,
                media_type=MEDIA_TYPES[kind],
                status=_status(artefact),
                source=self._source(artefact),
                words=self._text(artefact.words) if artefact.words else None,
            )
            self._redact(_origin(artefact), kind, place, facts)
        for artefact in self._data.artefacts:
            if artefact.status in (TakenStatus.MISSING, TakenStatus.ABSENT) and not artefact.bytes:
                self._missing.append(self._gap(artefact))
        for listing in self._data.listing:
            words = self._text(listing.words or f"{listing.left_out} more are left out")
            reason = listing.reason or UnknownReason.PRECONDITION
            self._missing.append(Missing(name=listing.collector, reason=reason, words=words))

    def _gap(self, artefact: Artefact) -> Missing:
        if artefact.status is TakenStatus.ABSENT:
            words = f"not there: {self._text(artefact.words or 'nothing was found')}"
            return Missing(name=self._text(artefact.name, 120), reason=UnknownReason.PRECONDITION, words=words)
        reason = artefact.reason or UnknownReason.IO_ERROR
        return Missing(name=self._text(artefact.name, 120), reason=reason, words=self._text(artefact.words or ""))

    def _source(self, artefact: Artefact) -> Source:
        if artefact.source.argv is not None:
            argv = [self._text(word, 4000) for word in artefact.source.argv]
            return CommandSource(argv=argv, exit_status=artefact.exit_status)
        return PathSource(path=printable(self._redactor.path(artefact.source.path or "/"), 4000))

    def _text(self, words: str, limit: int = 900) -> str:
        """Words about the node, redacted as its contents are."""
        clean = io.BytesIO()
        self._redactor.stream("words", Kind.TEXT, io.BytesIO(words.encode()), clean, seconds=FILE_SECONDS)
        return printable(clean.getvalue().decode("utf-8", "replace"), limit)

    def _redact(self, name: str, kind: Kind, place: Path, facts: EntryFacts) -> None:
        target = self._clean / facts.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with place.open("rb") as source, target.open("xb") as sink:
                self._redactor.stream(name, kind, source, sink, seconds=FILE_SECONDS)
        except TooSlow as slow:
            target.unlink()
            self._missing.append(Missing(name=clip(facts.path, 120), reason=UnknownReason.TIMEOUT, words=slow.message))
        else:
            self._facts.append(facts)

    def _judge(self) -> None:
        """What our own programs say of the redacted tree, so that whoever has the bundle comes to the same."""
        tree, node = self._clean / "tree", self._node()
        for name, asking in (("health", how_it_was()), ("facts", what_it_was()), ("reset", how_it_ended())):
            record = asking.of(tree, node)
            if record.envelope is not None:
                self._add(f"judged/{name}.json", EntryKind.JUDGED, record.envelope.model_dump_json().encode())
            else:
                words = record.failure.message if record.failure else "no answer"
                self._missing.append(
                    Missing(name=f"judged/{name}.json", reason=UnknownReason.PARSE_ERROR, words=words)
                )  # fmt: skip

    def _node(self) -> Node:
        meta = self._order.envelope.meta
        return node_of(self._name, meta.elevation, simulated=self._order.simulated)

    @property
    def _name(self) -> str:
        hostname = self._order.envelope.meta.node.hostname.encode()
        return self._pseudonyms.of(Class.HOST, hostname).decode("ascii", "replace")

    def _add(self, path: str, kind: EntryKind, content: bytes) -> None:
        target = self._clean / path
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.write_bytes(content)
        self._facts.append(EntryFacts(path=path, kind=kind, media_type="application/json"))

    def _look_for_survivors(self) -> None:
        """Search all that is about to be sealed, and its names, for what is known of the node."""
        everything = Chained(self._clean, (facts.path for facts in self._facts))
        if found := survivors(everything, self._known, self._canaries):
            first = min(found, key=lambda one: one.offset)
            where = printable(everything.place_at(first.offset))
            raise NotSealed(f"{where} still holds a {first.kind} ({first.form}) after redaction", hint=NOTHING_KEPT)

    def _write(self) -> SealedBundle:
        meta, order = self._order.envelope.meta, self._order
        about = About(
            node=self._name,
            collected_at=meta.collected_at_utc.replace(microsecond=0),
            tool="sparkctl",
            version=__version__,
            program_sha256=meta.program_sha256,
            elevation=meta.elevation,
            origin=meta.origin,
            simulated=order.simulated,
            limits=meta.limits,
            spent=meta.cost,
        )
        key = secrets.token_bytes(KEY_BYTES)
        signer = signer_of(order.key) if order.key else None
        sealed = seal(self._clean, self._facts, self._missing, about, order.out, salt_key=key, signer=signer)
        withheld = tuple(one.artefact for one in self._redactor.report().withheld)
        manifest = sealed.manifest
        return SealedBundle(
            order.out, sealed.bytes, len(manifest.entries), len(manifest.missing), withheld, manifest.merkle_root
        )


def _status(artefact: Artefact) -> EntryStatus:
    if artefact.exit_status:
        return EntryStatus.FAILED
    return EntryStatus.TRUNCATED if artefact.status is TakenStatus.PARTIAL else EntryStatus.COMPLETE


def _origin(artefact: Artefact) -> str:
    """The name by which the redactor knows what a content is: its path on the node, or the command that printed it."""
    if artefact.source.path is not None:
        return artefact.source.path
    return _output_name(artefact.source.argv or ["command"])


def _output_names(commands: Path) -> dict[str, str]:
    """The names of what commands printed, by the path of the file in the tree that holds it."""
    entries = json.loads(commands.read_bytes())
    return {f"cmd/{entry['stdout_file']}": _output_name(entry["argv"]) for entry in entries if "stdout_file" in entry}


def _output_name(argv: list[str]) -> str:
    tool = argv[0].rpartition("/")[2]
    return argv[-1] if tool == "cat" else f"/cmd/{tool}"


def _kind_of(place: Path) -> Kind:
    """How the content of a file of the tree is read, by its first bytes."""
    with place.open("rb") as file:
        start = file.read(4096)
    if start.lstrip()[:1] in (b"{", b"["):
        return Kind.JOURNAL_JSON if b'"__REALTIME_TIMESTAMP"' in start else Kind.JSON
    if b"\0" not in start:
        return Kind.TEXT
    printable_share = sum(byte >= 32 or byte in (0, 9, 10) for byte in start) / len(start)
    return Kind.NUL if printable_share == 1 else Kind.BINARY
