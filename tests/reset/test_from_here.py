"""What the bastion saw itself: the ledger of contacts, who went down together, and the log of a UPS."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.ups_log import read_outages
from sparkctl.errors import UsageError
from sparkctl.model.contacts import Contacts, Outage
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reset_from_here import from_here, went_together
from sparkctl.model.reset_report import FromHere
from sparkctl.model.witnesses import Witnesses
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.support.envelopes import PROGRAM
from tests.support.resets import RUN_ID, WITNESSES, boot, reset_record, transition

VISIT = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)  # as reset_record has it; the running boot is two hours old
BEGAN = VISIT - timedelta(hours=2)
CUT_OFF: dict[str, Any] = {"termination": "disorderly", "words": "Ended without a shutdown"}


def outcome(node_id: str = "spark01", *, end: dict[str, Any] = CUT_OFF, **witnesses: Any) -> NodeOutcome:
    said = {**dict.fromkeys(WITNESSES), "boot_id": boot(0), "uptime_s": 7200.0, **witnesses}
    return NodeOutcome.of(reset_record(node_id, transition(**end), witnesses=said))


def armed(**parts: Any) -> Witnesses:
    return Witnesses.model_validate({**dict.fromkeys(WITNESSES), "boot_id": boot(1), **parts})


def contact(minutes_before: float = 3, **witnesses: Any) -> Contacts:
    last = BEGAN - timedelta(minutes=minutes_before)
    return Contacts(boot(1), last - timedelta(days=9), last, armed(**witnesses) if witnesses else None)


def seen(node_id: str = "spark01", minutes_before: float = 3) -> FromHere:
    found = from_here(outcome(node_id), [contact(minutes_before)], [])
    assert found is not None
    return found


def test_an_end_lies_between_the_last_contact_and_the_beginning_of_the_next_boot() -> None:
    found = seen()
    assert (found.last_contact, found.began) == (BEGAN - timedelta(minutes=3), BEGAN)
    assert found.first_contact == VISIT
    assert found.premises == []


def test_a_boot_that_was_never_heard_of_bounds_nothing() -> None:
    found = from_here(outcome(), [Contacts(boot(7), VISIT, VISIT, None)], [])
    assert found is not None
    assert found.last_contact is None


def test_a_first_contact_before_this_visit_is_kept() -> None:
    earlier = VISIT - timedelta(minutes=50)
    found = from_here(outcome(), [Contacts(boot(0), earlier, earlier, None)], [])
    assert found is not None
    assert found.first_contact == earlier


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        ({"pstore_backend": "efi_pstore"}, {}, "would have taken a panic record; none is bound"),
        ({"journal_persistent": False}, {}, "its journal was not kept on disk"),
        (
            {"watchdog_state": "active", "watchdog_identity": "SBSA", "watchdog_bootstatus": 0},
            {"watchdog_bootstatus": 32},
            "the watchdog SBSA was armed; it says now that it reset the machine, and did not then",
        ),
        ({"watchdog_state": "active", "watchdog_bootstatus": 32}, {"watchdog_bootstatus": 32}, "it does not say"),
        (
            {"unsafe_shutdowns": 7, "power_cycles": 40},
            {"unsafe_shutdowns": 8, "power_cycles": 41},
            "1 more unsafe shutdowns and 1 more power cycles",
        ),
    ],
)
def test_what_had_been_armed_is_told_beside_what_came_of_it(
    then: dict[str, Any], now: dict[str, Any], words: str
) -> None:
    found = from_here(outcome(**now), [contact(**then)], [])
    assert found is not None
    assert any(words in premise for premise in found.premises), found.premises


def test_a_panic_that_left_its_record_is_not_missed() -> None:
    panic = {"termination": "disorderly.panic", "expected": "no"}
    found = from_here(outcome(end=panic), [contact(pstore_backend="efi_pstore")], [])
    assert found is not None
    assert found.premises == []


def test_a_counter_that_went_back_is_of_another_drive() -> None:
    found = from_here(outcome(unsafe_shutdowns=2), [contact(unsafe_shutdowns=9)], [])
    assert found is not None
    assert found.premises == []


def test_nodes_of_one_supply_that_may_have_gone_at_one_moment_are_told_together() -> None:
    ends = [seen("spark01", 3), seen("spark02", 7), seen("spark03", 2), seen("other", 1)]
    groups = {"spark01": "pdu-a", "spark02": "pdu-a", "spark03": "pdu-b", "spark04": "pdu-a"}
    (one,) = went_together(ends, {"spark01", "spark02", "spark03", "other"}, groups, [])
    assert (one.power_group, one.nodes, one.members) == ("pdu-a", ["spark01", "spark02"], 3)
    assert (one.after, one.before) == (BEGAN - timedelta(minutes=3), BEGAN)


def test_nodes_that_went_at_different_times_or_as_planned_are_not_told_together() -> None:
    groups = {"spark01": "pdu-a", "spark02": "pdu-a"}
    late = seen("spark02", 3).model_copy(update={"began": VISIT, "last_contact": VISIT - timedelta(minutes=9)})
    assert went_together([seen("spark01"), late], {"spark01", "spark02"}, groups, []) == []
    assert went_together([seen("spark01"), seen("spark02")], {"spark01"}, groups, []) == []


def test_a_node_that_went_alone_long_before_hides_nobody() -> None:
    groups = dict.fromkeys(("alone", "spark01", "spark02"), "pdu-a")
    days = timedelta(days=3)
    early = seen("alone").model_copy(
        update={"began": BEGAN - days, "last_contact": BEGAN - days - timedelta(minutes=1)}
    )
    (one,) = went_together([early, seen("spark01"), seen("spark02")], set(groups), groups, [])
    assert one.nodes == ["spark01", "spark02"]


def test_a_boot_that_began_before_the_last_one_was_heard_of_joins_nobody() -> None:
    groups = dict.fromkeys(("odd", "spark01", "spark02"), "pdu-a")
    odd = seen("odd").model_copy(update={"began": BEGAN - timedelta(days=365)})
    (one,) = went_together([odd, seen("spark01"), seen("spark02")], set(groups), groups, [])
    assert one.nodes == ["spark01", "spark02"]


RESETS = "since the last contact the TPM counts"


@pytest.mark.parametrize(
    ("then", "now", "premises"),
    [
        ((40, 3), (41, 0), [f"{RESETS} 1 more reset"]),
        ((40, 3), (43, 1), [f"{RESETS} 3 more resets"]),
        ((40, 3), (40, 4), [f"{RESETS} 0 more resets and 1 more restart"]),
        ((40, None), (40, 4), [f"{RESETS} 0 more resets"]),
        ((40, 3), (40, 2), [f"{RESETS} 0 more resets"]),
        ((40, 3), (2, 0), []),  # it was cleared
        ((None, 3), (41, 0), []),
        ((40, 3), (None, 0), []),
    ],
)
def test_resets_that_the_tpm_counted(
    then: tuple[int | None, int | None], now: tuple[int | None, int | None], premises: list[str]
) -> None:
    def told(resets: int | None, restarts: int | None) -> dict[str, Any]:
        return {"tpm_reset_count": resets, "tpm_restart_count": restarts}

    found = from_here(outcome(**told(*now)), [contact(**told(*then))], [])
    assert found is not None
    assert found.premises == premises


def test_witnesses_of_an_older_store_have_no_tpm() -> None:
    kept = {key: None for key in WITNESSES if not key.startswith("tpm")}
    assert Witnesses.model_validate_json(json.dumps(kept)).tpm_reset_count is None


@pytest.mark.parametrize("uptime", [7e10, 2.0**40])
def test_an_impossible_uptime_is_no_witness(uptime: float) -> None:
    found = from_here(outcome(uptime_s=uptime), [contact()], [])
    assert found is not None
    assert found.began is None


def test_a_ups_on_battery_at_that_time_is_a_premise() -> None:
    outage = Outage(BEGAN - timedelta(minutes=2), BEGAN - timedelta(minutes=1))
    before = Outage(BEGAN - timedelta(hours=9), BEGAN - timedelta(hours=8))
    found = from_here(outcome(), [contact()], [before, outage])
    assert found is not None
    assert found.premises == ["the UPS was on battery from 2026-11-25 05:58:00 UTC to 2026-11-25 05:59:00 UTC"]


UPSLOG = """\
20261125 055700 100 230.1 12 [OL] 25.0 50.0
20261125 055800 99 0.0 12 [OB DISCHRG] 25.0 NA
rubbish \x00 20261125
20261125 055900 97 231.0 12 [OL CHRG] 25.0 50.0
20261125 060500 96 0.0 12 [OB LB] 25.0 NA
"""
UPSMON = """\
2026-11-25T06:58:00+01:00 bastion upsmon[812]: UPS rack1@localhost on battery
2026-11-25T05:58:30+00:00 bastion sshd[9]: session opened
2026-11-25T05:59:00+00:00 bastion upsmon[812]: UPS rack1@localhost on line power
"""


def test_both_logs_of_a_ups_are_read(tmp_path: Path) -> None:
    log = tmp_path / "ups.log"
    log.write_text(UPSLOG)
    first = Outage(datetime(2026, 11, 25, 5, 58, tzinfo=UTC), datetime(2026, 11, 25, 5, 59, tzinfo=UTC))
    assert read_outages(log) == [first, Outage(datetime(2026, 11, 25, 6, 5, tzinfo=UTC), None)]
    log.write_text(UPSMON)
    assert read_outages(log) == [first]


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 500, b"20261399 250000 x [OB]\n"])
def test_a_file_that_is_no_ups_log_is_refused(content: bytes, tmp_path: Path) -> None:
    log = tmp_path / "ups.log"
    log.write_bytes(content)
    with pytest.raises(UsageError, match=r"ups\.log has no line"):
        read_outages(log)
    with pytest.raises(UsageError, match="cannot be read"):
        read_outages(tmp_path / "absent")


def test_the_ledger_keeps_first_and_last_and_what_was_armed(tmp_path: Path) -> None:
    """A visit that brings no witnesses moves the last contact and leaves them."""
    later, last = VISIT + timedelta(hours=1), VISIT + timedelta(hours=2)
    visits = [
        outcome(pstore_backend="efi_pstore"),
        replace(outcome(), ts=later, witnesses=None),
        replace(outcome(), ts=last, boot_id=boot(9), witnesses=None),
    ]
    with SweepLock(tmp_path, ["test"]) as lock, Store.open(tmp_path) as store:
        for number, visit in enumerate(visits):
            run_id = f"{RUN_ID[:-1]}{number}"
            start = RunStart(
                run_id=run_id, tool="t", started_at=VISIT, selector="all", program_sha256=PROGRAM, selected=1
            )
            store.begin_run(lock, start, RunKind.RESET)
            store.add([replace(visit, run_id=run_id)])
        old, new = store.contacts(["spark01"])["spark01"]
        assert store.contacts(["unknown"]) == {}
    assert (old.boot_id, old.first_at, old.last_at) == (boot(0), VISIT, later)
    assert old.witnesses is not None
    assert old.witnesses.pstore_backend == "efi_pstore"
    assert (new.boot_id, new.first_at, new.last_at, new.witnesses) == (boot(9), last, last, None)


@pytest.mark.parametrize("said", ["nonsense", "", None])
def test_what_is_no_boot_id_is_not_entered(said: str | None) -> None:
    record = reset_record("spark01", transition(**CUT_OFF))
    assert record.envelope is not None
    node = record.envelope.meta.node.model_copy(update={"boot_id": said})
    envelope = record.envelope.model_copy(update={"meta": record.envelope.meta.model_copy(update={"node": node})})
    made = NodeOutcome.of(record.model_copy(update={"envelope": envelope}))
    assert (made.boot_id, made.witnesses) == (None, None)
