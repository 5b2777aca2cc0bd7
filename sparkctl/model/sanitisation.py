"""What was done to the media of a machine, what was seen before and after, and what it comes to."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word


class Technique(StrEnum):
    """How a drive is sanitised, the best first. The words are those of the NVMe base specification."""

    SANITIZE_CRYPTO = "sanitize_crypto_erase"
    SANITIZE_BLOCK = "sanitize_block_erase"
    SANITIZE_OVERWRITE = "sanitize_overwrite"
    FORMAT_CRYPTO = "format_crypto_erase"
    FORMAT_USER_DATA = "format_user_data_erase"
    DESTROY = "destroy"


class Method(StrEnum):
    """The methods of NIST SP 800-88r2, section 3.1."""

    CLEAR = "clear"
    PURGE = "purge"
    DESTROY = "destroy"


class SanitiseOutcome(StrEnum):
    """What an erase comes to."""

    PURGED = "purged"  # the drive says so, and nothing that was there reads back
    CLEARED = "cleared"  # what can be addressed is gone; of the rest nothing is known
    FAILED = "failed"  # it did not end well, or the drive said that it did and did not do it
    UNPROVEN = "unproven"  # it cannot be told
    NOT_STARTED = "not_started"  # the drive took no notice: nothing was changed


class SanitiseState(StrEnum):
    """Bits 2:0 of SSTAT in the Sanitize Status log page (NVMe base specification 2.0, figure 272)."""

    NEVER = "never"  # 0
    SUCCEEDED = "succeeded"  # 1
    RUNNING = "running"  # 2
    FAILED = "failed"  # 3
    SUCCEEDED_DEALLOCATED = "succeeded_deallocated"  # 4: without deallocation was asked for, and it deallocated
    RESERVED = "reserved"  # anything else


class SanitiseLog(Record):
    """The Sanitize Status log page at a moment.

    `progress` is SPROG, the part that is done in 1/65536, 65535 when none runs. `cdw10` is SCDW10, the command that
    the page is about. `global_erased` is bit 8 of SSTAT: nothing was written since the last sanitise that succeeded.
    """

    at: UtcDatetime
    state: SanitiseState
    progress: Annotated[int, Field(ge=0, le=65535)]
    cdw10: Annotated[int, Field(ge=0, le=2**32 - 1)]
    global_erased: bool


class Markers(Record):
    """Known blocks that were written at known places before, and what read back of them after.

    `digest` is the SHA-256 over all blocks as they were written, `seed` what they were made of. `found` read back as
    they were written, `unreadable` did not read at all. `read_back` counts those that read back right after they were
    written: what was never there cannot be missed. `direct` says that reads went past the page cache.
    """

    count: Annotated[int, Field(ge=0)]
    digest: Sha256Hex | None = None
    seed: Word | None = None
    read_back: Annotated[int, Field(ge=0)] = 0
    found: Annotated[int, Field(ge=0)] | None = None
    unreadable: Annotated[int, Field(ge=0)] = 0
    direct: bool = True


class EraseAttempt(Record):
    """One technique on one drive. `exit_status` is that of the tool, None when it did not end.

    `serial_after` is what the drive says it is afterwards. `log` are the log pages that were read, oldest first: the
    first before the act, the last after it.
    """

    technique: Technique
    argv: Annotated[list[Text], Field(max_length=100)] = []
    tool: Word | None = None
    tool_version: Word | None = None
    started_at: UtcDatetime
    ended_at: UtcDatetime | None = None
    exit_status: int | None = None
    serial_after: Word | None = None
    log: Annotated[list[SanitiseLog], Field(max_length=1000)] = []
    markers: Markers | None = None


class Drive(Record):
    """A drive and what was tried on it, in this order. `sanicap` and `fna` are of its Identify Controller data."""

    device: Word
    manufacturer: Word | None = None
    model: Word
    serial: Word
    firmware: Word | None = None
    bytes: Annotated[int, Field(ge=0)] | None = None
    media_type: Word = "flash memory (NVMe)"
    damaged: bool = False
    sanicap: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None
    fna: Annotated[int, Field(ge=0, le=255)] | None = None
    attempts: Annotated[list[EraseAttempt], Field(max_length=20)] = []


class TpmState(Record):
    """A TPM at a moment, by `tpm2_getcap`: which authorisations are set, and what persists of its owner.

    `owner_handles` are persistent objects of the owner (0x81000000 to 0x817fffff), `owner_nv` NV indices that were not
    made by the platform (TPM 2.0 library specification, part 3, TPM2_Clear). None is what could not be read.
    """

    at: UtcDatetime
    owner_auth: bool | None
    endorsement_auth: bool | None
    lockout_auth: bool | None
    owner_handles: Annotated[int, Field(ge=0)] | None
    owner_nv: Annotated[int, Field(ge=0)] | None


class TpmEvidence(Record):
    """A TPM before and after it was cleared. `exit_status` is that of `tpm2_clear`, None where it was not run."""

    manufacturer: Word | None = None
    before: TpmState | None
    after: TpmState | None
    exit_status: int | None
    tool_version: Word | None = None


class Person(Record):
    """Somebody who did or checked it (NIST SP 800-88r2, section 4.6)."""

    name: Word
    title: Word
    organisation: Word | None = None
    location: Word
    contact: Word
    at: UtcDatetime


class DestructionTechnique(StrEnum):
    """How media are destroyed (NIST SP 800-88r2, section 3.1.3)."""

    SHRED = "shred"
    DISINTEGRATE = "disintegrate"
    PULVERISE = "pulverise"
    MELT = "melt"
    INCINERATE = "incinerate"


class Destruction(Record):
    """That somebody saw a drive destroyed: how, with what, how small the largest piece is (in mm)."""

    serial: Word
    technique: DestructionTechnique
    tool: Word
    largest_mm: Annotated[float, Field(gt=0, le=1000)] | None = None
    performed_by: Person
    witnessed_by: Person


FileRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=120)]


class RecordRef(Record):
    """A document that tells how it went, by its name and digest."""

    name: FileRef
    sha256: Sha256Hex


class SanitisationRecord(Record):
    """All that is known of the retirement of a machine's media: what is judged, and what a certificate says.

    `classification` is that before, `classification_after` that after. `backup` says whether data were kept, and
    where. `identity_checked` names what the machine's identity was held against, as the receipt.
    """

    record_schema: Annotated[Literal["sparkctl.sanitisation-record/1"], Field(alias="schema")] = (
        "sparkctl.sanitisation-record/1"
    )
    node_id: NodeId
    machine_serial: Word
    machine_model: Word
    property_number: Word | None
    source: Word
    classification: Word
    classification_after: Word
    backup: Text
    destination: Text
    identity_checked: Text
    drives: Annotated[list[Drive], Field(min_length=1, max_length=32)]
    tpm: TpmEvidence | None
    destroyed: Annotated[list[Destruction], Field(max_length=32)] = []
    performed_by: Person
    verified_by: Person
    validated_by: Person
    records: Annotated[list[RecordRef], Field(max_length=200)] = []
    simulated: bool = False


class Judgement(Record):
    """What an erase comes to and why. `remains` is what may still be done, in this order; empty when all is done."""

    outcome: SanitiseOutcome
    technique: Technique | None
    reasons: Annotated[list[Text], Field(min_length=1, max_length=50)]
    remains: list[Technique]


class DriveJudgement(Record):
    """A drive, what it comes to, and each attempt for itself."""

    device: Word
    serial: Word
    judgement: Judgement
    attempts: list[Judgement]


class SanitisationJudgement(Record):
    """A machine: it is sanitised when every drive is purged or destroyed, and its TPM is cleared or there is none."""

    judgement_schema: Annotated[Literal["sparkctl.sanitisation-judgement/1"], Field(alias="schema")] = (
        "sparkctl.sanitisation-judgement/1"
    )
    node_id: NodeId
    sanitised: bool
    method: Method | None
    drives: list[DriveJudgement]
    tpm: SanitiseOutcome | None
    tpm_reasons: list[Text]
    to_destroy: list[Word]
