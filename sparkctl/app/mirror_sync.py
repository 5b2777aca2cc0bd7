"""Bring mirrors, prove every file of them, and put them on the shelf as dated snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from sparkctl.airgap.mirrors.kind import Fetched, Proven
from sparkctl.airgap.mirrors.shelf import Shelf, unchanged
from sparkctl.app.mirror_file import Mirrored
from sparkctl.app.mirror_shelf import newest, prove
from sparkctl.app.mirror_trust import changes_of_trust
from sparkctl.errors import RefusedError
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.mirror import MAX_SENTENCES, Snapshot, stamp_of
from sparkctl.model.printable import printable


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of a mirror; `fresh` is False when clients would get the same from the snapshot that is there.

    `trust` has a sentence for each key that vouches for it and did not for the snapshot before, and for each that did.
    """

    snapshot: Snapshot
    folder: Path
    fresh: bool
    trust: Sequence[str] = ()


def sync(shelf: Shelf, mirrored: Mirrored, now: datetime) -> Synced:
    """Bring one mirror; raises UsageError, RefusedError where a signature does not hold, and then nothing is kept."""
    work = shelf.work(mirrored.name)
    work.mkdir(parents=True, exist_ok=True)
    fetched = mirrored.kind.fetch(mirrored.spec, work)
    proven = prove(fetched.served, fetched.folder, mirrored.name)
    snapshot = _noted(mirrored, fetched, proven, now)
    older = newest(shelf, mirrored.name)
    if older is not None and unchanged(snapshot, older, fetched.signed_here):
        return Synced(older, shelf.place(older.mirror, older.stamp), fresh=False)
    if older is not None:
        require_newer(snapshot, older)
    return Synced(snapshot, shelf.put(snapshot, fetched.folder, older), True, changes_of_trust(snapshot, older))


def _noted(mirrored: Mirrored, fetched: Fetched, proven: Proven, now: datetime) -> Snapshot:
    """The document of a snapshot; raises RefusedError where what was proven cannot be a snapshot."""
    try:
        return Snapshot(
            mirror=mirrored.name,
            stamp=stamp_of(now),
            taken_at=now,
            origin=mirrored.kind.origin(mirrored.spec),
            made_with=list(fetched.made_with),
            proven_by=_sentences(proven.proven_by),
            counts=dict(proven.counts),
            left_out=_sentences([*fetched.left_out, *proven.left_out]),
            valid_until=proven.valid_until,
            dated={**fetched.dated, **proven.dated},
            served=fetched.served,
            files=list(proven.files),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise RefusedError(
            f"what {mirrored.name} has cannot be kept as it is: {printable(first['msg'], 300)}",
            hint="no sound origin has that; do not use it",
        ) from error


def _sentences(told: Sequence[str]) -> list[str]:
    return [printable(sentence, MAX_TEXT) for sentence in told[:MAX_SENTENCES]]


def require_newer(snapshot: Snapshot, older: Snapshot) -> None:
    """Raise RefusedError where the origin shows what it had before, or our clock goes back."""
    for what, moment in snapshot.dated.items():
        if what in older.dated and moment < older.dated[what]:
            raise RefusedError(
                f"{what} of {snapshot.mirror} is of {moment:%Y-%m-%d %H:%M} UTC, older than in {older.name}",
                hint="somebody shows an old state of it, in which holes are open that were closed since",
            )
    if older.stamp >= snapshot.stamp:
        raise RefusedError(
            f"{older.name} is not older than {snapshot.stamp}",
            hint="snapshots are ordered by their time: is the clock right?",
        )
