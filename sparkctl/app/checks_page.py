"""The generated part of docs/checks.md: one row a check, and where its numbers come from."""

from sparkctl.app.catalogue import CatalogueEntry, catalogue
from sparkctl.model.health import Threshold
from sparkctl.model.vocabulary import Comparison

_SIGNS = {
    Comparison.AT_LEAST: "≥", Comparison.AT_MOST: "≤", Comparison.ABOVE: ">", Comparison.BELOW: "<",
    Comparison.EQUAL: "=", Comparison.NOT_EQUAL: "≠",
}  # fmt: skip


def checks_table() -> str:
    """The table of the page; raises SparkctlError when the program does not answer."""
    return _table(catalogue())


def _table(entries: list[CatalogueEntry]) -> str:
    rows = ["| check | judges | required | warns and fails at | because |", "|---|---|---|---|---|"]
    for entry in entries:
        bounds = "<br>".join(_bounds(threshold) for threshold in entry.thresholds)
        sources = "<br>".join(dict.fromkeys(threshold.provenance for threshold in entry.thresholds))
        root = " *(root)*" if entry.elevated else ""
        required = "yes" if entry.required else ""
        rows.append(f"| `{entry.check}` | {entry.title}{root} | {required} | {bounds} | {sources} |")
    return "\n".join(rows) + "\n"


def _bounds(threshold: Threshold) -> str:
    sign = _SIGNS[threshold.comparison]
    parts = [("warn", threshold.warn), ("fail", threshold.fail)]
    return ", ".join(f"{word} {sign} {_figure(bound)}" for word, bound in parts if bound is not None)


def _figure(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
