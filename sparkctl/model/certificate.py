"""The certificate of sanitisation, with the fields of NIST SP 800-88r2, section 4.6, and the form in its appendix C."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.sanitisation import Destruction, Method, Person, RecordRef, SanitiseOutcome

STANDARD = "NIST SP 800-88r2 (September 2025), section 4.6 and appendix C"

NOT_TOLD = (
    "Markers and the log of the drive prove what reads back through the drive, and nothing of what its firmware hides.",
    "Conformance to IEEE 2883, which section 4.4 of the standard names for techniques, was not assessed.",
)
"""What every certificate says that it does not say."""


class CertifiedAttempt(Record):
    """One technique that was tried on a medium, when, and what it came to, with the reasons."""

    technique: Word
    started_at: UtcDatetime
    ended_at: UtcDatetime | None
    outcome: SanitiseOutcome
    reasons: list[Text]


class CertifiedMedium(Record):
    """A medium: the fields of the form. `damaged` is its line Operational/Damaged."""

    manufacturer: Word
    media_type: Word
    model: Word
    serial: Word
    property_number: Word
    source: Word
    classification: Word
    classification_after: Word
    damaged: bool
    bytes: int | None
    method: Method
    technique: Word
    tool: Word
    tool_version: Word
    verification: Text
    destination: Text
    attempts: list[CertifiedAttempt]


class Certificate(Record):
    """That the media of a machine are sanitised. It is issued only where that was judged to be so.

    `number` is the beginning of the digest of the record that it rests on. `validation` is the decision of
    `validated_by` (section 4.5.2 of the standard), whose signature stands beside this document.
    """

    certificate_schema: Annotated[Literal["sparkctl.sanitisation-certificate/1"], Field(alias="schema")] = (
        "sparkctl.sanitisation-certificate/1"
    )
    standard: Word = STANDARD
    number: Word
    issued_at: UtcDatetime
    issued_by: Word
    version: Word
    node_id: NodeId
    machine_serial: Word
    machine_model: Word
    identity_checked: Text
    method: Method
    media: Annotated[list[CertifiedMedium], Field(min_length=1)]
    destroyed: list[Destruction]
    tpm: SanitiseOutcome | None
    tpm_reasons: list[Text]
    backup: Text
    performed_by: Person
    verified_by: Person
    validated_by: Person
    validation: Literal["accepted"] = "accepted"
    not_told: list[Text]
    record_sha256: Sha256Hex
    records: list[RecordRef]
    simulated: bool
