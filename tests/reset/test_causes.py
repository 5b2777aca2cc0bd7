"""Keys and heat: what was announced counts only when that very kind of shutdown followed, and soon."""

from dataclasses import replace
from pathlib import Path

import pytest

from diag.reset.evidence import Report
from diag.reset.report import document
from diag.reset.rules import NEAR_END, SOON_S
from diag.reset.sources.journal import things_in
from tests.reset.answers import Document, answer, reports_of
from tests.reset.evidence_of import entry, of_kernel
from tests.reset.trees import (
    ACTS,
    CUT_OFF,
    ENDS,
    HEAT,
    KEY,
    End,
    Row,
    boots_of,
    build_machine,
    init,
    kernel,
    orderly,
    program,
)  # fmt: skip

HEAT_REBOOT = kernel("reboot: HARDWARE PROTECTION reboot (Temperature too high)")
HEAT_SHUTDOWN = kernel("reboot: HARDWARE PROTECTION shutdown (Temperature too high)")
HOT = kernel("thermal thermal_zone0: acpitz: critical temperature reached")
TIMED_OUT = init("postgresql.service: State 'stop-sigterm' timed out. Killing.")
Monkey = pytest.MonkeyPatch


def told(end: End, tmp_path: Path, monkeypatch: Monkey) -> Document:
    """The newest end of a machine that ended so."""
    monkeypatch.setitem(ENDS, "this", end)
    made: Document = answer(build_machine(tmp_path / "tree", ["this"]))["transitions"][0]
    return made


def ended(*rows: Row, verb: str) -> End:
    return End((*rows, *orderly(verb)), None)


@pytest.mark.parametrize(
    ("end", "initiator"),
    [
        (ended(HEAT, verb="poweroff"), "os.kernel_policy.thermal"),
        (ended(HOT, HEAT_SHUTDOWN, verb="poweroff"), "os.kernel_policy.thermal"),
        (ended(HOT, HEAT_REBOOT, verb="reboot"), "os.kernel_policy.thermal"),
        (ended(HEAT, HEAT, verb="poweroff"), "os.kernel_policy.thermal"),
        # What was announced is not what was done.
        (ended(HEAT, verb="reboot"), "any"),
        (ended(HOT, HEAT_REBOOT, verb="poweroff"), "any"),
        (ended(HOT, verb="reboot"), "any"),
        (ended(KEY, ACTS, verb="reboot"), "any"),
        (ended(KEY, program("systemd-logind", "Rebooting..."), verb="poweroff"), "any"),
        (ended(KEY, program("systemd-logind", "Rebooting..."), verb="reboot"), "human_physical"),
        # Nothing was shut down at all.
        (End((HEAT,), None, **CUT_OFF), "any"),
        (End((KEY, ACTS), None, **CUT_OFF), "any"),
        # It came when the shutdown had begun.
        (End((*orderly("poweroff")[:3], HEAT, *orderly("poweroff")[3:]), None), "any"),
    ],
)
def test_what_sets_a_shutdown_off_announces_that_very_kind_before_it(
    end: End, initiator: str, tmp_path: Path, monkeypatch: Monkey
) -> None:
    assert told(end, tmp_path, monkeypatch)["claims"]["initiator"] == initiator


def test_heat_that_grows_while_the_machine_shuts_down_for_it_changes_nothing(
    tmp_path: Path, monkeypatch: Monkey
) -> None:
    off = orderly("poweroff")
    end = End((HEAT, *off[:4], HEAT, *off[4:]), None)
    assert told(end, tmp_path, monkeypatch)["claims"]["initiator"] == "os.kernel_policy.thermal"


def earlier(kind: str, before_s: float, end: str, tmp_path: Path) -> Document:
    """The newest end of a machine on which what is of this kind came so many seconds before the first step."""
    reports = reports_of(build_machine(tmp_path / "tree", [end]))
    (journal,) = [one for one in reports if one.source == "journal"]
    begun = next(one.at_s for one in journal.seen if one.kind == "logind_verb" and one.at_s is not None)
    seen = tuple(replace(one, at_s=begun - before_s) if one.kind == kind else one for one in journal.seen)
    moved: list[Report] = [replace(one, seen=seen) if one is journal else one for one in reports]
    made: Document = document(moved, boots_of([end])[1].boot_id, 0)["transitions"][0]
    return made


@pytest.mark.parametrize(
    ("kind", "end", "initiator"),
    [("heat_poweroff", "heat", "os.kernel_policy.thermal"), ("key_poweroff", "power_key", "human_physical")],
)
def test_what_was_announced_long_before_set_nothing_off(kind: str, end: str, initiator: str, tmp_path: Path) -> None:
    assert earlier(kind, SOON_S - 1, end, tmp_path / "soon")["claims"]["initiator"] == initiator
    assert earlier(kind, SOON_S + 1, end, tmp_path / "late")["claims"]["initiator"] == "any"


@pytest.mark.parametrize(
    ("kind", "end", "seconds"), [("power_key", "power_key", 300.0), ("thermal_critical", "heat", 600.0)]
)
def test_a_key_or_heat_stands_against_other_causes_for_minutes_and_not_for_hours(
    kind: str, end: str, seconds: float, tmp_path: Path, monkeypatch: Monkey
) -> None:
    """The announcement itself is taken away, so that it cannot be the cause."""
    assert NEAR_END[kind] == seconds
    lines = tuple(row for row in ENDS[end].last if row is not ACTS)
    monkeypatch.setitem(ENDS, "this", End(lines, None))
    monkeypatch.setattr("diag.reset.messages.CAUSES", ())
    assert earlier(kind, seconds - 5, "this", tmp_path / "near")["claims"]["initiator"] == "any"
    assert earlier(kind, seconds + 5, "this", tmp_path / "far")["claims"]["initiator"] == "os"


def test_words_that_any_program_may_write_announce_nothing() -> None:
    """The kernel and the login manager announce; what others print in their words is nothing."""
    forged = entry("reboot: HARDWARE PROTECTION reboot (Temperature too high)", 5.0, SYSLOG_IDENTIFIER="kernel")
    target = entry("Reached target reboot.target - A.", 6.0, _PID="1", _UID="0", SYSLOG_IDENTIFIER="systemd")
    real = of_kernel("reboot: HARDWARE PROTECTION reboot (Temperature too high)", 5.0)
    assert "heat_reboot" not in {one.kind for one in things_in([forged, target], [], "here")}
    assert "heat_reboot" in {one.kind for one in things_in([real, target], [], "here")}


# --- few words ---


@pytest.mark.parametrize(
    ("end", "expected", "at_risk", "vendor"),
    [
        (ended(verb="reboot"), "unknown", "no", "PLANNED_REBOOT"),
        (ended(HEAT, verb="poweroff"), "no", "no", "UNKNOWN"),
        (End((*orderly()[:3], TIMED_OUT, *orderly()[3:]), None), "unknown", "unknown", "PLANNED_REBOOT"),
        (ENDS["panic"], "unknown", "yes", "KERNEL_PANIC_OR_OOPS"),
        (ENDS["bitten"], "no", "yes", "WATCHDOG_RESET_SUSPECTED"),
        (ENDS["power_key"], "unknown", "no", "PLANNED_SHUTDOWN"),
        (ENDS["silent"], "unknown", "yes", "UNKNOWN"),
        (ENDS["unwritten"], "unknown", "unknown", "UNKNOWN"),
    ],
)
def test_few_words_say_only_what_holds_for_all_that_is_open(
    end: End, expected: str, at_risk: str, vendor: str, tmp_path: Path, monkeypatch: Monkey
) -> None:
    flat = told(end, tmp_path, monkeypatch)["flat"]
    assert (flat["expected"], flat["data_at_risk"], flat["vendor_reason"]) == (expected, at_risk, vendor)


def test_a_forced_end_is_not_said_to_be_a_restart(tmp_path: Path, monkeypatch: Monkey) -> None:
    assert "estart" not in told(ENDS["forced"], tmp_path, monkeypatch)["flat"]["words"]
