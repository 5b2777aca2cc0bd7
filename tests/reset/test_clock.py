"""The clock of the day may be wrong, lost or set at any time: what is claimed of any boot stays the same."""

import json
import os
import re
import shutil
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reset.answers import Document, answer, claims, excess, run_program
from tests.reset.trees import (
    ENDS,
    NARROW,
    WIDE,
    Row,
    boots_of,
    build_machine,
    corpus_names,
    corpus_tree,
    take_away,
    write,
)
from tests.support.corpus import THOROUGH

YEAR = 365.25 * 86400
Setting = Callable[[int, float, float], float]
"""What the clock shows, in seconds: from the number of the boot, the seconds since it began, and what it showed before.

The running boot has number 0, the one before it 1, and so on.
"""


def lost_until(seconds: float) -> Setting:
    """The clock begins at 1970 with each boot, and is set right after so many seconds."""
    return lambda _, since, real: since if since < seconds else real


SHARES = 6  # how many machines it takes for all settings, where not every one gets all
SETTINGS: dict[str, Setting] = {
    "ten years ahead": lambda number, since, real: real + 10 * YEAR,
    "thirty years back": lambda number, since, real: real - 30 * YEAR,
    "another error in each boot": lambda number, since, real: real + (number * 3 % 5 - 3) * 7 * YEAR,
    "each boot before the one it follows": lambda number, since, real: real + (number - 20) * YEAR,
    "lost in the running boot": lambda number, since, real: real if number else since,
    "lost in the boot that ended": lambda number, since, real: since if number == 1 else real,
    "lost, set before user space": lost_until(1.0),
    "lost, set while it starts": lost_until(60.0),
    "lost, set an hour later": lost_until(3500.0),
    "lost, never set": lost_until(float("inf")),
    "set back in the middle": lambda number, since, real: real - (2 * YEAR if since > 1800 else 0),
    "set back and forth": lambda number, since, real: real + YEAR * (int(since) // 600 % 3),
    "runs fast": lambda number, since, real: real + since * 2e-4,
}


@dataclass(frozen=True)
class Lived:
    """A boot as the listing of its machine has it: when it began, and when it wrote last, in seconds."""

    boot_id: str
    start: float
    last: float


class Machine:
    """A tree of which every clock of the day is to be set otherwise; its own clocks were right throughout."""

    def __init__(self, root: Path, setting: Setting) -> None:
        self.root, self._setting = root, setting
        starts = {
            row["_BOOT_ID"]: (int(row["__REALTIME_TIMESTAMP"]) - int(row["__MONOTONIC_TIMESTAMP"])) / 1e6
            for row in (export_rows(path)[0] for path in exports(root))
        }
        for path in root.glob("var/log/journal/*/*"):
            for _, boot_id, since, real in journal_entries(path.read_bytes()):
                starts.setdefault(boot_id, (real - since) / 1e6)
        self.boots: list[Lived] = []
        for one in sorted(json.loads((root / "cmd/list-boots.json").read_text()), key=lambda one: one["first_entry"]):
            after = self.boots[-1].last + 1 if self.boots else one["first_entry"] / 1e6 - 60
            self.boots.append(Lived(one["boot_id"], starts.get(one["boot_id"], after), one["last_entry"] / 1e6))
        self._place = {boot.boot_id: place for place, boot in enumerate(reversed(self.boots))}

    def of_entry(self, boot_id: str, since_us: int, real_us: int) -> int:
        """The new time of an entry, in microseconds."""
        return max(
            1, int(self._setting(self._place.get(boot_id, len(self.boots)), since_us / 1e6, real_us / 1e6) * 1e6)
        )

    def of_time(self, real: float) -> float:
        """The new time of a record that names no boot: of the last boot that had begun by then."""
        boot = next((boot for boot in reversed(self.boots) if boot.start <= real), self.boots[0])
        return max(1.0, self._setting(self._place[boot.boot_id], max(0.0, real - boot.start), real))

    def set_all(self) -> None:
        """Rewrite everything that holds a time of the day."""
        for path in self.root.glob("var/log/journal/*/*"):
            path.write_bytes(self.journal(path.read_bytes()))
        self._exports()
        log = self.root / "var/log/wtmp"
        write(log, self.wtmp(log.read_bytes()))
        for folder in ("var/lib/systemd/pstore", "sys/fs/pstore"):
            paths = sorted(self.root.glob(f"{folder}/**/dmesg-*"))
            texts = {path.relative_to(self.root / folder): path.read_bytes() for path in paths}
            for path in paths:
                path.unlink()
            for path, text in texts.items():
                write(self.root.joinpath(folder, *map(self.stamped, path.parts)), text)
        for path in (path for path in self.root.rglob("*") if not path.is_symlink()):
            moment = self.of_time(path.stat().st_mtime)
            os.utime(path, (moment, moment))

    def _exports(self) -> None:
        """The exports, and the listing, which journalctl has in the order of the first entries."""
        spans = {boot.boot_id: (self.of_time(boot.start), self.of_time(boot.last)) for boot in self.boots}
        texts = {}
        for path in exports(self.root):
            rows = [self._row(row) for row in export_rows(path)]
            times = [int(row["__REALTIME_TIMESTAMP"]) / 1e6 for row in rows]
            spans[rows[0]["_BOOT_ID"]] = times[0], times[-1]
            texts[rows[0]["_BOOT_ID"]] = "".join(f"{json.dumps(row)}\n" for row in rows)
            path.unlink()
        order = sorted(spans, key=lambda boot_id: spans[boot_id])
        listing = [
            {
                "index": number - len(order) + 1,
                "boot_id": boot,
                "first_entry": int(first * 1e6),
                "last_entry": int(last * 1e6),
            }
            for number, boot in enumerate(order)
            for first, last in (spans[boot],)
        ]
        write(self.root / "cmd/list-boots.json", json.dumps(listing))
        take_away(self.root, "cmd/list-boots.txt")
        running = self.boots[-1].boot_id
        numbers = {boot: -1 - number for number, boot in enumerate(boot for boot in reversed(order) if boot != running)}
        for boot, text in texts.items():
            write(self.root / f"cmd/journal{0 if boot == running else numbers[boot]}.json", text)

    def _row(self, row: Row) -> Row:
        times = int(row["__MONOTONIC_TIMESTAMP"]), int(row["__REALTIME_TIMESTAMP"])
        return {**row, "__REALTIME_TIMESTAMP": str(self.of_entry(row["_BOOT_ID"], *times))}

    def wtmp(self, content: bytes) -> bytes:
        """The records with their new times."""
        form = WIDE if content and WIDE.unpack_from(content)[-2] > 1 << 20 else NARROW
        records = []
        for fields in form.iter_unpack(content):
            seconds, rest = divmod(int(self.of_time(fields[-2] + fields[-1] / 1e6) * 1e6), 10**6)
            records.append(form.pack(*fields[:-2], seconds, rest))
        return b"".join(records)

    def stamped(self, name: str) -> str:
        """A file or folder of pstore, named after the second of the panic; systemd 252 cuts its last digit off."""
        match = re.fullmatch(r"(dmesg-efi-)?(\d{9,10})(\d{5})?", name)
        if match is None:
            return name
        seconds = int(match[2]) * (10 if len(match[2]) == 9 else 1)
        return f"{match[1] or ''}{int(self.of_time(seconds))}{match[3] or ''}"

    def journal(self, content: bytes) -> bytes:
        """A journal file with its entries at their new times."""
        made, times = bytearray(content), []
        for at, boot_id, since, real in journal_entries(content):
            times.append(self.of_entry(boot_id, since, real))
            struct.pack_into("<Q", made, at + 24, times[-1])
        if times:
            struct.pack_into("<QQ", made, 184, times[0], times[-1])
        return bytes(made)


ENTRY = 3  # type of an object; see systemd's JOURNAL_FILE_FORMAT


def journal_entries(content: bytes) -> Iterator[tuple[int, str, int, int]]:
    """Where the entries of a journal file lie, their boots, and their times since it began and of the day."""
    at, tail = struct.unpack_from("<Q", content, 88)[0], struct.unpack_from("<Q", content, 136)[0]
    while 0 < at <= tail:
        size = struct.unpack_from("<Q", content, at + 8)[0]
        if content[at] == ENTRY:
            real, since = struct.unpack_from("<QQ", content, at + 24)
            yield at, content[at + 40 : at + 56].hex(), since, real
        at += (size + 7) & ~7 if size else len(content)


def exports(root: Path) -> list[Path]:
    return [path for path in sorted((root / "cmd").glob("journal*.json")) if path.stat().st_size]


def export_rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(made: Document) -> list[object]:
    """All that is claimed of every transition, and all that is left open."""
    return [(one["from_boot_id"], one["to_boot_id"], one["claims"], one["open"]) for one in made["transitions"]]


def with_clock(root: Path, setting: Setting, folder: Path) -> Path:
    """A copy of a tree whose clock of the day was set otherwise."""
    Machine(shutil.copytree(root, folder / "set", symlinks=True), setting).set_all()
    return folder / "set"


HISTORIES = {
    "on arm64": ["panic", "forced", "unwritten", "reboot"],
    "all sorts": ["reboot", "silent", "forced", "panic", "stuck", "power_key"],
    "two panics": ["panic", "panic", "reboot", "panic"],
    "heat": ["silent", "heat"],
    "cut off": ["reboot", "reboot", "unwritten", "silent"],
    "and again": ["forced", "panic", "unwritten", "silent", "panic"],
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("history", HISTORIES)
def test_claims_do_not_depend_on_the_clock(history: str, setting: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", HISTORIES[history], wide=history == "on arm64")
    before = answer(root)
    assert ENDS["silent"].claims in claims(before) or ENDS["panic"].claims in claims(before)
    assert told(answer(with_clock(root, SETTINGS[setting], tmp_path))) == told(before)


MISSED = [
    ("reboot silent silent reboot", (1,)),
    ("reboot silent silent reboot", (2,)),
    ("reboot silent silent reboot", (1, 2)),
    ("panic power_key power_key forced", (1,)),
    ("panic bitten bitten", (2,)),
    ("unwritten forced heat unwritten", (1,)),
]


def forget(root: Path, boot_ids: Collection[str]) -> Path:
    """Take boots out of the journal, as if they had never written to it."""
    plain = {boot_id.replace("-", "") for boot_id in boot_ids}
    listed = json.loads((root / "cmd/list-boots.json").read_text())
    write(root / "cmd/list-boots.json", json.dumps([one for one in listed if one["boot_id"] not in plain]))
    for path in [path for path in exports(root) if export_rows(path)[0]["_BOOT_ID"] in plain]:
        path.unlink()
    return root


@pytest.mark.parametrize("setting", ["another error in each boot", "lost, set while it starts", "lost, never set"])
@pytest.mark.parametrize(("history", "missing"), MISSED)
def test_a_boot_that_kept_no_journal_is_missed_by_any_clock(
    history: str, missing: Sequence[int], setting: str, tmp_path: Path
) -> None:
    ends = history.split()
    for name in ("one", "two", "three"):  # whose boots take other times to user space
        root = build_machine(tmp_path / name, ends, name=name)
        boots = [boots_of(ends, name)[-1 - number].boot_id for number in missing]
        after = answer(forget(with_clock(root, SETTINGS[setting], tmp_path / f"{name} later"), boots))
        before = answer(forget(root, boots))
        assert ("any", "any", "any") in claims(before)
        assert excess(after, before) == [], name


def test_the_program_says_the_same_by_a_clock_that_was_lost(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", HISTORIES["all sorts"], wide=True)
    before = run_program(root, "--all")
    after = run_program(with_clock(root, SETTINGS["lost, set an hour later"], tmp_path), "--all")
    assert told(after) == told(before)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus_names() or ["no corpus"])
def test_claims_on_machines_that_were_reset_do_not_depend_on_the_clock(
    name: str, unpacked: Path, tmp_path: Path
) -> None:
    root = corpus_tree(name, unpacked)
    before = answer(root)
    claimed = [part for part, one in zip(told(before), claims(before), strict=True) if set(one) != {"any"}]
    # Every machine gets some of the settings, and all machines together every one of them.
    share = slice(None) if THOROUGH else slice(corpus_names().index(name) % SHARES, None, SHARES)
    for number, (words, setting) in enumerate([*SETTINGS.items()][share]):
        folder = tmp_path / str(number)
        after = answer(with_clock(root, setting, folder))
        assert [part for part in claimed if part not in told(after)] == [], words
        assert excess(after, before) == [], words
        shutil.rmtree(folder)
