"""The generated part of docs/artefacts.md: what a bundle takes, in the order in which it is gone."""

from itertools import groupby

from sparkctl.app.catalogue import ArtefactEntry, CollectorEntry, collector_catalogue

HEADINGS = {
    "moment": "Of the moment",
    "boot": "Gone with the next boot",
    "logs": "Rotated or vacuumed away",
    "state": "Until somebody changes it",
    "fixed": "The hardware itself",
}
"""By volatility, soonest gone first."""
KIB = 1024
ARCHIVE = "archive"


def artefacts_table() -> str:
    """One table for each volatility, one row for each collector; raises SparkctlError without an answer."""
    parts = []
    for volatility, entries in groupby(collector_catalogue(), key=lambda entry: entry.volatility):
        rows = ["| collector | brings | entries |", "|---|---|---|", *map(_row, entries)]
        parts.append(f"### {HEADINGS[volatility]}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(entry: CollectorEntry) -> str:
    asked = f" *(only when named: `--with {entry.called}`)*" if entry.opt_in else ""
    listed = "<br>".join(map(_entry, entry.takes)) if entry.takes else "one for each that is there"
    return f"| `{entry.collector}` | {entry.title}{asked} | {listed} |"


def _entry(take: ArtefactEntry) -> str:
    root = " *(root)*" if take.elevated else ""
    end = "newest " if take.keep == "newest" else ""
    size = f"{take.limit // KIB} KiB" if take.limit < KIB * KIB else f"{take.limit / KIB / KIB:g} MiB"
    words = take.source.replace("|", r"\|")
    longest = f", {take.seconds:g} s" if take.kind == ARCHIVE else ""
    return f"`{take.name}`{root}: `{words}`, {end}{size}{longest}, {take.kind}"
