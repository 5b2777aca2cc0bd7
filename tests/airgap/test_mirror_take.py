"""Snapshots that a bundle brought: what somebody wrote into the document of one by hand does not count."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.airgap.mirrors.wheel_proof import prove_wheels
from sparkctl.app.mirror_kinds.wheels import Wheels
from sparkctl.app.mirror_shelf import named, require_holds
from sparkctl.app.mirror_take import take
from sparkctl.errors import RefusedError
from sparkctl.model.canonical import canonical_json
from sparkctl.model.mirror_wheels import WheelsServed
from tests.support.snapshots import snapshot_of_wheels

NOW = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNED = {"index": NOW - 9 * DAY}


@pytest.fixture(autouse=True)
def signed_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the proof of wheels find times that somebody signed, as that of archives does."""

    def prove(_: Wheels, served: WheelsServed, folder: Path) -> Proven:
        return replace(prove_wheels(served, folder), dated=SIGNED, valid_until=NOW + DAY)

    monkeypatch.setattr(Wheels, "prove", prove)


def tree(top: Path, at: datetime, **more: Any) -> Path:
    """A tree with one snapshot, as a bundle leaves it."""
    fields = {"dated": SIGNED, "valid_until": NOW + DAY, **more}
    made = snapshot_of_wheels(top / "made", at, fields)
    place = top / "tree" / "wheels" / f"{at:%Y%m%dT%H%M%SZ}"
    shutil.rmtree(top / "tree", ignore_errors=True)
    shutil.copytree(top / "made", place)
    (place / "snapshot.json").write_bytes(canonical_json(made.model_dump(mode="json")))
    return top / "tree"


def test_a_snapshot_is_taken_and_is_there_then(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    of_today = tree(tmp_path, NOW, dated={**SIGNED, "what the near side saw": NOW})
    assert [one.outcome for one in take(shelf, of_today, NOW)] == ["taken"]
    assert [one.outcome for one in take(shelf, of_today, NOW)] == ["there"]
    assert [one.outcome for one in take(shelf, tree(tmp_path, NOW - DAY), NOW)] == ["older"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"dated": {}}, "does not say of when it was signed what is proven beside it"),
        ({"dated": {"index": NOW}}, "does not say of when it was signed what is proven beside it"),
        ({"valid_until": None}, "does not say of until when it is signed what is proven beside it"),
        ({"valid_until": NOW + 9 * DAY}, "does not say of until when it is signed"),
        ({"taken_at": NOW - DAY}, "is of 2026-11-30 00:00 UTC by its own words"),
    ],
)
def test_times_that_nobody_signed_are_refused(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    """By such a document, an old state would pass for a newer one, and one that has ended for one that holds."""
    shelf = Shelf(tmp_path / "mirror")
    with pytest.raises(RefusedError, match=words):
        list(take(shelf, tree(tmp_path, NOW, **more), NOW))
    assert shelf.mirrors() == [] or shelf.stamps("wheels") == []


def test_a_document_that_was_changed_on_the_shelf_reaches_no_ring(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    shelf.put(snapshot_of_wheels(tmp_path / "made", NOW), tmp_path / "made", None)
    with pytest.raises(RefusedError, match="does not say of when it was signed"):
        require_holds(shelf, named(shelf, "wheels"))


def test_another_snapshot_of_the_same_name_is_not_there_already(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    list(take(shelf, tree(tmp_path, NOW), NOW))
    with pytest.raises(RefusedError, match="is another wheels/20261201T000000Z than the one that is here"):
        list(take(shelf, tree(tmp_path, NOW, made_with=["somebody else"]), NOW))


def test_a_snapshot_of_the_future_would_make_all_later_ones_old(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    with pytest.raises(RefusedError, match="is of the future: here it is 2026-12-01 00:00 UTC"):
        list(take(shelf, tree(tmp_path, NOW + 2 * DAY), NOW))
    assert [one.outcome for one in take(shelf, tree(tmp_path, NOW + DAY / 2), NOW)] == ["taken"]
