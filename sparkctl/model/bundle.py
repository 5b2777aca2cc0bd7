"""The document at the end of a collection: which entries the node sent, how whole each is, what it could not take."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sparkctl.model.base import DottedCode, Record, Sha256Hex, Text, Word
from sparkctl.model.envelope import Count, Envelope
from sparkctl.model.vocabulary import TakenStatus, UnknownReason

EntryName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+(/[A-Za-z0-9@%+=:,._ -]{1,200}){1,4}$", max_length=400)
]
"""Where an artefact lies below `artefacts/`."""

ContentKind = Literal["text", "json", "journal_json", "nul", "binary", "archive"]
"""How the content of an artefact is to be redacted; an archive is unpacked before."""


class Sent(Record):
    """What was sent under one number of the stream: bytes, their digest where the job came to its end, milliseconds.

    `reason` and `words` say why it is not whole, or what the command complained of; `exit_status` is told when not 0.
    """

    status: TakenStatus = TakenStatus.MISSING
    reason: UnknownReason | None = None
    words: Text | None = None
    exit_status: int | None = None
    bytes: Count
    sha256: Sha256Hex | None = None
    wall_ms: Count

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.status is TakenStatus.MISSING and self.reason is None:
            raise ValueError("what is missing needs a reason")
        return self


class RecordedTask(Sent):
    """The reads of one task of our own programs."""

    name: Word


class Source(Record):
    """Where an artefact comes from: a command or a file."""

    argv: Annotated[list[Text], Field(min_length=1, max_length=60)] | None = None
    path: Text | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.argv is None) == (self.path is None):
            raise ValueError("an artefact comes from a command or from a file")
        return self


class Artefact(Sent):
    """One entry of the L2 catalogue."""

    name: EntryName
    collector: DottedCode
    source: Source
    kind: ContentKind


class Listing(Record):
    """A collector that could not list what there is to take, or found more than it may take."""

    collector: DottedCode
    left_out: Count
    reason: UnknownReason | None
    words: Text | None


class BundleData(Record):
    """The entries in the order of their numbers in the stream: the recording first, then the artefacts."""

    recording: Annotated[list[RecordedTask], Field(min_length=1, max_length=500)]
    artefacts: Annotated[list[Artefact], Field(max_length=2000)]
    listing: Annotated[list[Listing], Field(max_length=200)]

    @model_validator(mode="after")
    def _has_distinct_names(self) -> Self:
        names = [artefact.name.casefold() for artefact in self.artefacts]
        if len(set(names)) != len(names):
            raise ValueError("two artefacts have the same name")
        return self

    @property
    def entries(self) -> list[Sent]:
        """What was sent, by number."""
        return [*self.recording, *self.artefacts]


class BundleEnvelope(Envelope[BundleData]):
    """The envelope of `spark_diagctl bundle`."""
