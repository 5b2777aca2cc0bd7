"""Small words and figures that several screens share."""

import json
from collections.abc import Iterable
from datetime import datetime

from sparkctl.inventory.ranges import fold

SIMULATED = "SIMULATED"


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 node`, `24 nodes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(milliseconds: int) -> str:
    """A duration for people: `640 ms`, `6.3 s`, `12 min 05 s`."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def to_second(moment: datetime) -> str:
    """A moment in UTC, to the second: `2026-11-29 12:00:07Z`."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


def to_minute(moment: datetime) -> str:
    """A moment in UTC, to the minute: `2026-11-29 12:00Z`."""
    return f"{moment:%Y-%m-%d %H:%MZ}"


def size(count_of_bytes: int) -> str:
    """A size for people, in binary units."""
    value, units = float(count_of_bytes), ["B", "KiB", "MiB", "GiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"


def names(nodes: Iterable[str]) -> str:
    """Node names folded into ranges: `spark[01-12,14]`."""
    return fold(nodes)


def brief(value: object, limit: int = 60) -> str:
    """A JSON value in few words: texts as they are, the rest as JSON, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= limit else text[: limit - 1] + "…"
