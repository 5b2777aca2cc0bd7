"""What was not read, or is missing, is not taken for absent: tails, heads, exports, recordings, lines cut out."""

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Elevation
from diag.reset import journal
from diag.reset.evidence import Boot
from diag.reset.journal import ELEVATED, JournalFiles, alarms, head, kernel_tail, tail, tail_of_running
from diag.reset.rules import END, HEAD, PLACES, TAIL
from diag.reset.stretch import Stretch, gapless_before_the_end, gapless_from_the_beginning
from diag.reset.window import windows
from tests.reset.answers import answer, claims, excess, reports_of
from tests.reset.evidence_of import entry, of_kernel
from tests.reset.trees import ENDS, boots_of, build_machine, write
from tests.support.trees import build_tree

Lines = list[str]


def test_a_stretch_reaches_to_where_an_entry_is_missing() -> None:
    entries = [entry(f"line {number}", float(number), __CURSOR=f"s=a;i={number:x}") for number in (4, 5, 8, 9)]
    assert [one.sequence for one in gapless_before_the_end(entries)] == [8, 9]
    assert [one.sequence for one in gapless_from_the_beginning(entries)] == [4, 5]
    assert Stretch(entries, gapless_before_the_end(entries)).since_s == 8.0


def test_entries_without_numbers_show_no_gap() -> None:
    entries = [entry("line", float(at), __CURSOR="") for at in range(4)]
    assert gapless_before_the_end(entries) == gapless_from_the_beginning(entries) == entries


def test_only_the_kernels_first_second_is_the_beginning_of_a_boot() -> None:
    late = [entry("line", 5.0, __CURSOR="s=a;i=5"), entry("line", 6.0, __CURSOR="s=a;i=6")]
    assert Stretch(late, late).since_s == 5.0
    assert not Stretch(late, late).is_read_until(5.5)
    whole = [of_kernel("Linux version 6.17", 0.0), of_kernel("line", 6.0)]
    assert Stretch(whole, whole).since_s == 0.0


@pytest.mark.parametrize(("is_all", "reached"), [(True, True), (False, False)])
def test_a_start_is_read_when_it_reaches_far_enough_or_there_is_no_more(is_all: bool, reached: bool) -> None:
    entries = [of_kernel("Linux version 6.17", 0.0), of_kernel("line", 6.0)]
    assert Stretch(entries, entries, is_all).is_read_until(7.0) is reached
    assert Stretch(entries, entries, is_all).is_read_until(6.0)
    assert not Stretch(entries, entries[:1], is_all).is_read_until(6.0)


# --- the places of a window ---


def places(whole_since_s: float, *, is_head: bool = True, tmp_path: Path) -> frozenset[str]:
    """The places that are covered where the newest boot that ended, after an hour, was read from this second on."""
    (window,) = windows(
        [
            one if one.source != "journal" else replaced(one, whole_since_s, is_head=is_head)
            for one in reports_of(build_machine(tmp_path / "tree", ["reboot"]))
        ],
        None,
        0,
    )
    return window.covered


def replaced(report: Any, whole_since_s: float, *, is_head: bool) -> Any:
    before, after = (Boot(**boot.__dict__) for boot in report.boots)
    boots = (
        Boot(**{**before.__dict__, "whole_since_s": whole_since_s}),
        Boot(**{**after.__dict__, "head": is_head}),
    )
    return type(report)(**{**report.__dict__, "boots": boots})


@pytest.mark.parametrize(
    ("whole_since_s", "missing"),
    [(0.0, set()), (2999.0, set()), (3001.0, {TAIL}), (3539.0, {TAIL}), (3541.0, {TAIL, END}), (3602.0, {TAIL, END})],
)
def test_a_place_is_covered_when_what_bears_on_the_end_was_read(
    whole_since_s: float, missing: set[str], tmp_path: Path
) -> None:
    """The shutdown of this machine begins when it has run for an hour; ten minutes before it bear on it."""
    assert places(whole_since_s, tmp_path=tmp_path) == set(PLACES) - missing


def test_a_start_that_was_cut_is_no_place_where_anything_is_absent(tmp_path: Path) -> None:
    assert places(0.0, is_head=False, tmp_path=tmp_path) == set(PLACES) - {HEAD}


# --- lines cut out of an export ---


@pytest.mark.parametrize("end", ["power_key", "heat", "reboot", "forced", "silent", "stuck", "not_unmounted"])
def test_a_line_that_is_cut_out_of_the_end_of_a_journal_adds_no_claim(end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end])
    whole = answer(root)
    export = root / "cmd/journal-1.json"
    lines = export.read_text().splitlines(keepends=True)
    for place in range(len(lines) - len(ENDS[end].last) - 2, len(lines)):
        write(export, "".join(lines[:place] + lines[place + 1 :]))
        assert excess(answer(root), whole) == [], lines[place]


@pytest.mark.parametrize("end", ["reboot", "silent", "not_unmounted"])
def test_a_line_that_is_cut_out_of_the_start_of_the_next_boot_adds_no_claim(end: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot", end])
    whole = answer(root)
    export = root / "cmd/journal0.json"
    lines = export.read_text().splitlines(keepends=True)
    for place in range(26):
        write(export, "".join(lines[:place] + lines[place + 1 :]))
        assert excess(answer(root), whole) == [], lines[place]


def test_an_end_of_which_an_entry_is_missing_is_not_told_and_why(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["power_key"])
    export = root / "cmd/journal-1.json"
    write(export, "".join(line for line in export.read_text().splitlines(keepends=True) if "Power key" not in line))
    (made,) = answer(root)["transitions"]
    assert (made["claims"]["termination"], made["claims"]["initiator"]) == ("any", "any")
    assert any("without an entry missing" in one["detail"] for one in made["unknown_reasons"])


def test_an_export_that_is_larger_than_what_is_read_of_it_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = build_machine(tmp_path / "tree", ["reboot"])
    size = (root / "cmd/journal-1.json").stat().st_size
    monkeypatch.setattr(journal, "EXPORT_BYTES", size)
    assert claims(answer(root))[0][0] == "orderly.reboot"
    content = (root / "cmd/journal0.json").read_text()
    write(root / "cmd/journal0.json", content + content)
    monkeypatch.setattr(journal, "EXPORT_BYTES", len(content))
    assert claims(answer(root))[0][0] == "any"


# --- what journalctl printed, cut where its arguments cut it ---


def recorded(root: Path, ends: Sequence[str], *, cut: Callable[[str, Lines], Lines], elevate: bool) -> JournalFiles:
    """A journal whose journalctl printed what `cut` leaves of each tail and head, as a run with or without root."""
    boots = boots_of(ends)
    commands: list[dict[str, Any]] = [
        {"run": journal.LIST_BOOTS, "stdout": json.dumps([{"boot_id": boot.boot_id} for boot in boots])}
    ]
    for back, boot in enumerate(reversed(boots)):
        name: int | str = -back if elevate else boot.boot_id.replace("-", "")
        rows = [json.dumps(row) for row in boot.rows]
        from_kernel = [json.dumps(row) for row in boot.rows if row["_TRANSPORT"] == "kernel"]
        of_end = tail if back else tail_of_running
        commands += [
            {"run": of_end(name), "stdout": "\n".join(cut("tail", rows[::-1]))},
            {"run": kernel_tail(name), "stdout": "\n".join(from_kernel[::-1])},
            {"run": alarms(name), "stdout": ""},
            {"run": head(name), "stdout": "\n".join(cut("head", rows))},
        ]
    programs = [("/usr/bin/journalctl",), ("sudo", "-n", "/usr/bin/journalctl")] if elevate else [("journalctl",)]
    argvs = [{**one, "run": shlex.join((*argv, *one["run"]))} for argv in programs for one in commands]
    build_tree(root, commands=argvs)
    machine = Machine(str(root), Elevation.COMMANDS, frozenset(ELEVATED))
    return JournalFiles(machine, elevate=elevate)


@pytest.mark.parametrize("elevate", [False, True])
def test_a_tail_says_how_far_back_it_was_read_and_older_kernel_messages_add_nothing_to_that(
    elevate: bool, tmp_path: Path
) -> None:
    def newest(part: str, lines: Lines) -> Lines:
        return lines[:12] if part == "tail" else lines

    read = recorded(tmp_path / "tree", ["reboot"], cut=newest, elevate=elevate)
    end = read.ending(boots_of(["reboot"])[0].boot_id)
    assert end.since_s == end.gapless[0].arrived_us / 1e6
    assert len(end.gapless) == 12
    assert len(end.entries) > 12


@pytest.mark.parametrize("elevate", [False, True])
def test_a_head_that_is_cut_before_the_start_was_over_is_no_whole_head(
    elevate: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = recorded(tmp_path / "whole", ["reboot"], cut=lambda _, lines: lines, elevate=elevate)
    running = boots_of(["reboot"])[1].boot_id
    assert read.beginning(running).is_read_until(9.0)
    monkeypatch.setattr(journal, "HEAD_BYTES", 2000)
    read = recorded(tmp_path / "cut", ["reboot"], cut=lambda _, lines: lines, elevate=elevate)
    assert not read.beginning(running).is_read_until(9.0)
    assert not read.beginning(running).is_all


def test_a_journalctl_that_failed_has_not_printed_all_there_is(tmp_path: Path) -> None:
    read = recorded(tmp_path / "tree", ["reboot"], cut=lambda _, lines: lines[:8], elevate=False)
    commands = json.loads((tmp_path / "tree/cmd/commands.json").read_text())
    write(tmp_path / "tree/cmd/commands.json", json.dumps([{**one, "rc": 1} for one in commands]))
    read = JournalFiles(Machine(str(tmp_path / "tree"), Elevation.COMMANDS, frozenset(ELEVATED)))
    assert not read.beginning(boots_of(["reboot"])[1].boot_id).is_all
