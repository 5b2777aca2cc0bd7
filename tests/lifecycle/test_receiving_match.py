"""The four-way match: each class, and that nobody is silently missing."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.model.receiving import MatchClass, MatchedUnit, ReceivingReport
from tests.lifecycle.deliveries import GIB, TB, Delivery, delivery_of, notice, order, scan, seen

LABEL = "SSIM1 1PSPARK-4TB"


def classes(report: ReceivingReport) -> dict[str, int]:
    return {name.value: number for name, number in report.classes.items() if number}


def only(made: Delivery) -> MatchedUnit:
    (unit,) = made.matched().units
    return unit


def delivery(**rows: Any) -> Delivery:
    whole: dict[str, Any] = {
        "orders": [order()], "notices": [notice("SIM1")], "scans": [scan(LABEL)], "observed": [seen("SIM1")],
    }  # fmt: skip
    return Delivery(**whole | rows)


def test_what_agrees_is_matched() -> None:
    report = delivery().matched()
    (unit,) = report.units
    assert (unit.match_class, unit.node_id, unit.po, unit.line) == (MatchClass.MATCHED, "node-SIM1", "PO1", "10")
    assert (unit.order, unit.notice, unit.observed) == ("po.csv:10", "asn.csv:SIM1", "node-SIM1")
    assert (report.exit_code, report.needs_person, report.inputs.ordered) == (0, 0, 1)


@pytest.mark.parametrize(
    ("rows", "wanted", "words"),
    [
        ({"observed": []}, {"matched_partially": 1}, "not observed yet"),
        ({"orders": [order(quantity=3)]}, {"matched": 1, "short": 2}, "2 of them were neither"),
        ({"scans": [], "observed": []}, {"not_arrived": 1}, "nobody has scanned or seen it"),
        ({"scans": []}, {"not_scanned": 1}, "nobody has scanned its label"),
        ({"notices": []}, {"unannounced": 1}, "no notice names this serial"),
        ({"notices": [], "scans": [scan("SSIM1 1PTOASTER")]}, {"unordered": 1, "short": 1}, "its part was not ordered"),
        ({"notices": [notice("SIM1", po="PO9")]}, {"unordered": 1, "short": 1}, "which there is not"),
        ({"notices": [notice("SIM1"), notice("SIM2")]}, {"matched": 1, "over": 1}, "more are announced"),
        ({"notices": [notice("SIM1", line=None)]}, {"matched": 1}, "agree"),
        ({"notices": [notice("SIM1", line=None, part=None)]}, {"unordered": 1, "short": 1}, "which there is not"),
        ({"scans": [scan("SSIM1 1PSPARK-1TB")]}, {"wrong_part": 1}, "the label says SPARK-1TB"),
        ({"notices": [notice("SIM1", part="SPARK-1TB")]}, {"wrong_part": 1}, "announced SPARK-1TB"),
        ({"orders": [order(product="GX10")], "observed": [seen("SIM1", product="X")]}, {"wrong_part": 1}, "says X"),
        ({"observed": [seen("SIM1", ssd_bytes=TB)]}, {"wrong_configuration": 1}, "4 TB, its drive has 1 TB"),
        ({"observed": [seen("SIM1", memory_bytes=64 * GIB)]}, {"wrong_configuration": 1}, "ordered are 128 GiB"),
        ({"observed": [seen("SIM1", ssd_bytes=None)]}, {"matched_partially": 1}, "drive could not be read"),
        ({"observed": [seen("SIM1", serials_agree=False)]}, {"serial_mismatch": 1}, "different serials"),
        ({"observed": [seen("SIM2", enrolled="SIM1")]}, {"serial_mismatch": 1}, "the machine says SIM2"),
        ({"observed": [seen(None, "n", enrolled="SIM1", refused="it says X")]}, {"serial_mismatch": 1}, "it says X"),
        ({"observed": [seen("SIM2")]}, {"matched_partially": 1, "observed_unknown": 1}, "no order, notice or label"),
        ({"observed": [seen("SIM1"), seen("SIM1", "twin")]}, {"duplicate_serial": 2}, "two machines"),
        ({"notices": [notice("SIM1"), notice("sim1")]}, {"duplicate_serial": 2}, "twice"),
        ({"scans": [scan(LABEL), scan(LABEL, 2)]}, {"matched": 1, "duplicate_scan": 1}, "scanned before"),
        ({"scans": [scan(LABEL), scan("SSIM1 1PSPARK-1TB", 2)]}, {"duplicate_serial": 2}, "two labels"),
        ({"scans": [scan(LABEL), scan("~~#", 2)]}, {"matched": 1, "unreadable_scan": 1}, "no serial can be read"),
    ],
)  # fmt: skip
def test_each_class(rows: dict[str, Any], wanted: dict[str, int], words: str) -> None:
    report = delivery(**rows).matched()
    assert classes(report) == wanted
    assert any(words in reason for unit in report.units for reason in unit.reasons)
    needs_person = set(wanted) - {"matched", "matched_partially", "duplicate_scan"}
    assert report.exit_code == (1 if needs_person else 3 if "matched_partially" in wanted else 0)


@pytest.mark.parametrize(
    ("label", "noticed", "has", "wanted"),
    [
        ("02:51:00:00:00:01", [], ["02:51:00:00:00:01", "02:51:00:00:00:02"], "matched"),
        ("02:51:00:00:00:09", [], ["02:51:00:00:00:01"], "mac_mismatch"),
        ("02:51:00:00:00:01", ["02510000009"], ["02:51:00:00:00:01"], "matched"),
        ("02:51:00:00:00:01", ["025100000009"], ["02:51:00:00:00:01"], "mac_mismatch"),
        ("", ["025100000009"], ["02:51:00:00:00:01"], "mac_mismatch"),
        ("02:51:00:00:00:01", [], [], "matched_partially"),
    ],
)
def test_mac_addresses(label: str, noticed: list[str], has: list[str], wanted: str) -> None:
    unit = only(
        delivery(
            notices=[notice("SIM1", macs=noticed)],
            scans=[scan("SN=SIM1", mac=label or None)],
            observed=[seen("SIM1", macs=has)],
        )
    )
    assert unit.match_class == wanted


def test_a_serial_that_looks_like_a_mac_address_is_none() -> None:
    serial = "02510000000A"
    made = delivery(notices=[notice(serial)], scans=[scan(serial)], observed=[seen(serial, macs=["02:51:00:00:00:01"])])
    assert only(made).match_class is MatchClass.MATCHED


def test_another_serial_is_found_by_the_mac_address_of_the_label() -> None:
    mac = "02:51:00:00:00:01"
    unit = only(delivery(scans=[scan(f"SN=SIM1;MAC={mac}")], observed=[seen("WRONG", "spark01", macs=[mac])]))
    assert (unit.match_class, unit.serial, unit.node_id) == (MatchClass.SERIAL_MISMATCH, "SIM1", "spark01")
    assert "says WRONG" in unit.reasons[0]


def test_a_machine_without_a_serial_is_known_by_its_mac_address_only_in_part() -> None:
    mac = "02:51:00:00:00:01"
    unit = only(delivery(notices=[notice("SIM1", macs=[mac])], observed=[seen(None, "spark01", macs=[mac])]))
    assert (unit.match_class, unit.node_id) == (MatchClass.MATCHED_PARTIALLY, "spark01")


def test_a_mac_address_of_two_machines_leads_to_neither() -> None:
    mac = "02:51:00:00:00:01"
    made = Delivery(
        [order(quantity=2)], [notice("SIM1", macs=[mac]), notice("SIM2", macs=[mac])],
        [scan("SN=SIM1"), scan("SN=SIM2")], [seen(None, "spark01", macs=[mac])],
    )  # fmt: skip
    assert classes(made.matched()) == {"matched_partially": 2, "observed_unknown": 1}


@pytest.mark.parametrize(
    ("code", "known"),
    [("SSIM1", "SIM1"), ("SIM1", "SIM1"), ("sim1", "SIM1"), ("0042", "42"), ("42", "00042"), ("S0042", "42")],
)
def test_what_may_be_several_serials_is_the_one_that_somebody_else_names(code: str, known: str) -> None:
    unit = only(delivery(notices=[notice(known)], scans=[scan(code)], observed=[seen(known)]))
    assert (unit.match_class, unit.serial) == (MatchClass.MATCHED, known)


def test_what_may_be_two_known_serials_is_not_guessed() -> None:
    made = Delivery([order(quantity=2)], [notice("SX1"), notice("X1")], [scan("SX1")], [])
    assert classes(made.matched()) == {"not_arrived": 2, "unreadable_scan": 1}
    zeros = Delivery([order(quantity=2)], [notice("042"), notice("42")], [scan("00042")], [])
    assert "unreadable_scan" not in classes(zeros.matched())  # neither: it is a third one
    assert classes(zeros.matched())["unannounced"] == 1 or classes(zeros.matched())["over"] == 1


def test_what_a_label_may_say_besides_is_told_where_nobody_knows_any_of_it() -> None:
    unit = only(Delivery([], [], [scan("SX77")], []))
    assert (unit.match_class, unit.serial) == (MatchClass.UNANNOUNCED, "SX77")
    assert unit.reasons[0] == "no notice names this serial, nor X77"
    assert only(Delivery([], [], [scan("SX77 1PP")], [])).serial == "X77"


def test_a_simulated_machine_is_called_so() -> None:
    report = delivery(observed=[seen("SIM1", simulated=True)]).matched()
    assert (report.simulated, report.units[0].simulated, report.units[0].match_class) == (
        True,
        True,
        MatchClass.MATCHED,
    )


def test_of_several_faults_the_worst_is_the_class_and_all_are_reasons() -> None:
    unit = only(delivery(observed=[seen("SIM2", enrolled="SIM1", ssd_bytes=TB)], scans=[scan("SSIM1 1PSPARK-1TB")]))
    assert unit.match_class is MatchClass.SERIAL_MISMATCH
    assert [reason.split()[0] for reason in unit.reasons] == ["paper", "ordered", "ordered"]


def accounted(made: Delivery, report: ReceivingReport) -> None:
    """Every row is in one unit, every machine ordered is one place, and the counts add up."""
    for kind, rows in (("notice", made.notices), ("scan", made.scans), ("observed", made.observed)):
        places = Counter(getattr(unit, kind) for unit in report.units if getattr(unit, kind) is not None)
        assert places == Counter(row.where for row in rows), kind
    for line in made.orders:
        assert sum(unit.count for unit in report.units if unit.order == line.where) == line.quantity
    assert sum(report.classes.values()) == sum(unit.count for unit in report.units)
    assert all(unit.reasons for unit in report.units)
    assert all(unit.count == 1 or unit.match_class is MatchClass.SHORT for unit in report.units)
    inputs = report.inputs
    assert (inputs.noticed, inputs.scanned, inputs.observed) == (len(made.notices), len(made.scans), len(made.observed))
    assert inputs.ordered == sum(line.quantity for line in made.orders)


SERIALS = st.sampled_from(["A1", "a1", "SA1", "B2", "0B2", "C3", "S", "x y", "02510000000A"])
MACS = st.lists(st.sampled_from(["02510000000A", "02:51:00:00:00:0b", "nonsense"]), max_size=2)
CODES = st.one_of(SERIALS, st.sampled_from(["SN=A1;PN=P1", "(21)B2", "SA1 1PP2", "~", "", "MAC=02510000000A", "1PP1"]))


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    parts, lines = st.sampled_from(["P1", "P2"]), st.sampled_from(["1", "2", "9"])
    orders = [
        order(str(number), draw(st.integers(1, 3)), draw(parts)) for number in range(1, draw(st.integers(0, 3)) + 1)
    ]
    notices = [
        notice(draw(SERIALS), draw(st.none() | lines), draw(st.none() | parts), macs=draw(MACS), where=f"n{number}")
        for number in range(draw(st.integers(0, 5)))
    ]
    scans = [scan(draw(CODES), where=f"s{number}") for number in range(draw(st.integers(0, 6)))]
    observed = [
        seen(draw(st.none() | SERIALS), f"m{number}", macs=draw(MACS), enrolled=draw(st.none() | SERIALS))
        for number in range(draw(st.integers(0, 5)))
    ]
    return Delivery(orders, notices, scans, observed)


@given(deliveries())
def test_nobody_is_silently_missing(made: Delivery) -> None:
    report = made.matched()
    accounted(made, report)
    assert report == made.matched()


def test_ten_thousand_rows_with_every_class() -> None:
    made, wanted = delivery_of(10_000)
    rows = len(made.orders) + len(made.notices) + len(made.scans) + len(made.observed)
    assert 9_000 < rows < 11_000
    report = made.matched()
    accounted(made, report)
    assert classes(report) == wanted
    assert set(wanted) == {name.value for name in MatchClass}
