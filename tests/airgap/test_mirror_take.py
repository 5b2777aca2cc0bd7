"""Snapshots that a bundle brought: what somebody wrote into the document of one by hand does not count."""

import errno
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.airgap.mirrors.kind import Fetched, Proven
from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.airgap.mirrors.wheel_proof import prove_wheels
from sparkctl.app.mirror_file import Mirrored
from sparkctl.app.mirror_kinds.wheels import Wheels
from sparkctl.app.mirror_prune import prune
from sparkctl.app.mirror_shelf import named, require_holds
from sparkctl.app.mirror_sync import require_newer, sync
from sparkctl.app.mirror_take import take
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.canonical import canonical_json
from sparkctl.model.mirror import Served
from sparkctl.model.mirror_apt import AptServed
from sparkctl.model.mirror_firmware import FirmwareServed
from sparkctl.model.mirror_wheels import WheelsServed
from sparkctl.model.transfer import TransferFile
from tests.support.snapshots import served_wheels, snapshot_of_wheels

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


@pytest.mark.parametrize(
    "served",
    [
        FirmwareServed(metadata="https://example.net/f.xml.gz", ca="x", trust="x", devices=[], own=[]),
        FirmwareServed(metadata="https://example.net/f.xml.gz", ca="\u0416", trust="x", devices=[], own=[]),
        AptServed(suites=["x/../noble"], components=["main"], architectures=["arm64"], key="\u0416"),
    ],
    ids=lambda served: served.kind,
)
def test_words_that_make_no_sense_are_refused_in_one_sentence(tmp_path: Path, served: Served) -> None:
    with pytest.raises(RefusedError, match=r"cannot be proven|is not one block of armour"):
        list(take(Shelf(tmp_path / "mirror"), tree(tmp_path, NOW, served=served), NOW))


def test_what_cannot_be_written_down_is_no_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs an archive may call a package as the document of a snapshot, or so that it steers a terminal."""
    served, shelf = served_wheels(tmp_path / "made"), Shelf(tmp_path / "mirror")
    proven = prove_wheels(served, tmp_path / "made")
    given = [proven]
    monkeypatch.setattr(Wheels, "fetch", lambda *_: Fetched(tmp_path / "made", served, []))
    monkeypatch.setattr(Wheels, "origin", lambda *_: ["https://example.net"])
    monkeypatch.setattr(Wheels, "prove", lambda *_: given[0])
    mirrored = Mirrored("wheels", "wheels", Wheels(), served)
    for path in ("snapshot.json", "wheels"):
        file = TransferFile(path=path, size=0, sha256="a" * 64)
        given[0] = replace(proven, files=sorted([*proven.files, file], key=lambda one: one.path.encode()))
        with pytest.raises(RefusedError, match="what wheels has cannot be kept as it is"):
            sync(shelf, mirrored, NOW)
    assert shelf.mirrors() == []
    given[0] = replace(proven, left_out=["a name\n\x1b[2J", "x" * 5000])
    kept = sync(shelf, mirrored, NOW).snapshot.left_out
    assert kept[0] == "a name\\u000a\\u001b[2J"
    assert len(kept[1]) == 1000


def test_a_file_that_somebody_may_write_is_not_shared_with_them(tmp_path: Path) -> None:
    """Writing it would change the snapshot that a ring has, after it was proven."""
    shelf, brought = Shelf(tmp_path / "mirror"), tree(tmp_path, NOW)
    lock, page = brought / "wheels/20261201T000000Z/requirements.txt", brought / "wheels/20261201T000000Z/simple"
    lock.chmod(0o444)
    list(take(shelf, brought, NOW))
    made = shelf.place("wheels", "20261201T000000Z")
    assert (made / "requirements.txt").stat().st_ino == lock.stat().st_ino
    assert (made / "simple/index.html").stat().st_ino != (page / "index.html").stat().st_ino
    assert (made / "simple/index.html").stat().st_mode & 0o777 == 0o444


def test_a_snapshot_that_was_not_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, brought = Shelf(tmp_path / "mirror"), tree(tmp_path, NOW)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sparkctl.airgap.mirrors.shelf.replace_file", full)
        with pytest.raises(OSError, match="No space left"):
            list(take(shelf, brought, NOW))
    assert list((shelf.folder / "snapshots/wheels").iterdir()) == []


def test_pruning_keeps_what_is_whole_and_clears_what_is_half(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    for days in (2, 1, 0):
        list(take(shelf, tree(tmp_path, NOW - days * DAY), NOW))
    (shelf.place("wheels", "20261201T000000Z") / "snapshot.json").unlink()
    for half in (".20261202T000000Z.new", ".20261101T000000Z.gone"):
        (shelf.folder / "snapshots/wheels" / half / "wheels").mkdir(parents=True)
    assert prune(shelf, 1) == ["wheels/20261129T000000Z"]
    assert sorted(path.name for path in (shelf.folder / "snapshots/wheels").iterdir()) == [
        "20261130T000000Z", "20261201T000000Z"
    ]  # fmt: skip
    with pytest.raises(UsageError, match="wheels/20261201T000000Z is damaged: there is no") as caught:
        named(shelf, "wheels")
    assert caught.value.hint == "remove that folder, and sync or take it again"


def test_what_the_origin_signed_before_what_is_here_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path / "mirror")
    list(take(shelf, tree(tmp_path, NOW - DAY), NOW))
    earlier = {"index": SIGNED["index"] - DAY}
    monkeypatch.setitem(SIGNED, "index", earlier["index"])
    with pytest.raises(RefusedError, match="index of wheels is of 2026-11-21 00:00 UTC, older than in wheels/20261130"):
        list(take(shelf, tree(tmp_path, NOW, dated=earlier), NOW))


def test_a_snapshot_that_lies_under_another_name_is_refused(tmp_path: Path) -> None:
    brought, shelf = tree(tmp_path, NOW), Shelf(tmp_path / "mirror")
    (brought / "wheels").rename(brought / "others")
    with pytest.raises(RefusedError, match="says that it is wheels/20261201T000000Z"):
        list(take(shelf, brought, NOW))
    (brought / "others").rename(brought / "wheels")
    list(take(shelf, brought, NOW))
    (shelf.folder / "snapshots/wheels").rename(shelf.folder / "snapshots/others")
    with pytest.raises(UsageError, match="is the document of wheels/20261201T000000Z"):
        named(shelf, "others")


def test_a_clock_that_goes_back_makes_no_snapshot(tmp_path: Path) -> None:
    made = snapshot_of_wheels(tmp_path / "made", NOW, {"dated": SIGNED})
    require_newer(made, snapshot_of_wheels(tmp_path / "made", NOW - DAY))
    for moment in (NOW, NOW + DAY):
        with pytest.raises(RefusedError, match="is not older than 20261201T000000Z"):
            require_newer(made, snapshot_of_wheels(tmp_path / "made", moment))


def test_a_file_that_changes_between_its_proof_and_its_copy_is_refused(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    made = snapshot_of_wheels(tmp_path / "made", NOW)
    (tmp_path / "made/requirements.txt").write_text("thing @ https://evil.example\n")
    with pytest.raises(UsageError, match="was changed after it was verified"):
        shelf.put(made, tmp_path / "made", None)
    assert shelf.stamps("wheels") == []


def test_damage_of_an_older_snapshot_does_not_go_on(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "mirror")
    list(take(shelf, tree(tmp_path, NOW - DAY), NOW))
    older = shelf.place("wheels", "20261130T000000Z") / "requirements.txt"
    older.chmod(0o644)
    older.write_text("thing @ https://evil.example\n")
    list(take(shelf, tree(tmp_path, NOW), NOW))
    require_holds(shelf, named(shelf, "wheels/20261201T000000Z"))
    with pytest.raises(UsageError, match=r"wheels/20261130T000000Z is damaged: requirements.txt is not what it was"):
        require_holds(shelf, named(shelf, "wheels/20261130T000000Z"))
