"""The notes of a recording: one read that a program made on a node, and what came of it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from sparkctl.model.base import MAX_INTEGER, Record

NodePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=1000)]
Bytes = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class Raised(Record):
    """What a read raised, as `diag/nodekit/recording.py` puts it in words."""

    kind: Literal["OSError", "PermissionError", "TimeoutError", "MissingTool", "Hung"]
    words: Annotated[str, StringConstraints(max_length=1000)]
    errno: Annotated[int, Field(ge=1, le=4095)] | None = None


class MachineNote(Record):
    """The machine as a whole: its clock (seconds since the epoch), the rights there, how many ends are recorded."""

    op: Literal["machine"]
    live: bool
    now: Annotated[float, Field(ge=0, lt=2.0**37)]
    euid: Bytes
    ends: Annotated[int, Field(ge=1, le=100)]


class ReadNote(Record):
    """A file, at most `limit` bytes of it: the first ones, or the last where `dropped` stand before them."""

    op: Literal["read"]
    path: NodePath
    limit: Bytes
    dropped: Bytes = 0
    text: str | None = None
    base64: str | None = None
    error: Raised | None = None


class LookNote(Record):
    """Whether something is there, what is in a folder, where a link leads, when a file was written, what it holds.

    Of a file's content (`digest`) the value is its SHA-256 in hexadecimal, and its size in bytes.
    """

    op: Literal["exists", "names", "link", "modified", "digest"]
    path: NodePath
    value: bool | float | str | list[str] | None = None
    error: Raised | None = None


class RunNote(Record):
    """A command and what it printed, at most `limit` bytes a stream, within `seconds`."""

    op: Literal["run"]
    argv: Annotated[list[str], Field(min_length=1, max_length=200)]
    elevate: bool
    limit: Bytes
    rc: int | None = None
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    seconds: Annotated[float, Field(ge=0, le=86400)] = 0.0
    error: Raised | None = None


Note = MachineNote | ReadNote | LookNote | RunNote
NOTE: TypeAdapter[Note] = TypeAdapter(Annotated[Note, Field(discriminator="op")])
