"""Who vouches for a mirror, and whether that is somebody else than before.

A snapshot carries the keys by which it is proven. The people who sign a bundle vouch for them; still, whoever once gets
such a bundle made could sign all that clients install from then on. So it is not done in passing.
"""

from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.app.mirror_kinds.catalogue import KINDS
from sparkctl.app.mirror_shelf import snapshot_of
from sparkctl.errors import RefusedError
from sparkctl.model.mirror import SNAPSHOT, Snapshot

_SHOWN = 6


def changes_of_trust(snapshot: Snapshot, older: Snapshot | None) -> list[str]:
    """A sentence for each key that vouches for a snapshot and did not for an older one, and for each that did."""
    if older is None:
        return []
    if snapshot.served.kind != older.served.kind:
        return [f"of the kind {snapshot.served.kind}, where {older.name} is of {older.served.kind}"]
    now, before = (KINDS[one.served.kind].vouchers(one.served) for one in (snapshot, older))
    return [
        *(f"vouched for by {one}, which {older.name} was not" for one in now if one not in before),
        *(f"no longer vouched for by {one}, as {older.name} was" for one in before if one not in now),
    ]


def require_same_trust(shelf: Shelf, snapshot: Snapshot, stamp: str | None) -> None:
    """Raise RefusedError where others vouch for a snapshot than for the one that a ring has, or nobody can tell."""
    if stamp is None:
        return
    if not (shelf.place(snapshot.mirror, stamp) / SNAPSHOT).is_file():
        raise RefusedError(f"what the ring has, {snapshot.mirror}/{stamp}, is gone: who vouched for it?", hint=_HINT)
    changes = changes_of_trust(snapshot, snapshot_of(shelf, snapshot.mirror, stamp))
    if changes:
        more = f"; and {len(changes) - _SHOWN:,} more" if len(changes) > _SHOWN else ""
        raise RefusedError(f"{snapshot.name} is {'; it is '.join(changes[:_SHOWN])}{more}", hint=_HINT)


_HINT = (
    "compare with what the owner publishes, got otherwise; then --new-trust with a --reason, and give clients of the"
    " ring new files: sparkctl airgap mirror client"
)
