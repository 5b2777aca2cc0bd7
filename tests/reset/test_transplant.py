"""Evidence of another boot or of another machine binds to nothing here: no claim is made of it, none goes over."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from diag.reset.evidence import Report
from tests.reset.answers import Document, answer, boots_in, claims, excess, reports_of
from tests.reset.trees import (
    BERT,
    ENDS,
    boots_of,
    build_machine,
    copy_of,
    corpus_names,
    corpus_tree,
    machine_of,
    pstore_of,
    take_away,
    write,
    wtmp_of,
)
from tests.support.corpus import THOROUGH

HOSTS = ["reboot", "silent", "forced", "stuck", "panic"]  # machines that stale evidence is laid into
DOG = "sys/class/watchdog/watchdog0/bootstatus"
FOLDERS = ["var/log/journal", "cmd"]  # where a tree has journals
PANICS = ("panic", "crash_dump", "kernel_panic", "panic_record")


def lay_in(target: Path, source: Path, folder: str) -> None:
    """Copy a folder of one tree into another, beside what is there."""
    for path in sorted((source / folder).rglob("*")):
        if path.is_file():
            write(target / path.relative_to(source), path.read_bytes())


def of_panics(made: Document) -> list[tuple[str | None, str]]:
    """The boot and the place of every panic that was seen."""
    return [(one["boot_id"], one["locator"]) for one in made["observations"] if one["kind"] in PANICS]


@pytest.mark.parametrize("folder", ["var/lib/systemd/pstore", "sys/fs/pstore"])
@pytest.mark.parametrize("end", HOSTS)
def test_a_panic_of_another_machine_is_nobodys(end: str, folder: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end])
    before = answer(root)
    for name, text in pstore_of(boots_of(["panic"], name="another")[0]).items():
        write(root / folder / (name if "var" in folder else Path(name).name), text)
    after = answer(root)
    assert claims(after) == claims(before)
    foreign = [boot for boot, _ in of_panics(after) if boot is None]
    assert len(foreign) == 1
    stale = [one["kind"] for one in after["transitions"][0]["antecedents"]]
    assert stale.count("unbound_record") == 1


@pytest.mark.parametrize("age", [1, 2, 3])
def test_a_panic_of_an_older_boot_stays_with_that_boot(age: int, tmp_path: Path) -> None:
    ends = ["panic", *["silent"] * (age - 1), "reboot"]
    root = build_machine(tmp_path / "tree", ends)
    after = answer(root)
    assert claims(after) == [ENDS[end].claims for end in reversed(ends)]
    assert {boot for boot, _ in of_panics(after)} == {boots_of(ends)[0].boot_id}


@pytest.mark.parametrize("end", ["silent", "reboot"])
def test_a_panic_of_a_boot_that_was_vacuumed_away_is_nobodys(end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["panic", end])
    take_away(root, "cmd/journal-2.json")
    after = answer(root)
    assert claims(after)[0] == ENDS[end].claims
    assert {boot for boot, _ in of_panics(after)} == {None}


def test_a_panic_whose_lines_are_of_a_coarse_clock_binds_nothing(tmp_path: Path) -> None:
    """Lines at a whole millisecond, of which the next boot may print the same at the same tick."""
    root = build_machine(tmp_path / "tree", ["reboot", "silent"])
    for path in (root / "cmd").glob("journal*.json"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for number, row in enumerate(row for row in rows if "probe" in row["MESSAGE"]):
            row["_SOURCE_MONOTONIC_TIMESTAMP"] = str((number + 1) * 4000)
        write(path, "".join(f"{json.dumps(row)}\n" for row in rows))
    lines = [f"<6>[    0.{(number + 1) * 4:03}000] probe {number}: device {number % 4} is up" for number in range(20)]
    record = "\n".join(["Panic#1 Part1", *lines, "<0>[    0.090001] Kernel panic - not syncing: VFS", ""])
    before = answer(root)
    write(root / "sys/fs/pstore/dmesg-efi-179000000001001", record)
    after = answer(root)
    assert claims(after) == claims(before)
    assert [boot for boot, _ in of_panics(after)] == [None]


@pytest.mark.parametrize("end", HOSTS)
def test_wtmp_of_another_machine_says_nothing_of_this_one(end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end])
    whole = answer(root)
    take_away(root, "var/log/wtmp")
    without = answer(root)
    for shift in (-40_000_000, -3 * 7200 - 1800, 3600, 90_000_000):
        boots = [
            replace(boot, start=boot.start + shift) for boot in boots_of(["silent", "reboot", "silent"], name="another")
        ]
        write(root / "var/log/wtmp", wtmp_of(boots))
        after = answer(root)
        assert claims(after) == claims(without), shift
        assert excess(after, whole) == []


@pytest.mark.parametrize("end", [*HOSTS, "unwritten"])
def test_wtmp_as_it_was_before_or_will_be_later_adds_nothing(end: str, tmp_path: Path) -> None:
    ends = ["reboot", "silent", end, "reboot"]
    root = build_machine(tmp_path / "tree", ends)
    whole, content = answer(root), (root / "var/log/wtmp").read_bytes()
    for size in range(0, len(content), 384):
        write(root / "var/log/wtmp", content[:size])
        assert excess(answer(root), whole) == [], f"the first {size} bytes"
        write(root / "var/log/wtmp", content[size:])
        assert excess(answer(root), whole) == [], f"without the first {size} bytes"
    for later in (["silent"], ["reboot"], ["reboot", "panic"]):
        write(root / "var/log/wtmp", wtmp_of(boots_of([*ends, *later])))
        assert excess(answer(root), whole) == [], later


@pytest.mark.parametrize("end", HOSTS)
def test_a_watchdog_that_once_reset_the_machine_says_nothing_of_this_boot(end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end])
    before = answer(root)
    write(root / DOG, "32\n")
    after = answer(root)
    assert claims(after) == claims(before)
    fired = [one["boot_id"] for one in after["observations"] if one["kind"] == "watchdog_fired"]
    assert fired == [None]


@pytest.mark.parametrize("end", HOSTS)
def test_an_error_record_of_the_firmware_says_nothing_of_this_boot(end: str, tmp_path: Path) -> None:
    """The firmware may show the same record at every start until it is written over."""
    root = build_machine(tmp_path / "tree", ["reboot", end])
    before = answer(root)
    write(
        root / "cmd/dmesg.txt", f"[    4.200001] {BERT['MESSAGE']}\n[    4.200002] [Hardware Error]: severity: fatal\n"
    )
    export = root / "cmd/journal0.json"
    rows = [json.loads(line) for line in export.read_text().splitlines()]
    place = next(number for number, row in enumerate(rows) if row["MESSAGE"].startswith("probe"))
    rows[place] |= BERT
    write(export, "".join(f"{json.dumps(row)}\n" for row in rows))
    after = answer(root)
    assert claims(after) == claims(before)
    assert "firmware_error_record" in [one["kind"] for one in after["transitions"][0]["antecedents"]]


@pytest.mark.parametrize("end", HOSTS)
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("with_wtmp", [True, False])
def test_the_journal_of_another_boot_does_not_take_the_place_of_this_one(
    end: str,
    listed: bool,
    with_wtmp: bool,
    tmp_path: Path,
) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "silent", end])
    other = build_machine(tmp_path / "other", ["reboot", "panic", "reboot"], name="another")
    whole = answer(root)
    for path in [] if listed else [root / "cmd/list-boots.json"]:
        path.unlink()
    for path in [] if with_wtmp else [root / "var/log/wtmp"]:
        path.unlink()
    for source in (other / "cmd/journal-1.json", other / "cmd/journal-2.json", root / "cmd/journal-2.json"):
        tree = copy_of(root, tmp_path / f"with-{source.parent.parent.name}{source.name}")
        write(tree / "cmd/journal-1.json", source.read_bytes())
        assert excess(answer(tree), whole) == [], source


class Collection:
    """The cases of the corpus, each unpacked and told once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reports, self.told = cache(self._reports), cache(self._told)

    def root(self, name: str) -> Path:
        return corpus_tree(name, self._folder)

    def _reports(self, name: str) -> list[Report]:
        return reports_of(self.root(name))

    def _told(self, name: str) -> Document:
        return answer(self.root(name), self.reports(name))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return Collection(tmp_path_factory.mktemp("corpus"))


@pytest.mark.slow
@pytest.mark.parametrize("source", ["pstore", "wtmp"])
@pytest.mark.parametrize("host", corpus_names() or ["no corpus"])
def test_records_from_another_case_add_no_claim(source: str, host: str, collection: Collection, tmp_path: Path) -> None:
    reports, whole = collection.reports(host), collection.told(host)
    for name in corpus_names():
        tree, other = copy_of(collection.root(host), tmp_path / name), collection.root(name)
        if source == "pstore":
            lay_in(tree, other, "var/lib/systemd/pstore")
        else:
            write(tree / "var/log/wtmp", (other / "var/log/wtmp").read_bytes())
        after = answer(tree, [one for one in reports if one.source != source])
        assert excess(after, whole) == [], name
        assert {boot for boot, _ in of_panics(after)} <= {None, *(boot for boot, _ in of_panics(whole))}, name


def others_of(host: str, turn: int) -> list[str]:
    """The last case of every other machine; unless all are tried, of one of them, in turn."""
    others = {machine_of(name): name for name in corpus_names() if machine_of(name) != machine_of(host)}
    place = corpus_names().index(host) + turn
    return [name for number, name in enumerate(others.values()) if THOROUGH or number == place % len(others)]


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("host", corpus_names() or ["no corpus"])
def test_journals_of_another_machine_add_no_claim(
    folder: str, host: str, collection: Collection, tmp_path: Path
) -> None:
    for name in others_of(host, FOLDERS.index(folder)):
        tree = copy_of(collection.root(host), tmp_path / name)
        lay_in(tree, collection.root(name), folder)
        assert excess(answer(tree), collection.told(host), boots_in(collection.told(name))) == [], name
