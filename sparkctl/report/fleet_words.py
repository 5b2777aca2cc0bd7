"""Words about a fleet that its page and its screen share."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sparkctl.inventory.ranges import fold
from sparkctl.model.durations import told_age
from sparkctl.model.fleet_page import Cell, FleetPage, FoldedChange, Hand
from sparkctl.model.health import Threshold
from sparkctl.model.node_page import NodeStatus, PageEnd
from sparkctl.model.reset_report import EndKind
from sparkctl.model.vocabulary import Comparison
from sparkctl.report.bundle_words import with_unit
from sparkctl.report.words import SIMULATED, brief, count


@dataclass(frozen=True, slots=True)
class Sign:
    """How a status is shown, so that nobody needs to see its colour: a letter, a shape, words for one and for many."""

    letter: str
    shape: str
    words: str
    counted: str
    look: str


SIGNS = {
    NodeStatus.REFUSED: Sign("R", "octagon", "refused", "refused", "fail"),
    NodeStatus.FAIL: Sign("F", "square", "needs hands", "need hands", "fail"),
    NodeStatus.LOST: Sign("X", "diamond", "no answer", "without answer", "lost"),
    NodeStatus.NEVER: Sign("N", "empty", "never judged", "never judged", "unknown"),
    NodeStatus.STALE: Sign("S", "hexagon", "not judged lately", "not judged lately", "unknown"),
    NodeStatus.WARN: Sign("W", "triangle", "to watch", "to watch", "warn"),
    NodeStatus.UNKNOWN: Sign("U", "dotted", "not fully judged", "not fully judged", "unknown"),
    NodeStatus.PASS: Sign("P", "circle", "passed", "passed", "pass"),
}
TITLES = {
    NodeStatus.REFUSED: "Refused: trust nothing there until you know why",
    NodeStatus.FAIL: "Needs hands",
    NodeStatus.LOST: "No usable answer at the newest visit",
    NodeStatus.NEVER: "Never judged",
    NodeStatus.STALE: "Not judged lately",
    NodeStatus.WARN: "Watch",
}
"""What is said above hands of one kind."""
LANES: tuple[tuple[EndKind | None, str, str], ...] = (
    (EndKind.UNEXPECTED, "nobody wanted it", "fail"),
    (EndKind.CUT_OFF, "cut off", "fail"),
    (EndKind.NOT_TOLD, "cannot be known", "unknown"),
    (EndKind.ORDERLY, "in good order", "warn"),
    (EndKind.PLANNED, "planned", "pass"),
    (None, "never asked", "unknown"),
)
"""Kinds of ends, with words and look; None are ends of which nobody ever asked."""
NO_SITE, NO_RACK, NO_MAKE = "no site", "no rack", "not known"
_BOUNDS = {
    Comparison.AT_LEAST: "from {} on", Comparison.AT_MOST: "down from {}", Comparison.ABOVE: "above {}",
    Comparison.BELOW: "below {}", Comparison.EQUAL: "at {}", Comparison.NOT_EQUAL: "unless {}",
}  # fmt: skip
BINS = {"1h": "1 h", "1d": "1 d", "7d": "7 d", "30d": "30 d", "older": "older"}


def age(now: datetime, at: datetime | None) -> str:
    """How long before `now` a moment was, in its largest whole unit; `never` where there is none."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    return "in the future" if seconds < 0 else told_age(seconds)


def moment(at: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"


def totals(page: FleetPage) -> list[tuple[NodeStatus, int, str]]:
    """Every node counted once, the most pressing first."""
    return [(status, number, f"{number:,} {SIGNS[status].counted}") for status, number in page.statuses.items()]


def simulated(page: FleetPage) -> str | None:
    """That nodes are simulated, where any are."""
    if not page.simulated:
        return None
    some = page.simulated < page.coverage.selected
    return f"{SIMULATED}: {page.simulated:,} of {count(page.coverage.selected, 'node')}" if some else SIMULATED


@dataclass(frozen=True, slots=True)
class Group:
    """What needs hands on the very same nodes."""

    status: NodeStatus
    nodes: Sequence[str]
    hands: Sequence[Hand]

    @property
    def actions(self) -> list[str]:
        """What to do, each thing once."""
        return list(dict.fromkeys(one.action for one in self.hands if one.action))


def groups(hands: Iterable[Hand]) -> Iterator[tuple[NodeStatus, list[Group]]]:
    """Hands by status, and those of the same nodes together; both in their order."""
    found: dict[NodeStatus, dict[tuple[str, ...], list[Hand]]] = {}
    for one in hands:
        found.setdefault(one.status, {}).setdefault(tuple(one.nodes), []).append(one)
    for status, by_nodes in found.items():
        yield status, [Group(status, nodes, each) for nodes, each in by_nodes.items()]


def between(end: PageEnd) -> str:
    """When a boot ended, as far as that is known."""
    if end.after and end.before and end.after > end.before:
        return "when cannot be known: the moments contradict each other"
    if end.after and end.before:
        same = f"{end.after:%Y-%m-%d}" == f"{end.before:%Y-%m-%d}"
        return f"{moment(end.after)} to {end.before:%H:%M}" if same else f"{moment(end.after)} to {moment(end.before)}"
    if end.before:
        return f"before {moment(end.before)}"
    return f"after {moment(end.after)}" if end.after else "when cannot be known"


def together(changes: Iterable[FoldedChange]) -> list[tuple[list[str], datetime, datetime, list[FoldedChange]]]:
    """Changes of the very same nodes in the same time: the nodes, since when the first and the last, and what."""
    found: dict[tuple[tuple[str, ...], datetime, datetime], list[FoldedChange]] = {}
    for one in changes:
        found.setdefault((tuple(one.nodes), one.since, one.until), []).append(one)
    return [([*nodes], since, until, each) for (nodes, since, until), each in found.items()]


def by_place(cells: Iterable[Cell]) -> dict[str, dict[str, list[list[Cell]]]]:
    """Cells by site and rack; those of one unit stand together."""
    places: dict[str, dict[str, dict[str, list[Cell]]]] = {}
    for cell in cells:
        site, rack = cell.site or NO_SITE, cell.rack or NO_RACK
        unit = f"u{cell.unit}" if cell.unit else f"n{cell.node_id}"
        places.setdefault(site, {}).setdefault(rack, {}).setdefault(unit, []).append(cell)
    return {
        site: {rack: list(units.values()) for rack, units in racks.items()} for site, racks in sorted(places.items())
    }


def short_names(cells: Sequence[Cell]) -> dict[str, str]:
    """Names without what all of them begin with, as long as a digit is left: `003` for `spark003`."""
    names = [cell.node_id for cell in cells]
    first, last = min(names, default=""), max(names, default="")
    at = 0
    while at < min(len(first), len(last)) and first[at] == last[at] and not first[at].isdigit():
        at += 1
    return {name: name[at:] if len(names) > 1 and name[at : at + 1].isdigit() else name for name in names}


def folded(nodes: Sequence[str], most: int = 160) -> str:
    """Names as ranges, cut where even these are many."""
    text = fold(nodes)
    return text if len(text) <= most else f"{text[:most]}…"


def bounds(threshold: Threshold, unit: str | None) -> str:
    """`fails from 93 °C on, warns from 87 °C on`."""
    pattern = _BOUNDS[threshold.comparison]
    sides = (("fails", threshold.fail), ("warns", threshold.warn))
    return ", ".join(
        f"{verb} {pattern.format(with_unit(brief(bound), unit))}" for verb, bound in sides if bound is not None
    )
