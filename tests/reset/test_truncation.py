"""Files that are cut anywhere, or damaged, break nothing and add no claim."""

import random
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.reset.answers import Document, answer, claims, excess, readings_of, run_program
from tests.reset.trees import build_machine, copy_of, corpus_names, corpus_tree, take_away, write
from tests.support.corpus import THOROUGH

PAGE = 4096
FEW = 3  # places to cut a file that is shorter than a page
MOST = 10_000 if THOROUGH else 8  # places to cut a longer one
SHARES = 1 if THOROUGH else 6  # how many machines it takes for all cuts and damages, where not every one gets all


def cuts(size: int) -> list[int]:
    """At every page, or at some of them where there are many; a file of one page also at some places within it."""
    pages = range(0, size, PAGE)
    return sorted({*pages[:: -(-len(pages) // MOST) or 1], *(size * part // FEW for part in range(FEW) if size < PAGE)})


def is_turn_of(name: str, number: int) -> bool:
    """Whether a case of the corpus gets what has this number: all cases together try every kind of it."""
    return number % SHARES == corpus_names().index(name) % SHARES


class Cutter:
    """Cuts the files of a tree, one at a time, and answers; what a file does not bear on is not read again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._readings = readings_of(root)
        self.whole: Document = answer(root, [report for report, _ in self._readings])

    def paths(self) -> list[str]:
        """The files that any source looks at, the journal's own left out."""
        looked_at = {path for _, paths in self._readings for path in paths}
        files = [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]
        return [path for path in sorted(files) if path in looked_at and not path.startswith("var/log/journal/")]

    def with_content(self, path: str, content: bytes) -> Document:
        """The answer where a file holds this."""
        place = self.root / path
        before = place.read_bytes()
        write(place, content)
        found = answer(self.root, [report for report, paths in self._readings if not _looked_at(path, paths)])
        write(place, before)
        return found

    def check(self, path: str, sizes: Iterable[int]) -> None:
        """Cut a file to each of these sizes."""
        content = (self.root / path).read_bytes()
        for size in sizes:
            assert excess(self.with_content(path, content[:size]), self.whole) == [], f"{path}, {size} bytes"


def _looked_at(path: str, paths: Iterable[str]) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in paths)


@pytest.mark.parametrize("end", ["reboot", "bitten", "forced", "panic", "stuck_entered", "not_unmounted"])
def test_a_file_that_is_cut_adds_no_claim(end: str, tmp_path: Path) -> None:
    cutter = Cutter(build_machine(tmp_path / "tree", ["panic", end]))
    paths = cutter.paths()
    assert {"cmd/journal-1.json", "var/log/wtmp", "proc/sys/kernel/random/boot_id"} <= set(paths)
    for path in paths:
        cutter.check(path, cuts((cutter.root / path).stat().st_size))


@pytest.mark.parametrize("end", ["reboot", "stuck", "panic"])
def test_a_record_of_wtmp_that_is_cut_anywhere_adds_no_claim(end: str, tmp_path: Path) -> None:
    for wide in (False, True):
        cutter = Cutter(build_machine(tmp_path / str(wide), ["silent", end], wide=wide))
        cutter.check("var/log/wtmp", range(0, (cutter.root / "var/log/wtmp").stat().st_size, 48))


@pytest.mark.parametrize("end", ["stuck", "panic"])
def test_an_entry_that_is_cut_anywhere_adds_no_claim(end: str, tmp_path: Path) -> None:
    cutter = Cutter(build_machine(tmp_path / "tree", [end]))
    size = (cutter.root / "cmd/journal-1.json").stat().st_size
    cutter.check("cmd/journal-1.json", range(size - 1500, size, 75))


def test_the_program_answers_to_a_tree_of_which_every_file_is_cut(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["panic", "reboot"])
    whole = answer(root)
    for path in [path for path in root.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        write(path, content[: len(content) * 2 // 3])
    assert excess(run_program(root, "--all"), whole) == []


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


def last_object(content: bytes) -> int:
    """Where the last object of a journal file begins: what is behind it is empty."""
    return int(struct.unpack_from("<Q", content, 136)[0])


def damaged(content: bytes) -> Iterator[tuple[str, bytes]]:
    """A journal file as a disk may leave it: cut, zero from some page on, with a page of noise, with a bad header."""
    end, noise = last_object(content), random.Random(7)
    for at in range(0, end, max(PAGE, end // (6 if THOROUGH else 2) // PAGE * PAGE)):
        yield f"cut at {at}", content[:at]
        yield f"zero from {at}", content[:at] + bytes(len(content) - at)
        yield f"noise at {at}", content[:at] + noise.randbytes(PAGE) + content[at + PAGE :]
    for at in range(0, 208, 16 if THOROUGH else 48):
        yield f"another header at {at}", content[:at] + noise.randbytes(16) + content[at + 16 :]


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus_names() or ["no corpus"])
class TestMachinesThatWereReset:
    def test_a_file_that_is_cut_adds_no_claim(self, name: str, unpacked: Path, tmp_path: Path) -> None:
        """By what journalctl once printed, without journal files."""
        tree = copy_of(corpus_tree(name, unpacked), tmp_path / "tree")
        take_away(tree, "var/log/journal")
        cutter = Cutter(tree)
        places = [(path, size) for path in cutter.paths() for size in cuts((tree / path).stat().st_size)]
        for number, (path, size) in enumerate(places):
            if is_turn_of(name, number):
                cutter.check(path, [size])

    def test_a_journal_file_that_is_damaged_adds_no_claim(self, name: str, unpacked: Path, tmp_path: Path) -> None:
        """With the files as they are and the journalctl of this machine."""
        tree = copy_of(corpus_tree(name, unpacked), tmp_path / "tree")
        take_away(tree, "cmd/journal*.json")
        cutter = Cutter(tree)
        told = []
        paths = sorted(str(path.relative_to(tree)) for path in tree.glob("var/log/journal/*/*"))
        damages = ((path, *damage) for path in paths for damage in damaged((tree / path).read_bytes()))
        for number, (path, words, content) in enumerate(damages):
            if is_turn_of(name, number) or not content:  # each case loses each of its files
                found = cutter.with_content(path, content)
                assert excess(found, cutter.whole) == [], f"{path}: {words}"
                told.append(claims(found) == claims(cutter.whole))
        assert not all(told) or set(claims(cutter.whole)[0]) == {"any"}

    def test_a_journal_file_that_is_cut_is_said_to_be_damaged(self, name: str, unpacked: Path, tmp_path: Path) -> None:
        tree = copy_of(corpus_tree(name, unpacked), tmp_path / "tree")
        for path in list(tree.glob("var/log/journal/*/*")):
            write(path, path.read_bytes()[:-PAGE])
        (report,) = [one for one in run_program(tree)["sources"] if one["source"] == "journal"]
        assert (report["state"], bool(report["detail"])) == ("partial", True)
