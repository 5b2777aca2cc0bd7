"""From a spool to a bundle: lay out, redact, judge, look for what was left, and only then seal."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from sparkctl import __version__
from sparkctl.app.cleaning import Cleaning
from sparkctl.app.over_tree import how_it_ended, how_it_was, node_of, what_it_was
from sparkctl.app.seal_sources import artefact_files, lay_out, reports, tree_files
from sparkctl.contract.generated import schema_file_text
from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.model.bundle import BundleData, BundleEnvelope, Sent
from sparkctl.model.evidence import About, EntryKind
from sparkctl.model.vocabulary import TakenStatus, UnknownReason
from sparkctl.redaction.standins import KEY_BYTES

SCHEMAS = ("health-envelope", "facts-envelope", "reset-envelope", "evidence-manifest", "redaction-report")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sealed: the folder of a spool, the document that came with it, and the key to sign with."""

    spool: Path
    envelope: BundleEnvelope
    simulated: bool
    out: Path
    key: Path | None = None

    @property
    def data(self) -> BundleData:
        """What the document says of the entries."""
        assert self.envelope.data is not None  # noqa: S101 - decoding refuses a document without
        return self.envelope.data


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """A bundle on the disk, its size in bytes, and the redacted names of what could not be redacted."""

    path: Path
    bytes: int
    withheld: tuple[str, ...]


def seal_spool(order: Order) -> SealedBundle:
    """Seal what lies in a spool, which keeps all that is written on the way.

    Raises NotSealed where redaction left something, UsageError where a bundle cannot hold it or be written.
    """
    tree = order.spool / "raw" / "tree"
    left_out = lay_out(order.spool, order.data, tree, simulated=order.simulated)
    recorded, taken = list(tree_files(tree)), list(artefact_files(order.spool, order.data))
    reported = list(reports(order.spool, order.data))
    everything = [*recorded, *(raw for _, raw in taken), *(file for report in reported for file in report.files)]
    cleaning = Cleaning(order.spool / "clean", order.envelope.meta.node.hostname, everything)
    if left_out:
        cleaning.lack(
            "tree", UnknownReason.PARSE_ERROR, f"{left_out} reads have no place in the tree: odd names, or too many"
        )
    for file in recorded:
        cleaning.take_tree_file(file)
    for artefact, raw in taken:
        cleaning.take_artefact(artefact, raw)
    for report in reported:
        cleaning.take_report(report)
    _tell_gaps(cleaning, order.data)
    _judge(cleaning, order)
    cleaning.add("redaction.json", EntryKind.REDACTION, cleaning.report().model_dump_json().encode())
    for name in SCHEMAS:
        cleaning.add(f"schemas/{name}.schema.json", EntryKind.SCHEMA, schema_file_text(name).encode())
    cleaning.look_for_survivors()
    return _sealed(cleaning, order)


def _tell_gaps(cleaning: Cleaning, data: BundleData) -> None:
    """What was wanted and did not come: every name in the document that no entry stands for."""
    for task in data.recording:
        if not task.bytes or task.status is not TakenStatus.COLLECTED:
            _tell_gap(cleaning, f"recording of {task.name}", task)
    for artefact in data.artefacts:
        if not artefact.bytes:
            _tell_gap(cleaning, artefact.name, artefact)
    for listing in data.listing:
        words = cleaning.text(listing.words or f"{listing.left_out} more are left out")
        cleaning.lack(listing.collector, listing.reason or UnknownReason.PRECONDITION, words)


def _tell_gap(cleaning: Cleaning, name: str, sent: Sent) -> None:
    words = sent.words or ("only a part came" if sent.bytes else "nothing came")
    if sent.status is TakenStatus.ABSENT:
        words = f"not there: {words}"
    elif sent.status is TakenStatus.COLLECTED:
        words = f"taken, and empty: {words}"
    reason = UnknownReason.IO_ERROR if sent.status is TakenStatus.MISSING else UnknownReason.PRECONDITION
    told = reason if sent.status is TakenStatus.ABSENT else sent.reason or reason
    cleaning.lack(cleaning.text(name, 120), told, cleaning.text(words))


def _judge(cleaning: Cleaning, order: Order) -> None:
    """What our own programs say of the redacted tree, so that whoever has the bundle comes to the same."""
    tree = cleaning.folder / "tree"
    node = node_of(cleaning.node, order.envelope.meta.elevation, simulated=order.simulated)
    for name, asking in (("health", how_it_was()), ("facts", what_it_was()), ("reset", how_it_ended())):
        record = asking.of(tree, node)
        if record.envelope is not None:
            cleaning.add(f"judged/{name}.json", EntryKind.JUDGED, record.envelope.model_dump_json().encode())
        else:
            words = record.failure.message if record.failure else "no answer"
            cleaning.lack(f"judged/{name}.json", UnknownReason.PARSE_ERROR, words)


def _sealed(cleaning: Cleaning, order: Order) -> SealedBundle:
    meta = order.envelope.meta
    about = About(
        node=cleaning.node,
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
    salt_key = secrets.token_bytes(KEY_BYTES)
    signer = signer_of(order.key) if order.key else None
    made = seal(cleaning.folder, cleaning.facts, cleaning.missing, about, order.out, salt_key=salt_key, signer=signer)
    return SealedBundle(order.out, made.bytes, tuple(one.artefact for one in cleaning.report().withheld))
