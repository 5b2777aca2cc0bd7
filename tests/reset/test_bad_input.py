"""Whatever lies in a tree, the answer is a valid document: unknown with its reason where nothing can be told."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.reset.answers import PROGRAM, Document, answer, claims, data_of, excess, run_program
from tests.reset.trees import MACHINE_ID, build_machine, copy_of, take_away, write
from tests.support.command import sparkctl

ANY = ("any", "any", "any")
EXIT_UNJUDGED = 3
JOURNAL_FILE = f"var/log/journal/{MACHINE_ID}/system.journal"
Change = Callable[[Path], object]


def noise(size: int = 3000) -> bytes:
    return random.Random(size).randbytes(size)


def only_the_running_boot(root: Path) -> None:
    """Of the journal nothing is left but what the running boot wrote."""
    take_away(root, "cmd/journal-*.json")
    (listed,) = json.loads((root / "cmd/list-boots.json").read_text())[-1:]
    write(root / "cmd/list-boots.json", json.dumps([listed]))


def volatile(root: Path) -> None:
    """The journal is kept in memory."""
    only_the_running_boot(root)
    (root / "run/log/journal").mkdir(parents=True)


def missed(root: Path) -> None:
    """Two boots in a row kept no journal."""
    for number in (1, 2):
        take_away(root, f"cmd/journal-{number}.json")
    listed = json.loads((root / "cmd/list-boots.json").read_text())
    write(root / "cmd/list-boots.json", json.dumps([one for one in listed if one["index"] not in (-1, -2)]))


def without_rights(root: Path) -> None:
    """The system journal is there, and may not be read."""
    take_away(root, "cmd/journal*.json")
    write(root / JOURNAL_FILE, b"")
    write(root / ".tree.json", json.dumps({"euid": 1000, "denied": ["/var/log/journal"]}))


def empty(root: Path) -> None:
    """Folders, and nothing in them."""
    for path in [path for path in root.rglob("*") if path.is_file()]:
        path.unlink()


def corrupt(root: Path) -> None:
    """Journal files that are none."""
    if shutil.which("journalctl") is None:
        pytest.skip("no journalctl here: what it says of a corrupt journal is not held against the program")
    take_away(root, "cmd/journal*.json")
    write(root / JOURNAL_FILE, b"LPKSHHRH" + noise(20000))


def every(root: Path, pattern: str, content: bytes) -> None:
    """Put the same into every file."""
    for path in [path for path in root.glob(pattern) if path.is_file() and path.name != ".tree.json"]:
        write(path, content)


NOTHING_OF_IT = {"journal_lost_boot", "journal_unreadable"}  # boots are listed, and no entry of any can be read
UNKNOWN: dict[str, tuple[Change, set[str]]] = {
    "an empty tree": (empty, {"journal_missing"}),
    "no previous boot": (only_the_running_boot, {"no_previous_boot"}),
    "a volatile journal": (volatile, {"journal_volatile"}),
    "a journal without rights": (without_rights, {"journal_not_permitted"}),
    "corrupt journal files": (corrupt, {"journal_unreadable"}),
    "corrupt exports": (lambda root: every(root, "cmd/journal*.json", noise()), NOTHING_OF_IT),
    "a boot vacuumed away": (lambda root: take_away(root, "cmd/journal-1.json"), {"journal_lost_boot", "boots_missed"}),
    "two missed boots": (missed, {"boots_missed"}),
    "wtmp of garbage": (lambda root: write(root / "var/log/wtmp", noise()), {"wtmp_unreadable", "wtmp_not_bound"}),
    "no wtmp": (lambda root: take_away(root, "var/log/wtmp"), {"wtmp_missing", "wtmp_not_bound"}),
    "binary in every text": (lambda root: every(root, "**/*", noise()), {"journal_missing"}),
    "nothing in every text": (lambda root: every(root, "**/*", b""), {"journal_missing"}),
    "an entry of another shape": (lambda root: every(root, "cmd/journal*.json", b"[[]]\n{}\n7\n"), NOTHING_OF_IT),
}


def spoilt(tmp_path: Path, change: Change) -> Path:
    """A machine with a past that can be told, until something is done to its tree."""
    root = build_machine(tmp_path / "tree", ["reboot", "power_key", "silent"])
    assert claims(answer(root))[0] == ("disorderly", "any", "any")
    change(root)
    return root


def causes(made: Document) -> set[str]:
    return {one["cause"] for one in made["transitions"][0]["unknown_reasons"] if one["axis"] == "termination"}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_cannot_be_told_is_unknown_with_its_reason(case: str, tmp_path: Path) -> None:
    change, expected = UNKNOWN[case]
    made = answer(spoilt(tmp_path, change))
    assert claims(made)[0] == ANY
    assert causes(made) & expected


@pytest.mark.parametrize("case", ["binary in every text", "two missed boots", "a journal without rights"])
def test_the_program_itself_says_so_too(case: str, tmp_path: Path) -> None:
    change, expected = UNKNOWN[case]
    made = run_program(spoilt(tmp_path, change))
    assert claims(made) == [ANY]
    assert causes(made) & expected


AT_THE_COMMAND = ("an empty tree", "a journal without rights", "corrupt journal files", "binary in every text")


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if case in AT_THE_COMMAND else pytest.mark.thorough) for case in UNKNOWN]
)
def test_the_command_ends_unjudged(case: str, tmp_path: Path) -> None:
    change, _ = UNKNOWN[case]
    ran = sparkctl("reset-reason", "--root", spoilt(tmp_path, change), "--format", "json", home=tmp_path)
    assert (ran.returncode, ran.stderr) == (EXIT_UNJUDGED, "")
    assert claims(data_of(ran.stdout)) == [ANY]


@pytest.mark.parametrize("stamp", [1_900_000_000, 1_700_000_000])
def test_five_hundred_records_in_pstore_bind_nothing_and_hide_no_other_end(stamp: int, tmp_path: Path) -> None:
    """Whether they are newer or older by name than the record that is of the boot that ended."""
    root = build_machine(tmp_path / "tree", ["reboot", "panic"])
    whole = answer(root)
    for number in range(500):
        text = f"Panic#1 Part1\n<0>[ {number:4}.000123] Kernel panic - not syncing: number {number}\n"
        write(root / f"sys/fs/pstore/dmesg-efi-{stamp + number * 100}01001", text)
    made = answer(root)
    assert excess(made, whole) == []
    assert claims(made)[0][0] in ("disorderly", "disorderly.panic")
    (pstore,) = [one for one in made["sources"] if one["source"] == "pstore"]
    assert pstore["state"] == "partial"


ROWS: dict[str, dict[str, Any]] = {
    "a number for a text": {"MESSAGE": 7, "_PID": 1, "_BOOT_ID": 3},
    "a text as bytes": {"MESSAGE": [82, 255, 0, 10, 27, 91, 51, 49, 109]},
    "escapes and overrides": {
        "MESSAGE": "\u202e\u0007\u001b]0;x\u0007 Power key pressed short.",
        "SYSLOG_IDENTIFIER": "\u0000",
    },
    "a field that stands twice": {"MESSAGE": ["Journal stopped", "Journal stopped"], "_PID": ["1", "1"]},
    "times beyond all": {"__MONOTONIC_TIMESTAMP": "9" * 30, "__REALTIME_TIMESTAMP": "-5", "__CURSOR": "i=zz;s"},
    "times at the limit": {"__MONOTONIC_TIMESTAMP": str(2**63 - 1), "__REALTIME_TIMESTAMP": str(2**63 - 1)},
    "a time as a number": {"__MONOTONIC_TIMESTAMP": 1.5e300, "_SOURCE_MONOTONIC_TIMESTAMP": None},
    "a cursor of text": {"__CURSOR": "=;=;i=;;" * 100},
    "a message of a megabyte": {"MESSAGE": "Kernel panic - not syncing: " + "x" * 2**20},
}


@pytest.mark.parametrize("case", ROWS)
def test_an_entry_of_any_kind_breaks_nothing(case: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "silent"])
    for path in (root / "cmd").glob("journal*.json"):
        lines = path.read_text().splitlines()
        odd = json.dumps({**json.loads(lines[-1]), **ROWS[case]})
        write(path, "\n".join([odd, *lines[:5], odd, *lines[5:], odd, "{" * 5000, "[" * 100_000, '{"MESSAGE"', "\0"]))
    assert len(answer(root)["transitions"]) >= 1


def test_a_list_of_ten_thousand_boots_is_read_no_further_than_asked(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "silent"])
    whole = answer(root)
    listed = json.loads((root / "cmd/list-boots.json").read_text())
    older = [{"index": number - 10_002, "boot_id": f"{number:032x}"} for number in range(10_000)]
    write(root / "cmd/list-boots.json", json.dumps([*older, *listed]))
    made = answer(root)
    assert claims(made)[:2] == claims(whole)
    assert len(made["transitions"]) <= 12


def each_file(root: Path) -> list[Path]:
    return [path for path in sorted(root.rglob("*")) if path.is_file()]


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def as_way_out(path: Path) -> None:
    path.unlink()
    path.symlink_to("/" + "../" * 12 + "etc/passwd")


@pytest.mark.parametrize("become", [as_folder, as_loop, as_way_out])
@pytest.mark.parametrize("end", ["silent", "panic"])
def test_a_file_that_is_something_else_adds_no_claim(become: Callable[[Path], None], end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end])
    whole = answer(root)
    names = [path.relative_to(root) for path in each_file(root) if path.name != ".tree.json"]
    for number, name in enumerate(names):
        tree = copy_of(root, tmp_path / str(number))
        become(tree / name)
        assert excess(answer(tree), whole) == [], name
        shutil.rmtree(tree)
    for name in names:
        become(root / name)
    assert claims(answer(root)) == [ANY]


def test_a_folder_that_is_a_file_adds_no_claim(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "panic"])
    whole = answer(root)
    folders = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_dir())
    for number, name in enumerate(folders):
        tree = copy_of(root, tmp_path / str(number))
        take_away(tree, str(name))
        write(tree / name, noise(50))
        assert excess(answer(tree), whole) == [], name


PIPES = {
    "wtmp": "var/log/wtmp", "journal": "cmd/journal-1.json", "boot": "proc/sys/kernel/random/boot_id",
    "nvme": "cmd/nvme-smart-log.json",
}  # fmt: skip


@pytest.mark.parametrize("source", PIPES)
def test_a_pipe_in_place_of_a_file_is_not_read(source: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "silent"])
    whole = answer(root)
    name = root / PIPES[source]
    name.unlink(missing_ok=True)
    os.mkfifo(name)
    made = answer(root)
    told = {one["source"]: one["detail"] for one in made["sources"] if one["state"] != "read"}
    assert f"Not a regular file: /{PIPES[source]}" in told[source]
    assert excess(made, whole) == []


def test_a_tree_on_a_read_only_disk_is_told_like_any_other(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "panic"])
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && ! touch "$1/x" 2>/dev/null'
    inside = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if subprocess.run([*inside, mount, "sh", str(root)], check=False, capture_output=True).returncode:
        pytest.skip("no mount may be made here: a tree on a read-only disk is not read")
    argv = [sys.executable, "-I", "-S", str(PROGRAM), "--root", str(root), "--all"]
    ran = subprocess.run(
        [*inside, f'{mount} && shift && exec "$@"', "sh", str(root), *argv], check=True, capture_output=True
    )
    told = data_of(ran.stdout)
    assert claims(told) == claims(answer(root))


def test_nothing_is_written_to_a_tree(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", "panic"])

    def state() -> list[tuple[str, int, int]]:
        every_path = [(path, path.stat()) for path in sorted(root.rglob("*"))]
        return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in every_path]

    before = state()
    run_program(root, "--all")
    assert state() == before
