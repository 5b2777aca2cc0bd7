"""Deliveries for tests: rows of the four sources, and one of any size in which every class is present."""

from dataclasses import dataclass, field
from typing import Any

from sparkctl.lifecycle.matching import match
from sparkctl.model.receiving import NoticeRow, Observation, OrderLine, ReceivingReport, ScanRow

TB, GIB = 10**12, 2**30


def order(line: str = "10", quantity: int = 1, part: str = "SPARK-4TB", **more: Any) -> OrderLine:
    more = {"ssd_bytes": 4 * TB, "memory_bytes": 128 * GIB, **more}
    return OrderLine(where=f"po.csv:{line}", po="PO1", line=line, part_number=part, quantity=quantity, **more)


def notice(serial: str, line: str | None = "10", part: str | None = "SPARK-4TB", **more: Any) -> NoticeRow:
    row: dict[str, Any] = {"where": f"asn.csv:{serial}", "po": "PO1", "line": line}
    return NoticeRow(**row | {"serial": serial, "part_number": part} | more)


def scan(code: str, number: int = 0, **more: Any) -> ScanRow:
    row: dict[str, Any] = {"where": f"scans.csv:{code}-{number}"[:900], "codes": [code]}
    return ScanRow(**row | more)


def seen(serial: str | None, node: str = "", **more: Any) -> Observation:
    node_id = node or f"node-{serial}"
    facts: dict[str, Any] = {
        "ssd_bytes": 4_000_787_030_016,
        "memory_bytes": 130_663_165_952,
        "macs": [],
        "serials_agree": True,
    }
    return Observation(**{"where": node_id, "node_id": node_id, "serial": serial} | facts | more)


@dataclass
class Delivery:
    """The rows of a delivery."""

    orders: list[OrderLine] = field(default_factory=list)
    notices: list[NoticeRow] = field(default_factory=list)
    scans: list[ScanRow] = field(default_factory=list)
    observed: list[Observation] = field(default_factory=list)

    def matched(self) -> ReceivingReport:
        return match(self.orders, self.notices, self.scans, self.observed)


def delivery_of(rows: int) -> tuple[Delivery, dict[str, int]]:
    """A delivery with about so many rows, and how many units of each class it must come to."""
    made = Delivery()
    bad = max(rows // 100, 2)
    good = (rows - 30 * bad) // 3
    wanted: dict[str, int] = {}

    def whole(serial: str, **how: Any) -> None:
        """A machine with all its rows; some of them left out, or made otherwise."""
        if "notice" not in how or how["notice"] is not None:
            made.notices.append(notice(serial, **how.get("notice", {})))
        if "scan" not in how or how["scan"] is not None:
            made.scans.append(scan(how.get("scan", f"SN={serial};PN=SPARK-4TB")))
        if "seen" not in how or how["seen"] is not None:
            made.observed.append(seen(**{"serial": serial, **how.get("seen", {})}))

    def many(name: str, number: int, prefix: str, each: int = 1, **how: Any) -> None:
        for index in range(number):
            whole(f"{prefix}{index:06}", **how)
        wanted[name] = wanted.get(name, 0) + number * each

    many("matched", good, "GOOD")
    many("matched_partially", bad, "PART", seen=None)
    many("not_arrived", bad, "LATE", scan=None, seen=None)
    many("not_scanned", bad, "DARK", scan=None)
    many("unannounced", bad, "SURP", notice=None)
    many("wrong_configuration", bad, "CONF", seen={"ssd_bytes": TB})
    many("observed_unknown", bad, "ALIEN", notice=None, scan=None)
    many("unordered", bad, "FREE", notice={"po": "PO9", "line": "1"})
    many("over", bad, "OVER", notice={"line": "20"})
    for index in range(bad):
        whole(f"PARTNO{index}", scan=f"SN=PARTNO{index};PN=SPARK-1TB")
        whole(f"MAC{index}", scan=f"SN=MAC{index};MAC=0251000000{index % 100:02}", seen={"macs": ["02:51:ff:ff:ff:ff"]})
        mac = f"0300{index:08}"
        whole(f"TRUE{index}", scan=f"SN=TRUE{index};MAC={mac}", seen={"serial": f"FALSE{index}", "macs": [mac]})
        whole(f"TWIN{index}")
        made.notices.append(notice(f"TWIN{index}"))
        whole(f"AGAIN{index}")
        made.scans.append(scan(f"SN=AGAIN{index};PN=SPARK-4TB", 2))
        made.scans.append(scan(f"~~{index}", 3))
    wanted |= {"wrong_part": bad, "mac_mismatch": bad, "serial_mismatch": bad, "duplicate_serial": 2 * bad}
    wanted |= {"duplicate_scan": bad, "unreadable_scan": bad}
    wanted["matched"] += bad
    on_ten = len({row.serial for row in made.notices if row.line == "10"}) + bad  # unannounced ones take a place, too
    made.orders = [order("10", on_ten + bad), order("20", 1)]
    made.notices.append(notice("LAST", "20"))
    made.notices.sort(key=lambda row: row.serial != "LAST")  # which takes the only place of that line
    wanted |= {"short": bad}
    wanted["not_arrived"] += 1
    return made, wanted
