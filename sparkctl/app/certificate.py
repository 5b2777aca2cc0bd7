"""Issue the certificate of sanitisation: judged, written, signed, and entered in the ledger; or refused."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl import __version__
from sparkctl.app.ledger import who_is_here
from sparkctl.app.ledger_file import evidence_of, read_document
from sparkctl.app.ledger_sign import sign_entries
from sparkctl.atomic_file import replace_file
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.evidence.custody import signature_over
from sparkctl.lifecycle.sanitisation import judge, tier_of
from sparkctl.model.canonical import canonical_json
from sparkctl.model.certificate import NOT_TOLD, Certificate, CertifiedAttempt, CertifiedMedium
from sparkctl.model.ledger import EvidenceRef, LedgerEntry, LedgerFact
from sparkctl.model.printable import clip
from sparkctl.model.sanitisation import (
    Destruction,
    Drive,
    DriveJudgement,
    EraseAttempt,
    Method,
    SanitisationJudgement,
    SanitisationRecord,
    SanitiseOutcome,
)
from sparkctl.report.certificate import as_html, as_markdown
from sparkctl.store.store import Store

CERTIFICATE_KIND = "certificate.issued"
_NUMBER = 16  # hexadecimal digits of the digest of the record
_UNKNOWN = "not recorded"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, the files that it stands in (JSON, its signature if there is one, Markdown, HTML), its entry."""

    certificate: Certificate
    files: tuple[Path, ...]
    entry: LedgerEntry
    signed: bool


def make_certificate(
    state: Path, record: SanitisationRecord, out: Path, *, key: Path | None, now: datetime, copy: Path | None = None
) -> Issued:
    """Issue a certificate into the folder `out`, and enter it in the ledger of `state`; nothing is left if that fails.

    `copy` is one more file for the JSON; with it, a certificate of this record that stands there already, and in the
    ledger, is that certificate: who was interrupted may ask again. Raises RefusedError when the media are not
    sanitised, UsageError when the folder cannot be written or has this certificate already, or when the key cannot
    sign.
    """
    certificate = certificate_of(record, judge(record), who_is_here(), now)
    content = canonical_json(certificate.model_dump(mode="json"))
    name = f"certificate-{record.node_id}-{certificate.number}"
    if copy is not None and (before := _issued_before(state, certificate, out, name)) is not None:
        _write_copy(copy, before.files[0].read_bytes())
        return before
    texts = {
        f"{name}.json": content,
        f"{name}.md": as_markdown(certificate).encode(),
        f"{name}.html": as_html(certificate).encode(),
    }
    if key is not None:
        texts[f"{name}.json.sig"] = signature_over(content, key).signature.encode()
    with _written(out, texts) as files, Store.open(state) as store:
        entry = store.ledger.add([_fact(certificate, content)], now)[0]
    signed = False
    if key is not None:
        # The certificate is issued; an entry that is not signed can be signed later.
        with contextlib.suppress(SparkctlError):
            signed = entry.seq in sign_entries(state, key, entry.seq)
    if copy is not None:
        _write_copy(copy, content)
    return Issued(certificate, files, entry, signed)


def _issued_before(state: Path, certificate: Certificate, out: Path, name: str) -> Issued | None:
    """The certificate of the same record that stands in the folder and in the ledger; None when there is none."""
    file = out / f"{name}.json"
    if not file.is_file():
        return None
    digest = evidence_of(file).sha256
    with Store.open(state) as store:
        entries, signed = list(store.ledger.entries(certificate.node_id, CERTIFICATE_KIND)), store.ledger.signed()
    for entry in entries:
        if entry.evidence and entry.evidence[0].sha256 == digest:
            there = tuple(path for path in sorted(out.glob(f"{name}.*")) if path != file)
            return Issued(read_document(Certificate, file), (file, *there), entry, entry.seq in signed)
    return None


def _write_copy(copy: Path, content: bytes) -> None:
    try:
        replace_file(copy, content, 0o644)
    except OSError as error:
        raise UsageError(f"{copy} cannot be written: {error.strerror}", hint="the certificate is issued") from error


def require_records(record: SanitisationRecord, files: Sequence[Path]) -> None:
    """Raise RefusedError unless each file is one of the records that a record of sanitisation names, by its digest."""
    named = {one.sha256: one.name for one in record.records}
    for file in files:
        if (found := evidence_of(file)).sha256 not in named:
            raise RefusedError(
                f"{file} (SHA-256 {found.sha256}) is none of the {len(named)} records that are named",
                hint="it was changed since, or belongs to another machine",
            )


def certificate_of(
    record: SanitisationRecord, judgement: SanitisationJudgement, issued_by: str, now: datetime
) -> Certificate:
    """The certificate of a record that was judged; raises RefusedError when the media are not sanitised."""
    if not judgement.sanitised or judgement.method is None:
        raise _not_sanitised(judgement)
    digest = hashlib.sha256(canonical_json(record.model_dump(mode="json"))).hexdigest()
    not_told = list(NOT_TOLD)
    if record.performed_by.name == record.verified_by.name:
        not_told.append("The same person did it and verified it.")
    if record.simulated:
        not_told.insert(0, "This is an exercise: no medium was sanitised.")
    destroyed = {each.serial: each for each in record.destroyed}
    return Certificate(
        number=digest[:_NUMBER],
        issued_at=now,
        issued_by=issued_by,
        version=__version__,
        node_id=record.node_id,
        machine_serial=record.machine_serial,
        machine_model=record.machine_model,
        identity_checked=record.identity_checked,
        method=judgement.method,
        media=[
            _medium(record, drive, judged, destroyed.get(drive.serial))
            for drive, judged in zip(record.drives, judgement.drives, strict=True)
        ],
        destroyed=record.destroyed,
        tpm=judgement.tpm,
        tpm_reasons=judgement.tpm_reasons,
        backup=record.backup,
        performed_by=record.performed_by,
        verified_by=record.verified_by,
        validated_by=record.validated_by,
        not_told=not_told,
        record_sha256=digest,
        records=record.records,
        simulated=record.simulated,
    )


def _not_sanitised(judgement: SanitisationJudgement) -> RefusedError:
    bad = next((each for each in judgement.drives if each.serial in judgement.to_destroy), None)
    if bad is not None:
        why = f"drive {bad.serial} is {bad.judgement.outcome.value.replace('_', ' ')}: {bad.judgement.reasons[0]}"
        first = bad.judgement.remains[0].value.replace("_", " ")
    else:
        why, first = f"its TPM: {judgement.tpm_reasons[0]}", "destroy"
    hint = f"what remains for it is: {first}"
    if first == "destroy":
        hint = "what remains is to destroy it; then record who destroyed it, how, and who saw it (`destroyed`)"
    return RefusedError(f"no certificate for {judgement.node_id}: {clip(why, 500)}", hint=hint)


def _medium(
    record: SanitisationRecord, drive: Drive, judged: DriveJudgement, destruction: Destruction | None
) -> CertifiedMedium:
    attempts = [
        CertifiedAttempt(
            technique=attempt.technique.value,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
            outcome=each.outcome,
            reasons=each.reasons,
        )
        for attempt, each in zip(drive.attempts, judged.attempts, strict=True)
    ]
    by = _by_destruction(destruction) if destruction else _by_erase(drive.attempts[-1])
    return CertifiedMedium(
        manufacturer=drive.manufacturer or _UNKNOWN,
        media_type=drive.media_type,
        model=drive.model,
        serial=drive.serial,
        property_number=record.property_number or "none assigned",
        source=record.source,
        classification=record.classification,
        classification_after=record.classification_after,
        damaged=drive.damaged or any(each.outcome is SanitiseOutcome.FAILED for each in judged.attempts),
        bytes=drive.bytes,
        method=by.method,
        technique=by.technique,
        tool=by.tool,
        tool_version=by.tool_version,
        verification=by.verification,
        destination=record.destination,
        attempts=attempts,
    )


@dataclass(frozen=True, slots=True)
class _By:
    """What made a medium sanitised."""

    method: Method
    technique: str
    tool: str
    tool_version: str
    verification: str


def _by_destruction(destruction: Destruction) -> _By:
    size = f", largest piece {destruction.largest_mm:g} mm" if destruction.largest_mm is not None else ""
    seen = f"seen by {destruction.witnessed_by.name}{size}"
    return _By(Method.DESTROY, destruction.technique.value, destruction.tool, "not applicable", seen)


def _by_erase(attempt: EraseAttempt) -> _By:
    markers = attempt.markers
    count = markers.count if markers else 0
    words = f"full status log, and {count} blocks of known content over the whole drive, none of which reads back"
    return _By(
        tier_of(attempt.technique).method,
        attempt.technique.value,
        attempt.tool or _UNKNOWN,
        attempt.tool_version or _UNKNOWN,
        words,
    )


def _fact(certificate: Certificate, content: bytes) -> LedgerFact:
    refs = [EvidenceRef(name="certificate", sha256=hashlib.sha256(content).hexdigest())]
    refs.append(EvidenceRef(name="sanitisation record", sha256=certificate.record_sha256))
    refs += [EvidenceRef(name=one.name, sha256=one.sha256) for one in certificate.records[: 100 - len(refs)]]
    return LedgerFact(
        kind=CERTIFICATE_KIND,
        node_id=certificate.node_id,
        serial=certificate.machine_serial,
        actor=certificate.issued_by,
        summary=f"certificate of sanitisation {certificate.number}: {certificate.method.value}",
        facts={
            "number": certificate.number,
            "method": certificate.method.value,
            "media": len(certificate.media),
            "destroyed": len(certificate.destroyed),
            "validated_by": certificate.validated_by.name,
        },
        evidence=refs,
        simulated=certificate.simulated,
    )


@contextlib.contextmanager
def _written(out: Path, texts: dict[str, bytes]) -> Iterator[tuple[Path, ...]]:
    """Files in a folder, which go again when the block fails. Raises UsageError."""
    files = tuple(out / name for name in texts)
    if there := [file for file in files if file.exists()]:
        raise UsageError(f"{there[0]} exists: this certificate was issued already", hint="name another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, content in zip(files, texts.values(), strict=True):
            replace_file(file, content, 0o644)
        yield files
    except OSError as error:
        _remove(files)
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    except BaseException:
        _remove(files)
        raise


def _remove(files: Sequence[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink()
