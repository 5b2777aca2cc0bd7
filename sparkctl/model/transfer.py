"""What crosses an air gap in files: the manifest of a bundle, what the far side has, and its receipt."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import AfterValidator, FailFast, Field, StringConstraints, model_validator

from sparkctl.model.base import Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.evidence_path import MAX_PATH, bytewise, relative_path

MAX_FILES = 200_000
MAX_PARTS = 9999
MAX_SIZE = 2**40  # bytes of one file
MAX_TOTAL = 2**44  # bytes of all files together
MAX_SEQUENCE = 99_999_999
MAX_SIGNERS = 32
DIGITS = 8  # of a sequence in a name

StreamName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""The name of a stream: bundles of one stream follow each other, and replace each other on the far side."""

Sequence = Annotated[int, Ge(1), Le(MAX_SEQUENCE)]
Size = Annotated[int, Ge(0), Le(MAX_SIZE)]
TransferPath = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH), AfterValidator(relative_path)]
"""A relative path with forward slashes that leads nowhere else."""


def _require_sorted(digests: list[str]) -> list[str]:
    if any(one >= other for one, other in pairwise(digests)):
        raise ValueError("digests are sorted, and each is there once")
    return digests


Digests = Annotated[
    list[Sha256Hex], FailFast(), Field(max_length=MAX_FILES), AfterValidator(_require_sorted)
]  # fmt: skip
"""Digests of contents, sorted, each once."""


class TransferFile(Record):
    """One file of what the far side has after the bundle was applied; `size` in bytes."""

    path: TransferPath
    size: Size
    sha256: Sha256Hex


class TransferPart(Record):
    """One file of compressed bytes on a medium; `size` in bytes."""

    name: Annotated[str, StringConstraints(pattern=r"^blobs\.tar\.zst\.[0-9]{4}$")]
    size: Annotated[int, Ge(1), Le(MAX_SIZE)]
    sha256: Sha256Hex


class TransferManifest(Record):
    """What a transfer bundle is: every file of the stream, which contents it carries, and in which parts."""

    schema_name: Annotated[Literal["sparkctl.transfer-manifest/1"], Field(alias="schema")] = (
        "sparkctl.transfer-manifest/1"
    )
    stream: StreamName
    sequence: Sequence
    delta_from: Annotated[int, Ge(0), Le(MAX_SEQUENCE)] | None
    """The sequence that the far side was at when it listed what it has; null when everything is carried."""
    created_at: UtcDatetime
    created_by: Word
    files: Annotated[list[TransferFile], FailFast(), Field(min_length=1, max_length=MAX_FILES)]
    carried: Digests
    parts: Annotated[list[TransferPart], FailFast(), Field(min_length=1, max_length=MAX_PARTS)]

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        require_beside([file.path for file in self.files])
        sizes = self.sizes
        if any(sizes[file.sha256] != file.size for file in self.files):
            raise ValueError("one content has two sizes")
        if sum(file.size for file in self.files) > MAX_TOTAL:
            raise ValueError(f"the files hold more than {MAX_TOTAL // 2**40} TiB")
        if not sizes.keys() >= set(self.carried):
            raise ValueError("a content is carried that no file has")
        if self.delta_from is None and len(self.carried) != len(sizes):
            raise ValueError("it is no delta, and does not carry everything")
        if self.delta_from is not None and self.delta_from >= self.sequence:
            raise ValueError("a delta comes after what it starts from")
        if [part.name for part in self.parts] != [part_name(number) for number in range(1, len(self.parts) + 1)]:
            raise ValueError("the parts are not numbered from 1")
        return self

    @property
    def sizes(self) -> dict[str, int]:
        """The size of each content, by its digest."""
        return {file.sha256: file.size for file in self.files}

    @property
    def name(self) -> str:
        """What the bundle is called."""
        return bundle_name(self.stream, self.sequence)


class HaveList(Record):
    """Contents that the far side has of a stream; `sequence` is 0 when nothing was applied yet."""

    schema_name: Annotated[Literal["sparkctl.transfer-have/1"], Field(alias="schema")] = "sparkctl.transfer-have/1"
    stream: StreamName
    sequence: Annotated[int, Ge(0), Le(MAX_SEQUENCE)]
    taken_at: UtcDatetime
    blobs: Digests


class ScanRecord(Record):
    """What a site's scan said of a bundle in quarantine."""

    schema_name: Annotated[Literal["sparkctl.transfer-scan/1"], Field(alias="schema")] = "sparkctl.transfer-scan/1"
    manifest_sha256: Sha256Hex
    command: Annotated[list[Text], Field(min_length=1, max_length=100)]
    exit_status: int
    started_at: UtcDatetime
    ended_at: UtcDatetime


class TransferReceipt(Record):
    """What the far side says back: what was applied, when, and by whom.

    `manifest_sha256` and `files_sha256` are the digests of these two files in the bundle; `bytes` is of all files.
    """

    schema_name: Annotated[Literal["sparkctl.transfer-receipt/1"], Field(alias="schema")] = (
        "sparkctl.transfer-receipt/1"
    )
    stream: StreamName
    sequence: Sequence
    manifest_sha256: Sha256Hex
    files_sha256: Sha256Hex
    files: Annotated[int, Ge(1), Le(MAX_FILES)]
    bytes: Annotated[int, Ge(0), Le(MAX_TOTAL)]
    signed_by: Annotated[list[Word], Field(min_length=1, max_length=MAX_SIGNERS)]
    scan: ScanRecord
    applied_at: UtcDatetime
    applied_by: Word


class StreamPosition(Record):
    """How far a stream is at one end: the last bundle that was packed, or applied."""

    schema_name: Annotated[Literal["sparkctl.transfer-position/1"], Field(alias="schema")] = (
        "sparkctl.transfer-position/1"
    )
    stream: StreamName
    sequence: Sequence
    manifest_sha256: Sha256Hex
    at: UtcDatetime


def part_name(number: int) -> str:
    """The name of a part, from 1."""
    return f"blobs.tar.zst.{number:04}"


def bundle_name(stream: str, sequence: int) -> str:
    """The name of a bundle, and of the folder that holds it."""
    return f"{stream}-{sequence:0{DIGITS}}"


def require_beside(paths: list[str]) -> None:
    """Raise ValueError unless paths are sorted, each once, and none is a file and a folder at once."""
    files = set(paths)
    if len(files) != len(paths) or sorted(paths, key=bytewise) != paths:
        raise ValueError("paths are sorted by their bytes, and each is there once")
    for path in paths:
        parts = path.split("/")
        if any("/".join(parts[:count]) in files for count in range(1, len(parts))):
            raise ValueError(f"a path is below a file: {path}")
