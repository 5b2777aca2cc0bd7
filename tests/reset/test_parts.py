"""What each part of a rule, of a reading and of a limit is for: without it, one of these would be told otherwise."""

import re
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.machine import Machine
from diag.reset import drops, journal
from diag.reset.advice import arm_now
from diag.reset.correlate import correlate
from diag.reset.rules import TAIL_S
from diag.reset.scope import Scope
from diag.reset.sources import pstore, wtmp
from diag.reset.sources.journal import MOST_LINES
from diag.reset.words import Axis
from tests.reset.answers import answer, claims, run_program
from tests.reset.evidence_of import window
from tests.reset.trees import boots_of, build_machine, record, take_away, write, wtmp_of

BEGUN = ("to:journal_unclean", "to:root_recovered", "from:logind_verb")


@pytest.mark.parametrize("verb", ["reboot", "poweroff", "halt", "kexec"])
def test_a_restart_that_kexec_tools_took_over_is_no_plain_one(verb: str) -> None:
    seen = (f"from:target_{verb}", "from:journal_stopped", "to:root_clean")
    assert correlate(window(*seen))[Axis.TERMINATION].claim.startswith("orderly")
    assert correlate(window(*seen, "from:kexec_tools"))[Axis.TERMINATION].claim == "any"


@pytest.mark.parametrize("trace", ["from:read_only", "to:root_errors"])
def test_a_root_that_took_no_more_writes_hides_how_a_shutdown_that_had_begun_came_out(trace: str) -> None:
    assert correlate(window(*BEGUN))[Axis.TERMINATION].claim == "disorderly"
    assert correlate(window(*BEGUN, trace))[Axis.TERMINATION].claim == "any"


def test_a_panic_that_left_a_dump_went_through_a_crash_kernel_and_not_the_firmware() -> None:
    panic = ("from:panic_record", "to:command_line")
    assert correlate(window(*panic))[Axis.RESET_DOMAIN].claim == "platform_reset"
    assert correlate(window(*panic, "from:crash_dump"))[Axis.RESET_DOMAIN].claim == "any"


def test_a_busy_end_is_read_as_far_back_as_it_bears_on_anything() -> None:
    """Four entries a second, and all kernel messages that are kept to bind a record by."""
    lines = {part.__name__: int(re.findall(r"--lines=(\d+)", " ".join(part(0)))[0])
             for part in (journal.tail, journal.kernel_tail, journal.alarms)}  # fmt: skip
    assert lines["tail"] >= 4 * TAIL_S
    assert min(lines["kernel_tail"], lines["alarms"]) >= MOST_LINES


def test_a_start_of_some_thousand_entries_is_read_to_its_end() -> None:
    """As journalctl prints them, of some seven hundred bytes each: recorded starts have up to 866."""
    assert journal.HEAD_BYTES >= 4000 * 866
    assert journal.TAIL_BYTES >= journal.NEWEST * 866


def test_a_boot_is_found_in_the_wtmp_that_was_put_aside(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["silent", "reboot"])
    whole = claims(answer(root))
    oldest, *later = boots_of(["silent", "reboot"])
    write(root / "var/log/wtmp.1", wtmp_of([oldest]))
    write(root / "var/log/wtmp", wtmp_of(later))
    assert claims(answer(root)) == whole
    take_away(root, "var/log/wtmp.1")
    assert claims(answer(root)) != whole


def test_a_wtmp_over_its_limit_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = build_machine(tmp_path / "tree", ["silent", "reboot"])
    whole = claims(answer(root))
    content = (root / "var/log/wtmp").read_bytes()
    monkeypatch.setattr(wtmp, "MAX_BYTES", len(content))
    write(root / "var/log/wtmp.1", content)
    write(root / "var/log/wtmp", record(7, "operator", 5.0) * 500 + content)
    assert claims(answer(root)) == whole


def test_records_that_were_left_out_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = build_machine(tmp_path / "tree", ["panic", "panic", "reboot"])
    assert pstore.read(Machine(str(root)), Scope()).detail is None
    monkeypatch.setattr(pstore, "MOST_RECORDS", 1)
    assert pstore.read(Machine(str(root)), Scope()).detail == "more than 1 records: the oldest were left out"


@pytest.mark.parametrize("text", ["", "\x00\x01garbage", "x" * 200, "two words"])
def test_a_backend_that_has_no_name_is_none(text: str, tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot"])
    write(root / "sys/module/pstore/parameters/backend", text)
    made = answer(root)
    assert made["witnesses"]["pstore_backend"] is None
    assert made["transitions"][0]["strength"]["termination"] == "S2"


def test_half_of_the_transitions_takes_what_only_they_rested_on_along() -> None:
    """The rest is whole: every observation that is left is named by what is left."""

    def end(index: int, name: str) -> dict[str, Any]:
        return {"index": index, "proof": [{"premises": [name]}], "antecedents": [], "would_decide": []}

    data = {"transitions": [end(0, "o1"), end(-1, "o2")], "observations": [{"id": "o1"}, {"id": "o2"}]}
    (half,) = {drop for name, drop in drops.DROPS if name == "older transitions"}
    assert half(data) == 2
    assert (len(data["transitions"]), data["observations"]) == (1, [{"id": "o1"}])


# --- reasons ---


def reasons(made: dict[str, Any], axis: str = "termination") -> list[tuple[str, str]]:
    return [(one["cause"], one["detail"]) for one in made["unknown_reasons"] if one["axis"] == axis]


def test_what_stands_against_what_is_said_in_its_own_words(tmp_path: Path) -> None:
    (made,) = answer(build_machine(tmp_path / "tree", ["not_unmounted"]))["transitions"]
    ((cause, words), *_) = reasons(made)
    assert cause == "evidence_conflicts"
    assert "Reached target reboot" in words
    assert "recovering journal" in words


def test_a_wtmp_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    root = build_machine(tmp_path / "tree", ["reboot"])
    take_away(root, "var/log/wtmp")
    (made,) = answer(root)["transitions"]
    assert {cause for cause, _ in reasons(made)} == {"wtmp_missing"}


def test_a_shutdown_that_had_begun_is_named_where_it_did_not_come_to_its_end(tmp_path: Path) -> None:
    (made,) = answer(build_machine(tmp_path / "tree", ["stuck_entered"]))["transitions"]
    ((cause, words),) = reasons(made)
    assert cause == "indistinguishable"
    assert "Stopped target multi-user.target" in words


def test_an_end_that_the_journal_does_not_hold_is_of_no_boot_that_is_known(tmp_path: Path) -> None:
    (made,) = run_program(build_machine(tmp_path / "tree", ["reboot"]), "--boot", "-5")["transitions"]
    assert (made["from_boot_id"], made["to_boot_id"]) == (None, None)
    assert reasons(made) == [("no_previous_boot", "the journal that was read does not hold so many boots")]


def test_advice_takes_effect_and_lasts() -> None:
    found = " ".join(arm_now({"panic_timeout_s": 0, "watchdog_state": "inactive"}))
    assert "daemon-reexec" in found
    assert "/etc/sysctl.d" in found
