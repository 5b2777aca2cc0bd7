"""Facts on a screen: of one node as a tree, of many folded by value, and what changed when."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.durations import told_age
from sparkctl.model.facets.difference import Difference, Kind
from sparkctl.model.facets.paths import to_text
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import brief, count, names, to_minute

WIDE = 100
MOST_SHOWN = 8  # members of a map that an outline shows one by one


Documents = Mapping[str, tuple[datetime, datetime, Mapping[str, Any]]]
"""Facets by name: since when it is so, when it was seen last, and the document."""


def show_node(
    node_id: str, collected_at: datetime | None, facets: Documents, stream: TextIO, *, short: bool = False
) -> None:
    """Print what holds of one node, each facet with its age and since when it is so; `short`: a line for each field."""
    with screen_on(stream) as console:
        title = Text(node_id, "bold")
        title.append(f"  {_collected(collected_at)}", style="dim")
        console.print(title)
        for facet, (since, seen, document) in facets.items():
            console.print()
            times = f"  since {to_minute(since)}" + (f", seen {_age(seen)}" if seen != collected_at else "")
            console.print(Text.assemble((facet, "bold"), (times, "dim")))
            lines = (_outline if short else _tree)(document.get("data") or {})
            console.print(Padding(Text("\n").join(lines), (0, 0, 0, 2)))
            for path, why in document.get("gaps", {}).items():
                line = Text.assemble((path or "all of it", STYLES["unknown"]), f"  could not be read: {why}")
                console.print(Padding(line, (0, 0, 0, 2)))

        if short and facets:
            console.print()
            console.print(Text("--facet NAME shows all of one", style="dim"))


def show_values(field: str, values: Sequence[tuple[Any, str | None, list[str]]], stream: TextIO) -> None:
    """Print the values of a field, each with the nodes that have it; in place of a value why there is none."""
    with screen_on(stream) as console:
        console.print(Text(field, "bold"))
        table = _grid(console)
        for value, why, nodes in values:
            shown = Text(why, "dim") if why else Text(brief(value, WIDE) or '""')
            table.add_row(shown, Text(f"{len(nodes):,}", "dim"), Text(names(nodes), "bold"))
        console.print(Padding(table, (0, 0, 0, 2)))


def show_nodes(nodes: Sequence[tuple[str, datetime | None]], stream: TextIO) -> None:
    """Print nodes with the age of their facts, folded by day."""
    with screen_on(stream) as console:
        console.print(Text(count(len(nodes), "node"), "bold"))
        table = _grid(console)
        days: dict[str, list[str]] = {}
        for node_id, collected_at in nodes:
            days.setdefault(_collected(collected_at)[:20], []).append(node_id)
        for day, found in days.items():
            table.add_row(Text(names(found), "bold"), Text(day, "dim"))
        console.print(Padding(table, (0, 0, 0, 2)))


def show_steps(
    node_id: str, facet: str, steps: Sequence[tuple[datetime, bool, list[Difference]]], stream: TextIO
) -> None:
    """Print what changed of a facet, oldest first; each moment with whether the facet was first seen there."""
    with screen_on(stream) as console:
        console.print(Text.assemble((node_id, "bold"), f"  {facet}"))
        table = _grid(console)
        for at, first, found in steps:
            lines = [Text("first seen", "dim")] if first else [_difference_line(each) for each in found]
            table.add_row(Text(to_minute(at)), Text("\n").join(lines))
        console.print(Padding(table, (0, 0, 0, 2)))


def step_line(node_id: str, facet: str, at: datetime, run_id: str, found: list[Difference]) -> str:
    """What changed of a facet at one moment, as one line of JSON."""
    changes = [
        {"field": to_text(each.path), "kind": each.kind, "before": each.before, "after": each.after} for each in found
    ]
    body = {"node_id": node_id, "facet": facet, "at": at.isoformat(), "run_id": run_id, "changes": changes}
    return json.dumps(body, ensure_ascii=False)


def _difference_line(one: Difference) -> Text:
    field = to_text(one.path) or "all of it"
    words = {
        Kind.CHANGED: f"{brief(one.before)} → {brief(one.after)}",
        Kind.APPEARED: f"new: {brief(one.after)}",
        Kind.DISAPPEARED: f"gone: {brief(one.before)}",
        Kind.UNREADABLE: f"could not be read: {one.after}",
        Kind.READABLE: "can be read again",
    }
    look = "unknown" if one.kind in (Kind.UNREADABLE, Kind.READABLE) else "warn"
    return Text.assemble((field, STYLES[look]), f"  {words[one.kind]}")


def _collected(moment: datetime | None) -> str:
    if moment is None:
        return "never collected"
    return f"collected {to_minute(moment)}, {_age(moment)}"


def _age(moment: datetime) -> str:
    return f"{told_age((datetime.now(UTC) - moment).total_seconds())} ago"


def _tree(data: Mapping[str, Any], depth: int = 0) -> Iterator[Text]:
    """Lines of `name: value`; maps are indented below their name, short lists stand on one line."""
    for name, value in data.items():
        start = Text.assemble("  " * depth, (f"{name}: ", "cyan"))
        if isinstance(value, Mapping) and value:
            yield start
            yield from _tree(value, depth + 1)
        elif isinstance(value, list):
            yield start.append(", ".join(map(str, value)))
        elif not isinstance(value, Mapping):
            yield start.append(_word(value))


def _outline(data: Mapping[str, Any], depth: int = 0) -> Iterator[Text]:
    """One line for each field or member of a field; of what is longer or deeper only how much there is, and names."""
    for name, value in data.items():
        start = Text.assemble("  " * depth, (f"{name}: ", "cyan"))
        left = max(20, WIDE - start.cell_len)
        if isinstance(value, Mapping) and depth == 0 and 0 < len(value) <= MOST_SHOWN:
            yield start
            yield from _outline(value, depth + 1)
        elif isinstance(value, Mapping) and depth > 0 and not _is_deep(value):
            yield start.append(brief(", ".join(f"{key} {_word(each)}" for key, each in value.items()), left))
        elif isinstance(value, Mapping | list):
            if value:
                yield start.append(f"{len(value):,}  ", style="bold").append(brief(", ".join(map(str, value)), left))
        else:
            yield start.append(_word(value))


def _is_deep(value: Mapping[str, Any]) -> bool:
    return any(isinstance(each, Mapping | list) for each in value.values())


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _grid(console: Console) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=min(WIDE, console.width), overflow="fold")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    return table
