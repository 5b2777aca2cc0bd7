"""The reset stories, told to the very program that is streamed to nodes: it says what they prove, and nothing false."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sparkctl.lab import control
from sparkctl.lab.characters import CHARACTERS, model_of
from sparkctl.lab.render import render
from sparkctl.lab.reset_stories import STORIES
from sparkctl.lab.reset_story import Story
from sparkctl.lab.tree import Pool, write_tree
from sparkctl.model.reset import ResetData, ResetEnvelope, Transition
from sparkctl.resources import shipped
from tests.lab.client import visit
from tests.lab.conftest import StartLab

REPORTER = shipped("diag") / "reset_reason_reporter.py"
HEALTH = shipped("diag") / "spark_diagctl.py"
ARM64_RECORD = 400
AXES = ("termination", "reset_domain", "initiator")


def plant(folder: Path, fault: str | None, make: str = "founders", now: float | None = None) -> Path:
    now = time.time() if now is None else now
    write_tree(render(model_of("sim-01", 7, make, fault), now), folder / "sim-01", Pool(folder / "shared"), now)
    return (folder / "sim-01").resolve()


def reported(root: Path, *options: str) -> ResetData:
    return parsed(run(REPORTER, root, *options))


def parsed(document: str | bytes) -> ResetData:
    """The data of a document that holds to the published schema."""
    data = ResetEnvelope.model_validate_json(document).data
    assert data is not None
    return data


def run(program: Path, root: Path, *options: str) -> str:
    command = [sys.executable, "-I", "-S", str(program), *options, "--elevation", "commands", "--root", str(root)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def newest(root: Path) -> Transition:
    return reported(root).transitions[0]


def is_under(path: str, branch: str) -> bool:
    return branch == "any" or f"{path}.".startswith(f"{branch}.")


def kinds(transition: Transition) -> set[str]:
    return {str(one.kind) for one in transition.antecedents}


def causes(transition: Transition) -> set[str]:
    return {str(one.cause) for one in transition.unknown_reasons}


@pytest.mark.parametrize("story", STORIES.values(), ids=lambda story: story.name)
def test_a_story_proves_what_it_says_and_nothing_that_did_not_happen(tmp_path: Path, story: Story) -> None:
    told, proved = newest(plant(tmp_path, story.name)), story.proved
    assert {axis: getattr(told.claims, axis) for axis in AXES} == {axis: getattr(proved, axis) for axis in AXES}
    assert (told.flat.expected, told.flat.data_at_risk) == (proved.expected, proved.data_at_risk)
    for axis in AXES:
        true = getattr(story.truth, axis)
        assert is_under(true, getattr(told.claims, axis))
        assert true in getattr(told.open, axis)


@pytest.mark.parametrize("story", STORIES.values(), ids=lambda story: story.name)
def test_a_sweep_sees_of_a_story_what_its_checks_look_for(tmp_path: Path, story: Story) -> None:
    findings = json.loads(run(HEALTH, plant(tmp_path, story.name), "health"))["data"]["findings"]
    bad = {finding["check"] for finding in findings if finding["status"] in ("warn", "fail")}
    assert bad == set(story.signs)
    assert story.fault().expected == ("warn" if bad else "pass")


@pytest.mark.parametrize("fault", [None, "full-disk", "clock-years-off", "plain-vm"])
def test_a_node_without_a_story_was_last_rebooted_in_good_order(tmp_path: Path, fault: str | None) -> None:
    transitions = reported(plant(tmp_path, fault), "--all").transitions
    assert [one.claims.termination for one in transitions] == ["orderly.reboot"] * 2
    assert {one.flat.expected for one in transitions} == {"unknown"}


def test_the_boots_before_the_story_stay_as_they_were(tmp_path: Path) -> None:
    transitions = reported(plant(tmp_path, "reset-panic"), "--all").transitions
    assert [one.claims.termination for one in transitions] == ["disorderly.panic", "orderly.reboot"]
    assert transitions[0].from_boot_id == transitions[1].to_boot_id


@pytest.mark.parametrize("now", [1_750_000_000.0, 2_100_000_000.0])
def test_a_story_is_the_same_in_another_year(tmp_path: Path, now: float) -> None:
    told = newest(plant(tmp_path, "reset-panic-stale-record", now=now))
    assert told.claims.termination == "disorderly.panic"
    assert told.flat.words.endswith("Asynchronous SError Interrupt")
    assert {"panic", "unbound_record"} <= kinds(told)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("reset-by-power-key", "power_key"), ("reset-by-operator", "operator_command"),
        ("reset-by-upgrades", "package_change"), ("reset-oops-then-reboot", "oops"),
        ("reset-oom-then-reboot", "oom_kill"), ("reset-memory-wedge", "gpu_no_memory"), ("reset-gsp-silent", "xid"),
        ("reset-smmu-panic", "smmu_stall"), ("reset-smmu-panic", "firmware_error_record"),
        ("reset-silent-stale-record", "unbound_record"), ("reset-sysrq", "sysrq"),
    ],
)  # fmt: skip
def test_what_came_before_is_seen(tmp_path: Path, name: str, seen: str) -> None:
    assert seen in kinds(newest(plant(tmp_path, name)))


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("reset-boots-missed", "boots_missed"),
        ("reset-volatile-journal", "journal_volatile"),
        ("reset-no-rights", "journal_not_permitted"),
    ],
)
def test_missing_evidence_is_named(tmp_path: Path, name: str, cause: str) -> None:
    assert causes(newest(plant(tmp_path, name))) == {cause}


def test_a_lost_clock_gives_no_gap_and_a_kept_one_gives_it(tmp_path: Path) -> None:
    assert newest(plant(tmp_path / "a", "reset-clock-lost")).window.gap_s is None
    gap = newest(plant(tmp_path / "b", "reset-by-power-key")).window.gap_s
    assert gap is not None
    assert 9 * 3600 < gap < 10 * 3600


def test_wtmp_is_that_of_an_arm64_machine_and_the_program_finds_the_boots_in_it(tmp_path: Path) -> None:
    root = plant(tmp_path, "reset-silent")
    content = (root / "var/log/wtmp").read_bytes()
    assert len(content) % ARM64_RECORD == 0
    assert content.count(b"reboot\0") == 3
    assert content.count(b"shutdown\0") == 1
    premises = {one.kind for one in reported(root).observations}
    assert "wtmp_no_shutdown" in premises


def test_a_panic_leaves_several_parts_that_end_in_its_last_words(tmp_path: Path) -> None:
    root = plant(tmp_path, "reset-panic")
    parts = sorted((root / "var/lib/systemd/pstore").glob("*/001/dmesg-efi_pstore-*"), key=lambda path: path.name[-5:])
    assert len(parts) > 3
    heads = [path.read_text().splitlines()[0] for path in parts]
    assert heads == [f"Panic#1 Part{number}" for number in range(1, len(parts) + 1)]
    assert "Kernel panic - not syncing: Asynchronous SError Interrupt" in parts[0].read_text()
    assert all(len(path.read_bytes()) < 2048 for path in parts)


def test_the_exported_journal_and_the_recorded_kernel_log_tell_the_same(tmp_path: Path) -> None:
    root = plant(tmp_path, "reset-smmu-panic")
    entries = [json.loads(line) for line in (root / "cmd/journal0.json").read_text().splitlines()]
    of_kernel = [entry for entry in entries if entry["SYSLOG_IDENTIFIER"] == "kernel"]
    exported = [(int(entry["_SOURCE_MONOTONIC_TIMESTAMP"]), entry["MESSAGE"]) for entry in of_kernel]
    shown = [entry for entry in exported if not entry[1].startswith("Kernel command line: ")]
    assert sorted(shown) == sorted(_recorded_kernel_log(root))


def _recorded_kernel_log(root: Path) -> Iterable[tuple[int, str]]:
    commands = json.loads((root / "cmd/commands.json").read_text())
    text = next(entry["stdout"] for entry in commands if entry["argv"][:2] == ["journalctl", "-k"])
    for line in text.splitlines():
        stamp, _, rest = line[1:].partition("]")
        yield round(float(stamp) * 1e6), rest.partition(" kernel: ")[2]


def test_entries_are_numbered_from_boot_to_boot_and_a_lost_boot_leaves_a_gap(tmp_path: Path) -> None:
    whole = _numbers(plant(tmp_path / "a", "reset-by-operator"))
    assert whole == list(range(whole[0], whole[0] + len(whole)))
    gaps = [after - before for before, after in pairwise(_numbers(plant(tmp_path / "b", "reset-boots-missed")))]
    assert sum(gap > 1 for gap in gaps) == 1


def _numbers(root: Path) -> list[int]:
    files = sorted((root / "cmd").glob("journal*.json"), key=lambda path: int(path.stem.removeprefix("journal")))
    cursors = (json.loads(line)["__CURSOR"] for path in files for line in path.read_text().splitlines())
    return [int(cursor.split(";")[1].removeprefix("i="), 16) for cursor in cursors]


def test_two_boots_of_a_node_share_no_message_at_the_same_moment(tmp_path: Path) -> None:
    root = plant(tmp_path, None)
    stamps: dict[str, set[tuple[str, str]]] = {}
    for path in (root / "cmd").glob("journal*.json"):
        entries: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
        moments = {(entry.get("_SOURCE_MONOTONIC_TIMESTAMP", "0"), entry["MESSAGE"]) for entry in entries}
        stamps[path.name] = {moment for moment in moments if moment[0] != "0"}
    first, second, third = stamps.values()
    assert first & second == second & third == first & third == set()


def test_a_running_node_tells_the_story_that_it_is_given_over_ssh(start_lab: StartLab) -> None:
    lab = start_lab("healthy", "reset-silent")
    ask = f"python3 -I -S {REPORTER} --elevation commands"
    assert _claimed(visit(lab, "sim-01", ask).stdout) == "orderly.reboot"
    assert _claimed(visit(lab, "sim-02", ask).stdout) == "disorderly"
    control.break_node(lab.directory, "sim-01", "reset-panic")
    assert _claimed(visit(lab, "sim-01", ask).stdout) == "disorderly.panic"
    control.mend(lab.directory, "sim-01")
    assert _claimed(visit(lab, "sim-01", ask).stdout) == "orderly.reboot"


def _claimed(document: bytes) -> str:
    return parsed(document).transitions[0].claims.termination


def test_the_page_on_the_lab_says_what_each_story_proves() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lab.md").read_text("utf-8")
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in page.splitlines() if "| `reset-" in line
    ]
    told = {row[0]: tuple(row[2:]) for row in rows}
    assert told == {name: tuple(getattr(story.proved, axis) for axis in AXES) for name, story in STORIES.items()}


def test_there_are_stories_enough_and_the_lab_lists_each() -> None:
    assert len(STORIES) > 20
    assert {name: story.description for name, story in STORIES.items()}.items() <= CHARACTERS.items()
