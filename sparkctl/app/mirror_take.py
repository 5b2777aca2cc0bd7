"""On the far side: take the snapshots that a bundle brought onto the shelf, each proven again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparkctl.airgap.mirrors.shelf import MAX_SNAPSHOT, Shelf
from sparkctl.app.airgap_files import parsed, read_bounded
from sparkctl.app.mirror_kinds.catalogue import KINDS
from sparkctl.app.mirror_shelf import newest
from sparkctl.app.mirror_sync import require_newer
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror import SNAPSHOT, Snapshot


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot of a bundle, and what came of it: `taken`, `there` already, or `older` than what is here."""

    snapshot: Snapshot
    outcome: Literal["taken", "there", "older"]


def take(shelf: Shelf, tree: Path) -> Iterator[Taken]:
    """Take every snapshot below a folder, the oldest of a mirror first.

    Raises UsageError where there is none, or one is not whole; RefusedError for a signature that does not hold, and
    where the origin signed it before what is here.
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
        if snapshot.stamp in shelf.stamps(snapshot.mirror):
            yield Taken(snapshot, "there")
            continue
        older = newest(shelf, snapshot.mirror)
        if older is not None and older.stamp > snapshot.stamp:
            yield Taken(snapshot, "older")
            continue
        if older is not None:
            require_newer(snapshot, older)
        proven = KINDS[snapshot.served.kind].prove(snapshot.served, path.parent)
        if list(proven.files) != snapshot.files:
            raise RefusedError(
                f"{path} does not list the files that are proven beside it", hint="do not use it; pack it again"
            )
        shelf.put(snapshot, path.parent, older, share=True)
        yield Taken(snapshot, "taken")
