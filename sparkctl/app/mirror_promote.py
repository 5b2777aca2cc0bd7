"""Turn a ring of clients to another snapshot: first the one ring, after a soak the next."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from pydantic import ValidationError

from sparkctl.airgap.mirrors.shelf import PROMOTIONS, Shelf
from sparkctl.app.mirror_file import MirrorFile
from sparkctl.app.mirror_shelf import require_holds
from sparkctl.app.mirror_trust import require_same_trust
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.durations import told_age
from sparkctl.model.mirror import Promotion, Snapshot


def promotions(shelf: Shelf) -> list[Promotion]:
    """Every turn of a ring so far, the oldest first; raises UsageError where the file is damaged."""
    path = shelf.folder / PROMOTIONS
    found = []
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines[:-1], 1):  # what has no end was cut by a crash: its ring was not turned
        if not line:
            continue
        try:
            found.append(Promotion.model_validate_json(line))
        except ValidationError as error:
            raise UsageError(f"{path}:{number}: this is no turn of a ring", hint="restore it from a copy") from error
    return found


def promote(
    file: MirrorFile,
    shelf: Shelf,
    snapshot: Snapshot,
    ring: str,
    *,
    by: str,
    now: datetime,
    reason: str | None,
    new_trust: bool = False,
) -> Promotion | None:
    """Give the clients of a ring a snapshot, which is proven first; None where they have it already.

    Raises RefusedError for a snapshot that the ring before did not have for as long as the soak, unless a person gives
    a reason, and for one that others vouch for than for what the ring has, unless `new_trust`; UsageError for one that
    is damaged.
    """
    file.require_ring(ring)
    now_there = shelf.stamp_in(ring, snapshot.mirror)
    if now_there == snapshot.stamp:
        return None
    if reason is None:
        _require_order(file, shelf, snapshot, ring, now)
    if not new_trust:
        require_same_trust(shelf, snapshot, now_there)
    _require_valid(snapshot, now)
    require_holds(shelf, snapshot)
    turn = Promotion(
        at=now, by=by, ring=ring, mirror=snapshot.mirror, stamp=snapshot.stamp, instead_of=now_there, reason=reason
    )
    shelf.turn(turn)
    return turn


def _require_order(file: MirrorFile, shelf: Shelf, snapshot: Snapshot, ring: str, now: datetime) -> None:
    """Raise RefusedError unless the ring had this snapshot before, or the ring before has had it for the soak."""
    position = file.rings.index(ring)
    if position == 0:
        return
    turns = promotions(shelf)
    if any(_stays(shelf, turns, snapshot, ring, now)):
        return
    before = file.rings[position - 1]
    stays = list(_stays(shelf, turns, snapshot, before, now))
    if not stays:
        raise RefusedError(
            f"the ring {before} never had {snapshot.name}",
            hint=f"promote it there first, or give a --reason to go past {before}",
        )
    soak = timedelta(seconds=file.soak)
    if any(end - start >= soak for start, end in stays):
        return
    start, end = stays[-1]
    if end != now:
        raise RefusedError(
            f"the ring {before} was taken off {snapshot.name} at {end:%Y-%m-%d %H:%M} UTC, before the soak of"
            f" {told_age(file.soak)} ended",
            hint="was something wrong with it? If not, promote it there once more, or give a --reason",
        )
    raise RefusedError(
        f"the ring {before} has {snapshot.name} since {start:%Y-%m-%d %H:%M} UTC, and the soak is"
        f" {told_age(file.soak)}",
        hint=f"promote it from {start + soak:%Y-%m-%d %H:%M:%S} UTC on, or give a --reason",
    )


def _stays(
    shelf: Shelf, turns: Sequence[Promotion], snapshot: Snapshot, ring: str, now: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """From when to when a ring had a snapshot, the last time perhaps until now.

    A turn is noted before it is made: one that was noted twice, or that the ring does not show, was not made.
    """
    ours = [turn for turn in turns if (turn.ring, turn.mirror) == (ring, snapshot.mirror)]
    for turn, after in zip_longest(ours, ours[1:]):
        stamp_after = after.stamp if after else None
        if turn.stamp == snapshot.stamp != stamp_after and (after or shelf.stamp_in(ring, turn.mirror) == turn.stamp):
            yield turn.at, after.at if after else now


def _require_valid(snapshot: Snapshot, now: datetime) -> None:
    if snapshot.valid_until is not None and snapshot.valid_until <= now:
        raise RefusedError(
            f"clients refuse {snapshot.name} since {snapshot.valid_until:%Y-%m-%d %H:%M} UTC: its owner signed it no"
            " longer than that",
            hint="sync again and carry a newer one; `sign_with` signs an archive again without such an end",
        )


def lasting(text: str) -> str:
    """A reason that can be kept; raises UsageError."""
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{3,400}", text):
        raise UsageError("a --reason is one printable line of 3 to 400 characters")
    return text
