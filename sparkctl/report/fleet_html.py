"""The report of a fleet as one file for a browser: nothing is loaded, all is escaped, and one script only helps.

The pages of nodes are written as they come, and put behind the page of the fleet when that is known.
"""

import base64
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from markupsafe import Markup

from sparkctl.model.fleet_page import FleetPage
from sparkctl.model.node_page import NodePage, NodeStatus
from sparkctl.report import fleet_words
from sparkctl.report.bundle_words import value_of, with_unit
from sparkctl.report.fleet_svg import Line, chart, line, span_on
from sparkctl.report.templates import environment

LONG_NAME = 5  # characters of a name from which a cell is wider
_SECTIONS = (
    ("hands", "Needs hands"), ("coverage", "What this rests on"), ("fleet", "The fleet"),
    ("changes", "Drift and changes"), ("ends", "Resets"), ("trends", "Trends"), ("versions", "Versions"),
    ("ages", "Ages"), ("nodes", "All nodes"),
)  # fmt: skip
_COLUMNS = (
    ("status", "Status"), ("name", "Node"), ("site", "Site"), ("rack", "Rack"), ("unit", "Unit"), ("make", "Make"),
    ("judged", "Judged"), ("what", "What"),
)  # fmt: skip
_LOOKS = {kind: look for kind, _, look in fleet_words.LANES}


class FleetHtml:
    """Writes the page: first the nodes one by one, then the fleet. Both times the same moment counts as now."""

    def __init__(self, nodes: BinaryIO, now: datetime, titles: dict[str, str], few: int) -> None:
        """`nodes` takes the pages of nodes until the fleet is known; `titles` are those of trends by their checks."""
        self._nodes, self._now, self._titles, self._few = nodes, now, titles, few
        self._environment = environment()
        self._node = self._environment.get_template("fleet_node.html")
        self._shared: dict[str, Any] = {
            "words": fleet_words,
            "now": now,
            "looks": _LOOKS,
            "figure": figure,
            "value_of": value_of,
            "bounds": fleet_words.bounds,
        }

    def add(self, page: NodePage) -> None:
        """Write the page of one node."""
        place = [
            ("site", page.site),
            ("rack", page.rack),
            ("unit", page.unit),
            ("state", page.state),
            ("make", page.make),
        ]
        drawn = ((one, line(one.points)) for one in page.series)
        text = self._node.render(
            self._shared,
            page=page,
            place=[(name, value) for name, value in place if value],
            passed=passed_in_brief(page.passed),
            lines=[(self._titles[one.check], path, one.unit) for one, path in drawn if path is not None],
        )
        self._nodes.write(text.encode("utf-8"))

    def finish(self, page: FleetPage, file: BinaryIO) -> None:
        """Write the whole file as UTF-8."""
        style, dark = self._source("palette.css", "base.css", "fleet.css"), self._source("palette_dark.css")
        theme, script = self._source("theme.js"), self._source("fleet.js")
        begin = self._environment.get_template("fleet.html").generate(
            self._shared,
            page=page,
            policy=_policy(styles=(style, dark), scripts=(theme, script)),
            style=style,
            dark=dark,
            theme=theme,
            **self._parts(page),
        )
        for piece in begin:
            file.write(piece.encode("utf-8"))
        self._nodes.seek(0)
        shutil.copyfileobj(self._nodes, file, 1 << 16)
        limit = timedelta(seconds=page.max_age_s)
        end = self._environment.get_template("fleet_end.html").render(
            self._shared, page=page, script=script, limit=limit
        )
        file.write(end.encode("utf-8"))

    def _source(self, *names: str) -> Markup:
        """Style or script of ours, the only text on the page that is not escaped."""
        loader = self._environment.loader
        assert loader is not None  # noqa: S101 - `environment` gives it one
        return Markup("".join(loader.get_source(self._environment, name)[0] for name in names))  # noqa: S704

    def _parts(self, page: FleetPage) -> dict[str, Any]:
        """What the template cannot make of the page by itself."""
        names = fleet_words.short_names(page.cells)
        trends = [
            (one, chart(one, page.moments), [(each, _line(each.points)) for each in one.named]) for one in page.trends
        ]
        return {
            "simulated": fleet_words.simulated(page),
            "sections": ((("alerts", "Alerts"),) if page.alerts else ()) + _SECTIONS,
            "columns": _COLUMNS,
            "hands": list(fleet_words.groups(page.hands)),
            "watch": [group for _, found in fleet_words.groups(page.watch) for group in found],
            "by_place": fleet_words.by_place(page.cells),
            "counts": Counter(
                (cell.site or fleet_words.NO_SITE, cell.rack or fleet_words.NO_RACK) for cell in page.cells
            ),
            "racks": sorted({cell.rack or fleet_words.NO_RACK for cell in page.cells}),
            "makes": sorted({cell.make or fleet_words.NO_MAKE for cell in page.cells}),
            "names": names,
            "long_names": max(map(len, names.values()), default=0) > LONG_NAME,
            "ranks": {status: rank for rank, status in enumerate(NodeStatus)},
            "lanes": list(lanes(page)),
            "undated": sum(1 for one in page.ends if span_on(page.since, page.made_at, one.after, one.before) is None),
            "changes": fleet_words.together(page.changes),
            "sought": _sought(page),
            "trends": trends,
            "few": self._few,
            "versions": [one for one in page.versions if any(value.value for value in one.values)],
        }


def _sought(page: FleetPage) -> dict[str, str]:
    """What a node is found by beside what its row shows: its versions."""
    found: dict[str, list[str]] = {cell.node_id: [] for cell in page.cells}
    for value in (value for one in page.versions for value in one.values if value.value):
        for node in value.nodes:
            found[node].append(value.value or "")
    return {node: " ".join(values) for node, values in found.items()}


def _line(points: list[float | None]) -> Line:
    drawn = line(points)
    assert drawn is not None  # noqa: S101 - who is named has a value
    return drawn


def lanes(page: FleetPage) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """Ends of boots by their kind, each from where to where on the line of time; kinds without any are left out."""
    for kind, title, look in fleet_words.LANES:
        spans = (span_on(page.since, page.made_at, one.after, one.before) for one in page.ends if one.kind is kind)
        if found := [span for span in spans if span is not None]:
            yield title, look, found


def figure(value: float, unit: str | None = None) -> str:
    """A number with its unit and no more digits than help."""
    shown = f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"
    return with_unit(shown, unit)


def passed_in_brief(passed: list[str]) -> str:
    """Checks by their area: `cpu: online 20, pressure 0.1 %; disk: space 41 %`."""
    areas: dict[str, list[str]] = {}
    for one in passed:
        area, _, rest = one.partition(".")
        areas.setdefault(area, []).append(rest)
    return "; ".join(f"{area}: {', '.join(each)}" for area, each in areas.items())


def _policy(*, styles: tuple[str, ...], scripts: tuple[str, ...]) -> str:
    """Nothing may be loaded, and nothing may run but these very texts."""
    allowed = {"style-src": styles, "script-src": scripts}
    told = [f"{what} {' '.join(map(_digest, texts))}" for what, texts in allowed.items()]
    return "; ".join(["default-src 'none'", *told, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
