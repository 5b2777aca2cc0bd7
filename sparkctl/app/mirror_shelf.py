"""The shelf of a mirror.yaml: held while a command works with it, and the documents of its snapshots."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sparkctl.airgap.held import held
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.airgap.mirrors.shelf import MAX_SNAPSHOT, Shelf, shared
from sparkctl.airgap.sources import files_of
from sparkctl.app.airgap_files import parsed, read_bounded, told
from sparkctl.app.mirror_file import MirrorFile
from sparkctl.app.mirror_kinds.catalogue import KINDS
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror import SNAPSHOT, Served, Snapshot
from sparkctl.model.printable import printable


@contextlib.contextmanager
def opened(file: MirrorFile) -> Iterator[Shelf]:
    """The shelf of a file, held while the block lasts; raises BusyError when somebody else has it, UsageError."""
    with told(file.folder):
        shared(file.folder)
        with held(file.folder, f"another command of `sparkctl airgap mirror` works with {file.folder}"):
            yield Shelf(file.folder)


def newest(shelf: Shelf, mirror: str) -> Snapshot | None:
    """The newest snapshot of a mirror; raises UsageError where its document is damaged."""
    stamps = shelf.stamps(mirror)
    return snapshot_of(shelf, mirror, stamps[-1]) if stamps else None


def snapshot_of(shelf: Shelf, mirror: str, stamp: str) -> Snapshot:
    """The document of a snapshot; raises UsageError where it is damaged, or is that of another one."""
    path = shelf.place(mirror, stamp) / SNAPSHOT
    if not path.is_file():
        raise UsageError(
            f"{mirror}/{stamp} is damaged: there is no {path}", hint="remove that folder, and sync or take it again"
        )
    found = parsed(Snapshot, read_bounded(path, MAX_SNAPSHOT), str(path))
    if (found.mirror, found.stamp) != (mirror, stamp):
        raise UsageError(f"{path} is the document of {found.name}", hint="remove that folder, and sync again")
    return found


def named(shelf: Shelf, name: str) -> Snapshot:
    """The snapshot MIRROR/STAMP, or the newest of MIRROR; raises UsageError where there is none."""
    mirror, slash, stamp = name.partition("/")
    stamps = shelf.stamps(mirror) if mirror in shelf.mirrors() else []
    if not stamps:
        known = ", ".join(shelf.mirrors())
        hint = f"there are some of: {known}" if known else "sync on the near side, or take one on the far side"
        raise UsageError(f"there is no snapshot of {printable(name, 80)!r}", hint=hint)
    if slash and stamp not in stamps:
        raise UsageError(
            f"there is no snapshot {printable(stamp, 40)!r} of {mirror}", hint=f"the newest is {stamps[-1]}"
        )
    return snapshot_of(shelf, mirror, stamp if slash else stamps[-1])


def files_to_pack(shelf: Shelf, ring: str | None) -> dict[str, Path]:
    """The files of the newest snapshot of each mirror, or of those that a ring has, by their path in a bundle.

    Raises UsageError where there are none, or what is there is no plain file.
    """
    if ring is None:
        chosen = {mirror: shelf.stamps(mirror)[-1] for mirror in shelf.mirrors() if shelf.stamps(mirror)}
    else:
        chosen = shelf.rings().get(ring, {})
    if not chosen:
        if ring is None:
            raise UsageError(f"there is no snapshot in {shelf.folder}", hint="sync: sparkctl airgap mirror sync FILE")
        known = ", ".join(name for name, has in shelf.rings().items() if has) or "none"
        raise UsageError(
            f"there is no snapshot in the ring {printable(ring, 60)}",
            hint=f"rings with snapshots: {known}; without --ring the newest are packed",
        )
    return {
        f"{mirror}/{stamp}/{path}": place
        for mirror, stamp in chosen.items()
        for path, place in files_of(shelf.place(mirror, stamp)).items()
    }


def require_holds(shelf: Shelf, snapshot: Snapshot) -> None:
    """Prove a snapshot as it lies there, as if a stranger had brought it.

    Raises UsageError for a file that is not what it was, RefusedError where a signature does not hold, or where what is
    proven is not what its document says.
    """
    place = shelf.place(snapshot.mirror, snapshot.stamp)
    try:
        require_told(snapshot, prove(snapshot.served, place, snapshot.name), str(place / SNAPSHOT))
    except (
        UsageError,
        RefusedError,
        OSError,
    ) as error:  # the proof has read every file; only now one is looked for by name
        damaged = next(shelf.damaged(snapshot), None)
        if damaged is None:
            raise
        raise UsageError(
            f"{snapshot.name} is damaged: {damaged}", hint="remove that snapshot, and sync or take again"
        ) from error


def prove(served: Served, folder: Path, named: str) -> Proven:
    """Verify a folder by what is said of it; raises UsageError, RefusedError, also for words that make no sense."""
    try:
        return KINDS[served.kind].prove(served, folder)
    except ValueError as error:  # a key that is none, a suite that leads elsewhere
        raise RefusedError(
            f"{named} cannot be proven: what is said of it makes no sense", hint="do not use it"
        ) from error


def require_told(snapshot: Snapshot, proven: Proven, named: str) -> None:
    """Raise RefusedError where the document of a snapshot says something else than is proven beside it.

    Times count as much as files: by them it is known that something goes back, or is too old for clients. The near side
    may have noted more of them, of what it does not carry.
    """
    times = {what: snapshot.dated.get(what) for what in proven.dated}
    wrong = [
        what
        for what, same in (
            ("its files", list(proven.files) == snapshot.files),
            ("when it was signed", times == dict(proven.dated)),
            ("until when it is signed", proven.valid_until == snapshot.valid_until),
        )
        if not same
    ]
    if wrong:
        raise RefusedError(
            f"{named} does not say of {wrong[0]} what is proven beside it",
            hint="do not use it: somebody made it by hand",
        )
