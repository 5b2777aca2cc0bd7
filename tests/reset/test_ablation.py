"""Less evidence says less: whatever is taken away, a claim moves up its tree or goes, and never turns into another."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from itertools import chain, combinations, islice
from pathlib import Path

import pytest

from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Elevation, UnknownReason
from diag.reset.evidence import Report
from diag.reset.report import document
from diag.reset.scope import Scope
from diag.reset.source_task import load_sources
from diag.reset.sources.boot import current_boot
from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.reset_stories import STORIES
from sparkctl.lab.tree import Pool, write_tree
from tests.reset.answers import Document, Watched, answer, claims, excess, readings_of, run_program
from tests.reset.trees import (
    ENDS,
    build_machine,
    copy_of,
    corpus_names,
    corpus_names_by_machine,
    corpus_tree,
    take_away,
    write,
)
from tests.support.corpus import THOROUGH

MOST = 12  # of what is taken away in every combination
TURNS = 6  # how many machines it takes for all combinations, where not every one gets all
EXPORTS, LISTS = "cmd/journal*.json", "cmd/list-boots.*"
PLACES = (
    "var/log/journal", "var/log/wtmp", "var/log/*.log", "var/lib/systemd/pstore", "sys/fs/pstore", "sys/class/watchdog",
    "proc", "cmd/last-x-F.txt", "cmd/initramfs-fsck.log", "cmd/journal0.json", "cmd/journal-*.json", LISTS,
)  # fmt: skip


def subsets(names: Iterable[str], *, few: bool = False, turn: int | None = None) -> Iterator[frozenset[str]]:
    """Every subset but the empty one, or a `few`: those of one, of two, of all but one, and all.

    With a number of a `turn`, a share of them; as many turns in a row as there are have them all.
    """
    many = list(names)
    assert len(many) <= MOST, many
    sizes = range(1, len(many) + 1)
    chosen = sorted({*sizes} & {1, 2, len(many) - 1, len(many)}) if few else sizes
    every = chain.from_iterable(combinations(many, size) for size in chosen)
    return map(frozenset, every if turn is None else islice(every, turn % TURNS, None, TURNS))


@cache
def readings_once(root: Path) -> list[tuple[Report, set[str]]]:
    """What every source brings of a tree that stays as it is."""
    return readings_of(root)


def told_of(root: Path) -> Document:
    """The answer to a tree that stays as it is."""
    return answer(root, [report for report, _ in readings_once(root)])


class Ablation:
    """The answers to a tree from which units (patterns of files or folders) are taken away.

    A source is read again only where something is gone that it ever looked at. `whole` is the answer to all of it.
    """

    def __init__(self, root: Path, units: Iterable[str], scratch: Path) -> None:
        self._root, self._scratch = root, scratch
        self.whole = told_of(root)
        self.units = [unit for unit in units if list(root.glob(unit))]
        self._tasks = load_sources(Scope(None))
        self._declared = frozenset(argv for task in self._tasks for argv in task.elevated)
        self._touched: dict[str, set[str]] = {task.name: set() for task in self._tasks}
        self._kept: dict[tuple[str, frozenset[str]], Report] = {}
        self._trees = 0
        for report, looked_at in readings_once(root):
            self._learn(report.source, looked_at)
            self._kept[report.source, frozenset()] = report

    def without(self, gone: frozenset[str]) -> Document:
        """The answer when these are gone."""
        tree: list[Path] = []
        reports = [self._report(number, gone, tree) for number in range(len(self._tasks))]
        current = None if "proc" in gone else current_boot(Machine(str(self._root)))
        return document(reports, current, None)

    def _report(self, number: int, gone: frozenset[str], tree: list[Path]) -> Report:
        task = self._tasks[number]
        kept = self._kept.get((task.name, gone & self._touched[task.name]))
        if kept is not None:
            return kept
        tree[:] = tree or [self._tree(gone)]
        machine = Watched(str(tree[0]), Elevation.COMMANDS, self._declared)
        (part,), bugs = task.judge(machine)
        assert bugs == []
        self._learn(task.name, machine.looked_at)
        return self._kept.setdefault((task.name, gone & self._touched[task.name]), Report.of(part))

    def _tree(self, gone: frozenset[str]) -> Path:
        self._trees += 1
        tree = copy_of(self._root, self._scratch / str(self._trees))
        for unit in gone:
            take_away(tree, unit)
        return tree

    def _learn(self, name: str, looked_at: set[str]) -> None:
        """What was learnt before is void where a source looks at more than was known."""
        touched = {unit for unit in self.units if any(_is_part(path, unit) for path in looked_at)}
        if not touched <= self._touched[name]:
            self._touched[name] |= touched
            self._kept = {key: report for key, report in self._kept.items() if key[0] != name}


def _is_part(path: str, unit: str) -> bool:
    if path.endswith("/") and f"{unit}/".startswith(path):
        return True
    return fnmatch(path, unit) or path.startswith(f"{unit}/")


def check_sources(root: Path, turn: int | None = None) -> None:
    """Take away every subset of the sources that brought something: as if never asked, and as if not readable."""
    reports, current = [report for report, _ in readings_once(root)], current_boot(Machine(str(root)))
    unread = {
        task.name: Report.of(task.unjudged(UnknownReason.IO_ERROR, "taken away")[0])
        for task in load_sources(Scope(None))
    }
    whole = document(reports, current, None)
    for gone in subsets((one.source for one in reports if one.seen or one.boots or one.facts), turn=turn):
        left = [one for one in reports if one.source not in gone]
        assert excess(document(left, current, None), whole) == [], sorted(gone)
        replaced = [unread[one.source] if one.source in gone else one for one in reports]
        assert excess(document(replaced, current, None), whole) == [], sorted(gone)


def check_files(root: Path, units: Iterable[str], scratch: Path, *, few: bool = False, turn: int | None = None) -> None:
    """Take away every subset of these files and folders, or some."""
    scratch.mkdir()
    ablation = Ablation(root, units, scratch)
    for gone in subsets(ablation.units, few=few, turn=turn):
        assert excess(ablation.without(gone), ablation.whole) == [], sorted(gone)


@pytest.mark.parametrize("end", ENDS)
def test_the_machines_of_these_tests_are_told_as_they_ended(end: str, tmp_path: Path) -> None:
    told = claims(answer(build_machine(tmp_path / "tree", ["reboot", "silent", end])))
    assert told[1:] == [ENDS["silent"].claims, ENDS["reboot"].claims]
    assert ENDS[end].claims in (None, told[0])


# A panic after the journal was closed is known by its record alone, and there is no looking for a record where firmware
# may keep none: without it the orderly end stands that came before.
MONOTONE = [end for end in ENDS if end != "panic_at_the_end"]


def test_a_panic_after_an_orderly_end_is_told_by_its_record(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "panic_at_the_end"])
    assert claims(answer(root))[0][0] == "disorderly.panic"


@pytest.mark.parametrize("end", MONOTONE)
def test_fewer_sources_never_say_more(end: str, tmp_path: Path) -> None:
    check_sources(build_machine(tmp_path / "tree", ["panic", end]))


@pytest.mark.parametrize("end", MONOTONE)
def test_fewer_files_never_say_more(end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["panic", end])
    check_files(root, ("cmd/journal-1.json", *PLACES[1:4], "proc", "cmd/initramfs-fsck.log"), tmp_path / "scratch")


@pytest.mark.parametrize("end", ["reboot", "silent", "forced"])
@pytest.mark.parametrize("numbered", [True, False])
def test_fewer_boots_never_say_more(end: str, numbered: bool, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end, "silent"])
    exports = sorted((root / "cmd").glob("journal*.json"))
    for path in [] if numbered else exports:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        write(path, "".join(json.dumps({**row, "__CURSOR": ""}) + "\n" for row in rows))
    units = [*(f"cmd/{path.name}" for path in exports), LISTS, "var/log/wtmp", "var/log/wtmp.1"]
    check_files(root, units, tmp_path / "scratch")


@pytest.mark.parametrize("end", ["reboot", "panic", "forced"])
def test_a_tree_that_does_not_tell_the_running_boot_has_no_newest_end(end: str, tmp_path: Path) -> None:
    """What its journal ends with may be long past: the boot after it is not in there."""
    root = build_machine(tmp_path / "tree", ["reboot", end, "silent"])
    check_files(root, ("proc", "cmd/journal0.json", "var/log/wtmp", LISTS), tmp_path / "scratch")


@pytest.mark.slow
@pytest.mark.parametrize("end", MONOTONE)
def test_fewer_places_never_say_more(end: str, tmp_path: Path) -> None:
    check_files(build_machine(tmp_path / "tree", ["panic", end]), PLACES, tmp_path / "scratch", few=not THOROUGH)


def turn_of(name: str, all_names: Sequence[str]) -> int | None:
    """Whose turn it is, where not every machine gets all."""
    return None if THOROUGH else all_names.index(name)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_less_of_a_story_of_the_lab_never_says_more(story: str, tmp_path: Path) -> None:
    now = time.time()
    write_tree(render(model_of("sim-01", 7, "founders", story), now), tmp_path / "tree", Pool(tmp_path / "shared"), now)
    turn = turn_of(story, [*STORIES])
    check_sources(tmp_path / "tree", turn)
    check_files(tmp_path / "tree", PLACES, tmp_path / "scratch", few=not THOROUGH, turn=turn)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus_names() or ["no corpus"])
class TestMachinesThatWereReset:
    def test_fewer_sources_never_say_more(self, name: str, unpacked: Path) -> None:
        check_sources(corpus_tree(name, unpacked))

    def test_fewer_places_never_say_more(self, name: str, unpacked: Path, tmp_path: Path) -> None:
        root, turn = corpus_tree(name, unpacked), turn_of(name, corpus_names())
        check_files(root, PLACES, tmp_path / "scratch", few=not THOROUGH, turn=turn)

    def test_fewer_journal_files_never_say_more(self, name: str, unpacked: Path, tmp_path: Path) -> None:
        root = corpus_tree(name, unpacked)
        files = sorted(str(path.relative_to(root)) for path in root.glob("var/log/journal/*/*"))
        units, turn = [*files, EXPORTS, LISTS, "var/log/wtmp"], turn_of(name, corpus_names())
        check_files(root, units, tmp_path / "scratch", few=not THOROUGH, turn=turn)


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus_names_by_machine() or ["no corpus"])
def test_the_program_says_the_same_and_no_more_without_its_journal(name: str, unpacked: Path, tmp_path: Path) -> None:
    root = corpus_tree(name, unpacked)
    whole, said = told_of(root), run_program(root, "--all")
    assert excess(said, whole) == []
    late = [one for one in said["sources"] if (one["detail"] or "").startswith("timeout")]
    assert late or claims(said) == claims(whole)  # on a machine under load it may not come to its end
    tree = copy_of(root, tmp_path / "tree")
    take_away(tree, "var/log/journal")
    assert excess(run_program(tree, "--all"), whole) == []
