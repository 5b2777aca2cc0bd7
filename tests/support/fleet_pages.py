"""Pages of fleets as large as wanted, made without a store."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from sparkctl.app.report_fold import FleetFold
from sparkctl.app.report_node import Beside, node_page
from sparkctl.app.report_trends import FEW_NODES, TRENDS, Trends
from sparkctl.model.bundle_page import Fact
from sparkctl.model.fleet_page import Distribution, FleetPage, VersionOf
from sparkctl.model.inventory import Node
from sparkctl.model.node_page import NodePage
from sparkctl.model.run import RunRecord
from sparkctl.model.standing import NodeStanding
from sparkctl.report.fleet_html import FleetHtml
from tests.support.envelopes import finding, reported, unreported

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
MOMENTS = [SINCE + timedelta(hours=14 * place) for place in range(12)]
AREAS = ("boot", "cpu", "disk", "driver", "firmware", "gpu", "memory", "network", "nvme", "thermal")
_FACTS = ("product", "serial", "DGX OS", "kernel", "NVIDIA driver", "CUDA", "BIOS", "VBIOS", "drive", "GPU")


def well() -> list[dict[str, Any]]:
    """As many checks as a sweep has, all passed."""
    return [finding(f"{area}.check_number_{number}", value=41.5, unit="%") for area in AREAS for number in range(8)]


def record_of(name: str, *findings: dict[str, Any], hours: float = 1, simulated: bool = False) -> RunRecord:
    """A record of some hours ago."""
    record = reported(name, *findings, origin="simulated" if simulated else "live")
    return record.model_copy(update={"ts": NOW - timedelta(hours=hours)})


def node_of(place: int, **parts: Any) -> Node:
    """A node with a place of its own: sixteen in a rack, two in a unit."""
    said = {"node_id": f"spark{place:04}", "site": "berlin" if place % 3 else "zurich", "rack": f"r{place // 16:02}",
            "unit": f"pair-{place // 2}", "state": "in_service", "origin": "fleet.yaml:1"}  # fmt: skip
    return Node(**{**said, **parts})


def pages_of(size: int) -> list[NodePage]:
    """A fleet in which a few nodes fail, warn, or do not answer, and the others are well and told of in full."""
    passed = record_of("spark", *well())
    bad = [finding(f"bad.check_{at}", "fail", summary="s" * 120, action="a" * 120) for at in range(4)]
    failing = record_of("spark", *well(), *bad)
    trends = Trends(moments=MOMENTS)
    for place in range(size):
        for at in range(len(MOMENTS)):
            said = [{"check": check, "value": 40.0 + (place + at) % 17, "unit": "Cel"} for check in TRENDS]
            trends.note(f"spark{place:04}", at, said)
    found = []
    for place in range(size):
        node = node_of(place)
        record = failing if place % 25 == 3 else passed
        last = unreported(node.node_id) if place % 50 == 7 else record
        facts = [Fact(part="os", name=name, value=f"a value of {name} {place % 3}") for name in _FACTS]
        beside = Beside(
            make="NVIDIA", facts_at=NOW - timedelta(days=2), facts=facts, series=trends.series(node.node_id)
        )
        found.append(node_page(NodeStanding(node, last, record, None, {}), NOW, timedelta(hours=26), beside))
    return found


def fleet_of(nodes: Sequence[NodePage], **parts: Any) -> FleetPage:
    """The page of a fleet that these nodes make."""
    fold = FleetFold()
    for node in nodes:
        fold.add(node)
    hands, watch = fold.hands()
    trends = Trends(moments=MOMENTS)
    for node in nodes:
        for series in node.series:
            for at, value in enumerate(series.points):
                trends.note(node.node_id, at, [{"check": series.check, "value": value, "unit": series.unit}])
    code = fold.exit_code()
    names = [node.node_id for node in nodes]
    values = [VersionOf(value="580.142", why=None, nodes=names, makes=["NVIDIA"])] if names else []
    driver = Distribution(title="NVIDIA driver", part="drivers", left_out=0, values=values)
    said: dict[str, Any] = {
        "tool": "sparkctl test", "made_at": NOW, "selector": "all", "max_age_s": 26 * 3600, "since": SINCE,
        "simulated": fold.simulated, "statuses": fold.statuses, "alerts": [], "hands": hands, "watch": watch,
        "coverage": fold.coverage([]), "cells": fold.cells, "against_baseline": None, "clones": [], "changes": [],
        "changes_left_out": 0, "ends": [], "ends_left_out": 0, "moments": MOMENTS, "trends": trends.told(),
        "versions": [driver], "unread": [], "ages": list(fold.ages(NOW, {})), "exit_code": code,
        "exit_name": code.name.lower(),
    }  # fmt: skip
    return FleetPage(**{**said, **parts})


def html_of(nodes: Sequence[NodePage], **parts: Any) -> str:
    """The file for a browser."""
    text, spool = BytesIO(), BytesIO()
    html = FleetHtml(spool, NOW, TRENDS, FEW_NODES)
    for node in nodes:
        html.add(node)
    html.finish(fleet_of(nodes, **parts), text)
    return text.getvalue().decode("utf-8")


def html_file(folder: Path, nodes: Sequence[NodePage], **parts: Any) -> Path:
    """The same in a file."""
    path = folder / "fleet.html"
    path.write_text(html_of(nodes, **parts), "utf-8")
    return path


def words_of(document: Any) -> list[str]:
    """Every text in a JSON document."""
    if isinstance(document, str):
        return [document]
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return [word for each in inner for word in words_of(each)]


def as_json(page: NodePage | FleetPage) -> Any:
    """A page as its JSON."""
    return json.loads(page.model_dump_json())
