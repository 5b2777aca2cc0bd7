"""What a bundle of evidence says of itself: `spark-evidence/1`, as docs/evidence-format.md has it."""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, FailFast, Field, StringConstraints, model_validator

from sparkctl.model.base import PRINTABLE, NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Cost, Count, Limits, Truncation
from sparkctl.model.evidence_path import MANIFEST, EntryPath, bytewise, require_apart
from sparkctl.model.vocabulary import Elevation, Origin, UnknownReason

FORMAT: Final = "spark-evidence/1"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:sparkctl:spark-evidence:1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"

MAX_ENTRIES = 20_000
MAX_MISSING = 4000  # what a node's document may list, and what the bastion leaves out
MAX_BYTES = 2**30  # of all entries together
MAX_PROOF = 15  # steps from one of 20,000 leaves to the root
LATEST_YEAR = 2200  # a tar has eleven octal digits for a moment, which end in 2242


class EntryKind(StrEnum):
    """What an entry is for."""

    TREE = "tree"  # a part of the rooted tree that our programs read
    ARTEFACT = "artefact"  # something of the catalogue, for people
    JUDGED = "judged"  # what our own programs said of the tree
    REDACTION = "redaction"  # what was replaced before sealing
    SCHEMA = "schema"  # the JSON Schema of a document in the bundle


class EntryStatus(StrEnum):
    """How much of its source an entry holds."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"  # a limit cut it
    FAILED = "failed"  # the command ended badly; this is what it printed


Argument = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=4096)]


class CommandSource(Record):
    """The command that printed the entry, and how it ended; null when it was ended by a limit."""

    argv: Annotated[list[Argument], FailFast(), Field(min_length=1, max_length=1000)]
    exit_status: int | None = None


class PathSource(Record):
    """The file on the node that the entry was read from."""

    path: Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=1, max_length=4096)]


Source = CommandSource | PathSource


class EntryFacts(Record):
    """What whoever collected an entry knows of it. `source` is null for what was made on the bastion.

    `words` say what is not in it, or what the command complained of.
    """

    path: EntryPath
    kind: EntryKind
    media_type: Word = "application/octet-stream"
    status: EntryStatus = EntryStatus.COMPLETE
    source: Source | None = None
    truncation: Truncation | None = None
    words: Text | None = None


class Entry(EntryFacts):
    """A file in a bundle: `size` in bytes, its SHA-256, and a salt that keeps its leaf from being guessed."""

    size: Annotated[int, Field(ge=0, le=MAX_BYTES)]
    sha256: Sha256Hex
    salt: Sha256Hex


class Missing(Record):
    """Something that was wanted and was not collected."""

    name: Word
    reason: UnknownReason
    words: Text


def _require_representable(moment: UtcDatetime) -> UtcDatetime:
    if not 1970 <= moment.year <= LATEST_YEAR or moment.microsecond:
        raise ValueError(f"a whole second between 1970 and {LATEST_YEAR} is wanted")
    return moment


class About(Record):
    """Where a bundle comes from: which node (a pseudonym), when, by which program, and what it cost the node.

    The moment is the node's or the bastion's word, whichever collected: a whole second. `disclosed_to` is for whom the
    bundle was redacted again; it stands in no other bundle, not even as null.
    """

    node: NodeId
    collected_at: Annotated[UtcDatetime, AfterValidator(_require_representable)]
    tool: Word
    version: Word
    program_sha256: Sha256Hex | None
    elevation: Elevation
    origin: Origin
    simulated: bool
    limits: Limits
    spent: Cost
    disclosed_to: Annotated[Word | None, Field(exclude_if=lambda said: said is None)] = None


def _require_order(entries: list["Entry"]) -> list["Entry"]:
    paths = [bytewise(entry.path) for entry in entries]
    if any(first >= second for first, second in pairwise(paths)):
        raise ValueError("the entries are not sorted by the bytes of their paths, or one stands twice")
    require_apart(entry.path for entry in entries)
    if sum(entry.size for entry in entries) > MAX_BYTES:
        raise ValueError(f"the entries hold more than {MAX_BYTES // 2**30} GiB")
    return entries


class Manifest(Record):
    """`manifest.json`: all that is in a bundle, and all that was wanted and is not."""

    format: Literal["spark-evidence/1"] = FORMAT
    about: About
    entries: Annotated[
        list[Entry], FailFast(), Field(min_length=1, max_length=MAX_ENTRIES), AfterValidator(_require_order)
    ]
    missing: Annotated[list[Missing], FailFast(), Field(max_length=MAX_MISSING)]
    merkle_root: Sha256Hex


class Disclosed(Record):
    """An entry that was handed on, its number among the leaves, and the hashes that lead from it to the root."""

    entry: Entry
    index: Annotated[int, Field(ge=0, lt=MAX_ENTRIES)]
    proof: Annotated[list[Sha256Hex], FailFast(), Field(max_length=MAX_PROOF)]


def _require_places(entries: list[Disclosed]) -> list[Disclosed]:
    indices = [each.index for each in entries]
    if any(first >= second for first, second in pairwise(indices)):
        raise ValueError("the entries are not in the order of their leaves")
    _require_order([each.entry for each in entries])
    return entries


class Disclosure(Record):
    """`disclosure.json`, in the place of the manifest: some entries of a bundle with proofs that they are of it."""

    format: Literal["spark-evidence/1 disclosure"] = "spark-evidence/1 disclosure"
    leaves: Annotated[int, Field(ge=1, le=MAX_ENTRIES)]
    entries: Annotated[
        list[Disclosed], FailFast(), Field(min_length=1, max_length=MAX_ENTRIES), AfterValidator(_require_places)
    ]

    @model_validator(mode="after")
    def _within(self) -> "Disclosure":
        if self.entries[-1].index >= self.leaves:
            raise ValueError("an entry stands beyond the last leaf")
        return self


class Digest(Record):
    """A digest as in-toto writes it."""

    sha256: Sha256Hex


class Subject(Record):
    """What a statement is about."""

    name: Literal["manifest.json"] = MANIFEST
    digest: Digest


class Predicate(Record):
    """What is signed besides the manifest's digest, so that a part of the bundle can stand on it, too.

    It counts and adds up nothing that would tell the size of an entry which is withheld.
    """

    format: Literal["spark-evidence/1"] = FORMAT
    about: About
    merkle_root: Sha256Hex
    entries: Annotated[int, Field(ge=1, le=MAX_ENTRIES)]
    missing: Count


class Statement(Record):
    """An in-toto Statement v1 over the manifest of a bundle."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = STATEMENT_TYPE
    subject: Annotated[list[Subject], FailFast(), Field(min_length=1, max_length=1)]
    predicate_type: Annotated[Literal["urn:sparkctl:spark-evidence:1"], Field(alias="predicateType")] = PREDICATE_TYPE
    predicate: Predicate


Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=64 * 1024)]


class Signature(Record):
    """One signature over the payload of an envelope; `keyid` is the fingerprint of the key as OpenSSH writes it."""

    keyid: Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
    sig: Base64


class DsseEnvelope(Record):
    """`statement.dsse.json`: a DSSE envelope with one signature."""

    payload: Base64
    payload_type: Annotated[Literal["application/vnd.in-toto+json"], Field(alias="payloadType")] = PAYLOAD_TYPE
    signatures: Annotated[list[Signature], FailFast(), Field(min_length=1, max_length=1)]
