"""What a pack has written so far, line by line, so that one that was killed can go on."""

import os
from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from pydantic import ValidationError

from sparkctl.model.base import Record, Sha256Hex, UtcDatetime, Word
from sparkctl.model.transfer import TransferPart

JOURNAL = "parts.journal"
PLAN = "plan.json"


class PackPlan(Record):
    """What was to be packed: a pack goes on only where all of this is still so. `part_size` in bytes."""

    sequence: Annotated[int, Ge(1)]
    delta_from: int | None
    files_sha256: Sha256Hex
    carried_sha256: Sha256Hex
    part_size: int
    created_at: UtcDatetime
    created_by: Word


class Written(Record):
    """A part that is whole, and the byte of the tar at which it ends."""

    part: TransferPart
    end: Annotated[int, Ge(1)]


def noted(folder: Path, written: Written) -> None:
    """Add a line; it is on the disk when this returns. Raises OSError."""
    with (folder / JOURNAL).open("ab") as file:
        file.write(written.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_journal(folder: Path) -> list[Written]:
    """The lines that are whole, up to the first that is not; raises OSError."""
    path = folder / JOURNAL
    found: list[Written] = []
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            found.append(Written.model_validate_json(line))
        except ValidationError:
            break
    # What follows a torn line would be joined to it.
    path.write_bytes(b"".join(written.model_dump_json().encode() + b"\n" for written in found))
    return found
