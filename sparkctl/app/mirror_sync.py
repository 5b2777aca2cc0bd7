"""Bring mirrors, prove every file of them, and put them on the shelf as dated snapshots."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.airgap.mirrors.shelf import MAX_SNAPSHOT, Shelf, unchanged
from sparkctl.app.airgap_files import parsed, read_bounded, told
from sparkctl.app.mirror_file import Mirrored, MirrorFile
from sparkctl.errors import BusyError, RefusedError, UsageError
from sparkctl.model.mirror import SNAPSHOT, Snapshot


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of a mirror; `fresh` is False when clients would get the same from the snapshot that is there."""

    snapshot: Snapshot
    folder: Path
    fresh: bool


@contextlib.contextmanager
def opened(file: MirrorFile) -> Iterator[Shelf]:
    """The shelf of a file, held while the block lasts; raises BusyError when somebody else has it, UsageError."""
    with told(file.folder):
        file.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise BusyError(
                f"another command of `sparkctl airgap mirror` works with {file.folder}", hint="wait for its end"
            ) from error
        try:
            yield Shelf(file.folder)
        finally:
            os.close(descriptor)


def sync(shelf: Shelf, mirrored: Mirrored, now: datetime) -> Synced:
    """Bring one mirror; raises UsageError, RefusedError where a signature does not hold, and then nothing is kept."""
    work = shelf.work(mirrored.name)
    work.mkdir(parents=True, exist_ok=True)
    fetched = mirrored.kind.fetch(mirrored.spec, work)
    proven = mirrored.kind.prove(fetched.served, fetched.folder)
    snapshot = Snapshot(
        mirror=mirrored.name,
        stamp=f"{now:%Y%m%dT%H%M%SZ}",
        taken_at=now,
        origin=mirrored.kind.origin(mirrored.spec),
        made_with=list(fetched.made_with),
        proven_by=list(proven.proven_by),
        counts=dict(proven.counts),
        left_out=list(proven.left_out),
        valid_until=proven.valid_until,
        dated=dict(proven.dated),
        served=fetched.served,
        files=list(proven.files),
    )
    older = newest(shelf, mirrored.name)
    if older is not None and unchanged(snapshot, older):
        return Synced(older, shelf.place(older.mirror, older.stamp), fresh=False)
    if older is not None:
        _require_newer(snapshot, older)
    return Synced(snapshot, shelf.put(snapshot, fetched.folder, older), fresh=True)


def _require_newer(snapshot: Snapshot, older: Snapshot) -> None:
    """Raise RefusedError where the origin shows what it had before, or our clock goes back."""
    for what, moment in snapshot.dated.items():
        if what in older.dated and moment < older.dated[what]:
            raise RefusedError(
                f"{what} of {snapshot.mirror} is of {moment:%Y-%m-%d %H:%M} UTC, older than in {older.name}",
                hint="somebody shows an old state of it, in which holes are open that were closed since",
            )
    if older.stamp >= snapshot.stamp:
        raise RefusedError(
            f"{older.name} is not older than now, {snapshot.stamp}",
            hint="snapshots are ordered by their time: is the clock right?",
        )


def newest(shelf: Shelf, mirror: str) -> Snapshot | None:
    """The newest snapshot of a mirror; raises UsageError where its document is damaged."""
    stamps = shelf.stamps(mirror)
    return snapshot_of(shelf, mirror, stamps[-1]) if stamps else None


def snapshot_of(shelf: Shelf, mirror: str, stamp: str) -> Snapshot:
    """The document of a snapshot; raises UsageError where it is damaged, or is that of another one."""
    path = shelf.place(mirror, stamp) / SNAPSHOT
    found = parsed(Snapshot, read_bounded(path, MAX_SNAPSHOT), str(path))
    if (found.mirror, found.stamp) != (mirror, stamp):
        raise UsageError(f"{path} is the document of {found.name}", hint="remove that folder, and sync again")
    return found
