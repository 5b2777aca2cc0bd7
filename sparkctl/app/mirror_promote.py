"""Turn a ring of clients to another snapshot: first the one ring, after a soak the next."""

import re
from datetime import datetime, timedelta

from pydantic import ValidationError

from sparkctl.airgap.mirrors.shelf import PROMOTIONS, Shelf
from sparkctl.app.mirror_file import MirrorFile
from sparkctl.app.mirror_shelf import require_holds
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.durations import told_age
from sparkctl.model.mirror import Promotion, Snapshot


def promotions(shelf: Shelf) -> list[Promotion]:
    """Every turn of a ring so far, the oldest first; raises UsageError where the file is damaged."""
    path = shelf.folder / PROMOTIONS
    found = []
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            found.append(Promotion.model_validate_json(line))
        except ValidationError as error:
            if number == len(lines):  # a crash while it was written: its ring was not turned
                continue
            raise UsageError(f"{path}:{number}: this is no turn of a ring", hint="restore it from a copy") from error
    return found


def promote(
    file: MirrorFile, shelf: Shelf, snapshot: Snapshot, ring: str, *, by: str, now: datetime, reason: str | None
) -> Promotion | None:
    """Give the clients of a ring a snapshot, which is proven first; None where they have it already.

    Raises RefusedError for a snapshot that the ring before did not have for as long as the soak, unless a person gives
    a reason, UsageError for one that is damaged.
    """
    if ring not in file.rings:
        raise UsageError(f"there is no ring {ring!r} in the file", hint=f"it has: {', '.join(file.rings)}")
    now_there = shelf.stamp_in(ring, snapshot.mirror)
    if now_there == snapshot.stamp:
        return None
    if reason is None:
        _require_order(file, promotions(shelf), snapshot, ring, now)
    _require_valid(snapshot, now)
    require_holds(shelf, snapshot)
    turn = Promotion(
        at=now, by=by, ring=ring, mirror=snapshot.mirror, stamp=snapshot.stamp, instead_of=now_there, reason=reason
    )
    shelf.turn(turn)
    return turn


def _require_order(file: MirrorFile, turns: list[Promotion], snapshot: Snapshot, ring: str, now: datetime) -> None:
    """Raise RefusedError unless the ring had this snapshot before, or the ring before has had it for the soak."""
    position = file.rings.index(ring)
    of_mirror = [turn for turn in turns if turn.mirror == snapshot.mirror and turn.stamp == snapshot.stamp]
    if position == 0 or any(turn.ring == ring for turn in of_mirror):
        return
    before = file.rings[position - 1]
    since = [turn.at for turn in of_mirror if turn.ring == before]
    if not since:
        raise RefusedError(
            f"the ring {before} never had {snapshot.name}",
            hint=f"promote it there first, or give a --reason to go past {before}",
        )
    end = since[0] + timedelta(seconds=file.soak)
    if now < end:
        raise RefusedError(
            f"the ring {before} has {snapshot.name} since {since[0]:%Y-%m-%d %H:%M} UTC, and the soak is"
            f" {told_age(file.soak)}",
            hint=f"promote it from {end:%Y-%m-%d %H:%M:%S} UTC on, or give a --reason",
        )


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
