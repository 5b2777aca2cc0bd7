"""The four-way match: what was ordered, announced, scanned and observed, brought together machine by machine.

Each row ends in exactly one unit, and so does each machine ordered; a unit has one class, the worst that applies, and
every reason. The work grows with the number of rows, no faster.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sparkctl.errors import ExitCode
from sparkctl.lifecycle.labels import Label, macs_in, read_label
from sparkctl.lifecycle.match_faults import compare, short_of, unit_of
from sparkctl.lifecycle.match_group import NO_PERSON, Group, serial_key
from sparkctl.lifecycle.match_orders import allocate
from sparkctl.model.receiving import (
    Inputs,
    MatchClass,
    NoticeRow,
    Observation,
    OrderLine,
    ReceivingReport,
    ScanRow,
)


def match(
    orders: Sequence[OrderLine],
    notices: Sequence[NoticeRow],
    scans: Sequence[ScanRow],
    observed: Sequence[Observation],
    *,
    left_out: int = 0,
) -> ReceivingReport:
    """Match the rows of four sources; in the order of the order lines, then of the files."""
    groups = _Grouping(notices, scans, observed).groups
    left = allocate(orders, groups)
    for group in groups:
        compare(group)
    units = [unit_of(group) for group in groups]
    units += [short_of(line, missing) for line, missing in zip(orders, left, strict=True) if missing]
    classes = Counter(dict.fromkeys(MatchClass, 0))
    for unit in units:
        classes[unit.match_class] += unit.count
    needs_person = sum(number for name, number in classes.items() if name not in NO_PERSON)
    waiting = classes[MatchClass.MATCHED_PARTIALLY]
    code = ExitCode.FINDINGS if needs_person else ExitCode.UNJUDGED if waiting else ExitCode.OK
    return ReceivingReport(
        inputs=Inputs(
            order_lines=len(orders),
            ordered=sum(line.quantity for line in orders),
            noticed=len(notices),
            scanned=len(scans),
            observed=len(observed),
            left_out=left_out,
        ),
        classes=dict(classes),
        needs_person=needs_person,
        simulated=any(unit.simulated for unit in units),
        units=units,
        exit_code=code,
    )


class _Grouping:
    """Brings rows together by serial, and by MAC address where there is none or another one."""

    def __init__(self, notices: Sequence[NoticeRow], scans: Sequence[ScanRow], observed: Sequence[Observation]) -> None:
        self.groups: list[Group] = []
        self._by_key: dict[str, Group] = {}
        self._by_mac: dict[str, Group | None] = {}
        for notice in notices:
            self._notice(notice)
        self._known = {*self._by_key}
        for one in observed:
            self._known |= {serial_key(each) for each in (one.serial, one.enrolled) if each}
        self._stripped: dict[str, str | None] = {}
        for key in sorted(self._known):
            bare = key.lstrip("0")
            self._stripped[bare] = None if bare in self._stripped else key
        for scan in scans:
            self._scan(scan)
        for one in observed:
            self._observed(one)

    def _new(self, key: str | None) -> Group:
        group = Group(key)
        self.groups.append(group)
        if key is not None:
            self._by_key.setdefault(key, group)
        return group

    def _notice(self, row: NoticeRow) -> None:
        key = serial_key(row.serial)
        first = self._by_key.get(key)
        group = self._new(key)
        group.notice, group.extra = row, first is not None
        self._know_macs(group, macs_in(" ".join(row.macs)))
        if first is not None and first.notice is not None:
            words = f"the notice has the serial twice: {first.notice.where} and {row.where}"
            group.fault(MatchClass.DUPLICATE_SERIAL, words)
            if not first.faults:
                first.fault(MatchClass.DUPLICATE_SERIAL, words)

    def _know_macs(self, group: Group, macs: Iterable[str]) -> None:
        """A MAC address that two machines are said to have leads to neither."""
        for mac in macs:
            self._by_mac[mac] = group if self._by_mac.get(mac, group) is group else None

    def _scan(self, row: ScanRow) -> None:
        label = read_label(row)
        keys = self._keys(label)
        if len(keys) != 1:
            group = self._new(None)
            words = f"it may be {' or '.join(keys[:3])}" if keys else "no serial can be read from it"
            group.fault(MatchClass.UNREADABLE_SCAN, words)
            group.scan, group.label = row, label
            return
        key = keys[0]
        others = [each for each in label.serials if each != key and key not in self._known]
        label.serials = [key]
        label.macs = [mac for mac in label.macs if mac != key]
        first = self._by_key.get(key)
        if first is None or first.scan is None:
            group = first or self._new(key)
            group.scan, group.label, group.others = row, label, others
            self._know_macs(group, label.macs)
            return
        group = self._new(key)
        group.scan, group.label, group.extra = row, label, True
        if _contradict(first.label, label):
            words = f"two labels have the serial and differ: {first.scan.where} and {row.where}"
            group.fault(MatchClass.DUPLICATE_SERIAL, words)
            first.fault(MatchClass.DUPLICATE_SERIAL, words)
        else:
            group.fault(MatchClass.DUPLICATE_SCAN, f"the same label was scanned before: {first.scan.where}")

    def _keys(self, label: Label) -> list[str]:
        """The serials that a label may mean: those that somebody else names, else what it most likely says."""
        known = [each for each in label.serials if each in self._known]
        if not known:
            bare = (self._stripped.get(each.lstrip("0")) for each in label.serials)
            known = [each for each in bare if each is not None]
        if not known and not label.serials:
            groups = (self._by_mac.get(mac) for mac in label.macs)
            known = [group.key for group in groups if group is not None and group.key is not None]
        return list(dict.fromkeys(known)) or label.serials[:1]

    def _observed(self, row: Observation) -> None:
        key = serial_key(row.serial) if row.serial else None
        group = self._by_key.get(key) if key else None
        if group is not None and group.seen is not None:
            words = f"two machines say that this is their serial: {group.seen.where} and {row.where}"
            again = self._new(key)
            again.seen, again.extra = row, True
            again.fault(MatchClass.DUPLICATE_SERIAL, words)
            group.fault(MatchClass.DUPLICATE_SERIAL, words)
            return
        group = group or self._by_other(row, key)
        if group is None:
            group = self._new(key)
            words = "no order, notice or label names this machine" if key else "the machine names no serial"
            group.fault(MatchClass.OBSERVED_UNKNOWN, words)
        group.seen = row
        if row.refused is not None:
            group.fault(MatchClass.SERIAL_MISMATCH, row.refused)

    def _by_other(self, row: Observation, key: str | None) -> Group | None:
        """The machine on paper that one with another serial, or none, is: by its MAC addresses, then by enrolment."""
        found = (self._by_mac.get(mac) for mac in macs_in(" ".join(row.macs)))
        group = next((each for each in found if each is not None and each.seen is None), None)
        if group is None and row.enrolled is not None:
            group = self._by_key.get(serial_key(row.enrolled))
        if group is None or group.seen is not None or (group.notice is None and group.scan is None):
            return None
        if key is not None:
            words = f"paper and label say {group.key}, the machine says {key} ({row.where})"
            group.fault(MatchClass.SERIAL_MISMATCH, words)
        return group


def _contradict(one: Label, other: Label) -> bool:
    macs = bool(one.macs and other.macs and not set(one.macs) & set(other.macs))
    return macs or bool(one.parts and other.parts and not set(one.parts) & set(other.parts))
