"""Time stamps of checkpoints by an authority outside (RFC 3161): everything under one was there by then."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.app.ledger_file import read_document
from sparkctl.atomic_file import replace_file
from sparkctl.errors import UsageError
from sparkctl.evidence.timestamps import request_for, stamped_at
from sparkctl.model.ledger_checkpoint import Checkpoint, CheckpointNote


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint, and when an authority saw it."""

    checkpoint: Checkpoint
    at: datetime


def write_request(note: Path, out: Path) -> Checkpoint:
    """Write a request over the checkpoint in a file; raises UsageError."""
    checkpoint = read_document(CheckpointNote, note).checkpoint
    try:
        replace_file(out, request_for(checkpoint.canonical), 0o644)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    return checkpoint


def verify_stamp(note: Path, response: Path, authorities: Path) -> Stamped:
    """When the checkpoint in a file was seen; raises RefusedError when the response does not say so."""
    checkpoint = read_document(CheckpointNote, note).checkpoint
    return Stamped(checkpoint, stamped_at(checkpoint.canonical, response, authorities))
