"""Rings: what a ring may get, by what the ring before it had, whatever was noted, withdrawn, or cut by a crash."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors.shelf import PROMOTIONS, Shelf
from sparkctl.app.mirror_file import mirror_file
from sparkctl.app.mirror_promote import promote, promotions
from sparkctl.app.mirror_shelf import named
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.canonical import canonical_json
from sparkctl.model.mirror import Promotion
from tests.support.snapshots import put_wheels

DAY = timedelta(days=1)
START = datetime(2026, 12, 1, tzinfo=UTC)


class Rings:
    """Two snapshots of one mirror and two rings, with a soak of three days."""

    def __init__(self, top: Path) -> None:
        path = top / "mirror.yaml"
        path.write_text("{version: 1, folder: mirror, rings: [canary, fleet], soak: 3d}")
        self.file = mirror_file(path)
        self.shelf = Shelf(self.file.folder)
        self.older, self.newer = (put_wheels(self.shelf, top / "made", START - days * DAY) for days in (2, 1))

    def promote(self, name: str, ring: str, days: float, reason: str | None = None) -> Promotion | None:
        now = START + days * DAY
        return promote(self.file, self.shelf, named(self.shelf, name), ring, by="ops", now=now, reason=reason)


@pytest.fixture
def rings(tmp_path: Path) -> Rings:
    return Rings(tmp_path)


def test_a_ring_gets_what_the_ring_before_it_had_for_the_soak(rings: Rings) -> None:
    with pytest.raises(RefusedError, match="the ring canary never had"):
        rings.promote(rings.newer, "fleet", 0)
    assert rings.promote(rings.newer, "canary", 0)
    with pytest.raises(RefusedError, match="and the soak is 3 d") as caught:
        rings.promote(rings.newer, "fleet", 1)
    assert caught.value.hint == "promote it from 2026-12-04 00:00:00 UTC on, or give a --reason"
    assert rings.promote(rings.newer, "fleet", 3)


def test_what_the_ring_before_was_taken_off_early_goes_no_further(rings: Rings) -> None:
    """Days alone would let it through: something was wrong with it."""
    rings.promote(rings.older, "canary", 0)
    rings.promote(rings.newer, "canary", 4)
    rings.promote(rings.older, "canary", 5)
    with pytest.raises(RefusedError, match="was taken off wheels/20261130T000000Z at 2026-12-06 00:00 UTC, before"):
        rings.promote(rings.newer, "fleet", 30)
    assert rings.promote(rings.older, "fleet", 5)  # four days, until the newer one came
    assert rings.promote(rings.newer, "fleet", 30, "it was the cable")


def test_no_ring_gets_what_is_damaged_or_has_ended(rings: Rings) -> None:
    path = rings.shelf.place("wheels", "20261130T000000Z") / "snapshot.json"
    whole = json.loads(path.read_bytes())
    path.chmod(0o644)
    path.write_bytes(canonical_json(whole | {"valid_until": "2026-12-02T00:00:00Z"}))
    with pytest.raises(RefusedError, match="clients refuse wheels/20261130T000000Z since 2026-12-02 00:00 UTC"):
        rings.promote(rings.newer, "canary", 1, "nobody waits")
    path.write_bytes(canonical_json(whole))
    page = path.with_name("requirements.txt")
    page.chmod(0o644)
    page.write_text("thing @ https://evil.example\n")
    with pytest.raises(UsageError, match=r"is damaged: requirements\.txt is not what it was"):
        rings.promote(rings.newer, "canary", 1, "nobody waits")
    assert rings.shelf.rings() == {}


def test_a_turn_that_was_noted_and_not_made_is_no_soak(rings: Rings) -> None:
    rings.promote(rings.newer, "canary", 0)
    (rings.shelf.folder / "rings/canary/wheels").unlink()  # as after a crash between the note and the link
    with pytest.raises(RefusedError, match="the ring canary never had"):
        rings.promote(rings.newer, "fleet", 30)
    rings.promote(rings.newer, "canary", 30)
    with pytest.raises(RefusedError, match="since 2026-12-31 00:00 UTC, and the soak"):
        rings.promote(rings.newer, "fleet", 31)


def test_a_note_that_a_crash_cut_takes_no_other_with_it(rings: Rings) -> None:
    rings.promote(rings.older, "canary", 0)
    path = rings.shelf.folder / PROMOTIONS
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-1])  # all but its end
    assert len(promotions(rings.shelf)) == 1
    path.write_bytes(whole + whole[:40])
    rings.promote(rings.newer, "canary", 1)
    assert [turn.stamp for turn in promotions(rings.shelf)] == ["20261129T000000Z", "20261130T000000Z"]
