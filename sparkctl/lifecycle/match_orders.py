"""Which line of an order each machine was ordered on."""

from collections import defaultdict, deque
from collections.abc import Sequence

from sparkctl.lifecycle.match_group import Group, serial_key
from sparkctl.model.receiving import MatchClass, NoticeRow, OrderLine


def allocate(orders: Sequence[OrderLine], groups: Sequence[Group]) -> list[int]:
    """Give each machine its line, announced ones first; how many of each line nobody sent.

    A row that claims a serial again is no machine of its own, and takes no place on an order.
    """
    places = _Places(orders)
    for group in groups:
        if group.notice is not None and not group.extra:
            _announced(group, group.notice, places)
    for group in groups:
        if group.notice is None and group.scan is not None and group.key is not None and not group.extra:
            _unannounced(group, places)
    return places.left


class _Places:
    """The machines ordered that nobody has sent yet, by line and by part."""

    def __init__(self, orders: Sequence[OrderLine]) -> None:
        self.left = [line.quantity for line in orders]
        self._orders = orders
        self._by_line: dict[tuple[str, str], deque[int]] = defaultdict(deque)
        self._by_part: dict[tuple[str | None, str], deque[int]] = defaultdict(deque)
        self.quantities: dict[tuple[str, str], int] = defaultdict(int)
        for number, line in enumerate(orders):
            key = (line.po.upper(), line.line.upper())
            self._by_line[key].append(number)
            self.quantities[key] += line.quantity
            for po in (None, line.po.upper()):
                self._by_part[po, serial_key(line.part_number)].append(number)

    def has_line(self, po: str, line: str) -> bool:
        """Whether it was ordered, full or not."""
        return (po.upper(), line.upper()) in self.quantities

    def has_part(self, po: str | None, part: str) -> bool:
        """Whether the part was ordered, on this order or any."""
        return (None if po is None else po.upper(), serial_key(part)) in self._by_part

    def on_line(self, po: str, line: str) -> OrderLine | None:
        """Take a place of a line."""
        return self._take(self._by_line[po.upper(), line.upper()])

    def of_part(self, po: str | None, part: str) -> OrderLine | None:
        """Take a place of the first line of a part."""
        return self._take(self._by_part[None if po is None else po.upper(), serial_key(part)])

    def _take(self, numbers: deque[int]) -> OrderLine | None:
        while numbers and not self.left[numbers[0]]:
            numbers.popleft()  # what is full stays full, and is asked once
        if not numbers:
            return None
        self.left[numbers[0]] -= 1
        return self._orders[numbers[0]]


def _announced(group: Group, notice: NoticeRow, places: _Places) -> None:
    po, line, part = notice.po, notice.line, notice.part_number
    if line is not None and places.has_line(po, line):
        group.order = places.on_line(po, line)
        if group.order is None:
            ordered = places.quantities[po.upper(), line.upper()]
            words = f"line {line} of order {po} is of {ordered:,}, and more are announced"
            group.fault(MatchClass.OVER, words)
        return
    if part is not None and places.has_part(po, part):
        group.order = places.of_part(po, part)
        if group.order is None:
            group.fault(MatchClass.OVER, f"more of {part} are announced than order {po} is of")
        return
    where = f"order {po}" if line is None else f"line {line} of order {po}"
    group.fault(MatchClass.UNORDERED, f"the notice names {where}, which there is not")


def _unannounced(group: Group, places: _Places) -> None:
    ordered = [part for part in group.label.parts if places.has_part(None, part)]
    for part in ordered:
        group.order = group.order or places.of_part(None, part)
    if group.order is not None or not group.label.parts:
        group.fault(MatchClass.UNANNOUNCED, f"no notice names this serial{_or(group)}")
        return
    words = "and all that were ordered are announced" if ordered else "and its part was not ordered"
    group.fault(MatchClass.UNORDERED, f"no notice names this serial{_or(group)}, {words}")


def _or(group: Group) -> str:
    """What else the label may mean, where nobody names any of it."""
    return f", nor {', '.join(group.others[:3])}" if group.others else ""
