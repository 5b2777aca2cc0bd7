"""On the far side: take the snapshots that a bundle brought onto the shelf, each proven again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sparkctl.airgap.mirrors.shelf import MAX_SNAPSHOT, Shelf
from sparkctl.app.airgap_files import parsed, read_bounded
from sparkctl.app.mirror_shelf import newest, prove, require_told, snapshot_of
from sparkctl.app.mirror_sync import require_newer
from sparkctl.app.mirror_trust import changes_of_trust
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror import SNAPSHOT, Snapshot, stamp_of

_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot of a bundle, and what came of it: `taken`, `there` already, or `older` than what is here.

    `trust` has a sentence for each key that vouches for it and did not for the newest that is here, and for each that
    did.
    """

    snapshot: Snapshot
    outcome: Literal["taken", "there", "older"]
    trust: Sequence[str] = ()


def take(shelf: Shelf, tree: Path, now: datetime) -> Iterator[Taken]:
    """Take every snapshot below a folder, the oldest of a mirror first.

    Raises UsageError where there is none, or one is not whole; RefusedError for a signature that does not hold, and
    where the origin signed it before what is here, where another of its name is here, and for one of tomorrow.
    """
    found = sorted(tree.glob(f"*/*/{SNAPSHOT}"))
    if not found:
        raise UsageError(
            f"there is no snapshot in {tree}",
            hint="name `current` in the folder of the stream to which `sparkctl airgap apply` applied the bundle",
        )
    for path in found:
        snapshot = parsed(Snapshot, read_bounded(path, MAX_SNAPSHOT), str(path))
        if path.parent.relative_to(tree).as_posix() != snapshot.name:
            raise RefusedError(f"{path} says that it is {snapshot.name}", hint="do not use it")
        _require_of_now(snapshot, path, now)
        if snapshot.stamp in shelf.stamps(snapshot.mirror):
            _require_same(snapshot, snapshot_of(shelf, snapshot.mirror, snapshot.stamp), path)
            yield Taken(snapshot, "there")
            continue
        older = newest(shelf, snapshot.mirror)
        if older is not None and older.stamp > snapshot.stamp:
            yield Taken(snapshot, "older")
            continue
        if older is not None:
            require_newer(snapshot, older)
        require_told(snapshot, prove(snapshot.served, path.parent, str(path)), str(path))
        shelf.put(snapshot, path.parent, older, share=True)
        yield Taken(snapshot, "taken", changes_of_trust(snapshot, older))


def _require_same(snapshot: Snapshot, here: Snapshot, path: Path) -> None:
    if snapshot != here:
        raise RefusedError(
            f"{path} is another {snapshot.name} than the one that is here",
            hint="a snapshot never changes: find out who made which of them",
        )


def _require_of_now(snapshot: Snapshot, path: Path, now: datetime) -> None:
    """Raise RefusedError for a snapshot of tomorrow: every later one would be older than it."""
    if snapshot.stamp != stamp_of(snapshot.taken_at):
        raise RefusedError(
            f"{path} is of {snapshot.taken_at:%Y-%m-%d %H:%M} UTC by its own words", hint="do not use it"
        )
    if snapshot.taken_at > now + _CLOCKS_DIFFER:
        raise RefusedError(
            f"{snapshot.name} is of the future: here it is {now:%Y-%m-%d %H:%M} UTC",
            hint="is the clock right, here and where it was synced?",
        )
