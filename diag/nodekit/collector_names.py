"""The names that collectors are asked for by, and limits of time beside them: `nvidia-bug-report=240,pci.registers`."""

from __future__ import annotations

from dataclasses import replace

from diag.nodekit.collector import LoadedCollector
from diag.nodekit.isolated import LEAST_SECONDS, MOST_SECONDS
from diag.nodekit.taking import load_collectors


def named_in(text: str | None) -> dict[str, float | None]:
    """The names in such a text, with the seconds that are said; raises ValueError for seconds that cannot be."""
    named: dict[str, float | None] = {}
    for word in (text or "").split(","):
        name, says, seconds = word.partition("=")
        if name:
            named[name] = _seconds(name, seconds) if says else None
    return named


def _seconds(name: str, text: str) -> float:
    if not text.isascii() or not text.isdigit() or not LEAST_SECONDS <= int(text[:9]) <= MOST_SECONDS:
        raise ValueError(f"{name}: {text!r} is no number of seconds from {LEAST_SECONDS} to {MOST_SECONDS}")
    return float(text)


def with_limits(named: dict[str, float | None]) -> list[LoadedCollector]:
    """All collectors, with these limits; raises ValueError for a name that is none's, or a limit where none can be."""
    loaded = load_collectors()
    known = {one.called: one for one in loaded}
    if unknown := sorted(named.keys() - known.keys()):
        raise ValueError(f"no collector {', '.join(unknown)}")
    if senseless := sorted(name for name, said in named.items() if said and not known[name].collector.reports):
        raise ValueError(f"{', '.join(senseless)} takes no seconds: it is no report")
    return [_limited(one, named.get(one.called)) for one in loaded]


def _limited(one: LoadedCollector, seconds: float | None) -> LoadedCollector:
    return one if seconds is None else replace(one, collector=one.collector.within(seconds))
