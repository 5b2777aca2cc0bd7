"""The page of a fleet for a browser, as text: whole without a network, safe from what nodes say, small."""

import base64
import hashlib
import itertools
import re
from datetime import timedelta
from typing import Any

import pytest

from sparkctl.app.report_node import Beside, node_page
from sparkctl.model.baseline import Clone
from sparkctl.model.bundle_page import Fact
from sparkctl.model.fleet_page import AgainstBaseline, FoldedChange, FoldedDrift, LostFields, OpenAlert, RunGoingOn
from sparkctl.model.node_page import NodeChange, NodePage, NodeStatus, PageEnd, PageGap
from sparkctl.model.reset_report import EndKind
from sparkctl.model.run import Failure
from sparkctl.model.standing import NodeStanding
from sparkctl.model.vocabulary import Cause, Stage, UnknownReason
from tests.support.envelopes import finding, unreported
from tests.support.fleet_pages import NOW, fleet_of, html_of, node_of, pages_of, record_of
from tests.support.outline import Outline

MOST_BYTES = 5 * 2**20
EVIL = (
    "\"'><script>document.title='owned';alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</style></details>&amp;"
)
SHORT = EVIL[:110]


def hostile() -> tuple[list[NodePage], dict[str, Any]]:
    """A fleet in which every text that a node, a file or a person may choose would run a program in a browser."""
    node = node_of(1, site=SHORT, rack=SHORT, unit=SHORT, state=SHORT, simulated=True)
    bad = [finding(f"a.{status}", status, summary=EVIL, action=EVIL, value=EVIL, unit=SHORT, locator=EVIL,
                   threshold={"comparison": "ge", "warn": EVIL, "fail": EVIL, "provenance": EVIL})
           for status in ("fail", "warn", "unknown")]  # fmt: skip
    failed = Failure(stage=Stage.DECODE, cause=Cause.NOT_JSON, message=EVIL, hint=EVIL)
    last = unreported("spark0001").model_copy(update={"failure": failed, "warnings": [EVIL]})
    change = NodeChange(at=NOW, kind="fact", name=EVIL, before=EVIL, after=EVIL)
    end = PageEnd(node="spark0001", from_boot_id=None, to_boot_id=None, told="claimed", kind=EndKind.CUT_OFF,
                  words=EVIL, claim=EVIL, after=NOW - timedelta(days=1), before=NOW, passed_over=True)  # fmt: skip
    beside = Beside(make=EVIL, facts=[Fact(part=SHORT, name=SHORT, value=EVIL)], changes=[change], ends=[end],
                    gaps=[PageGap(facet=SHORT, field=EVIL, reason=UnknownReason.TIMEOUT)],
                    never_collected=[SHORT])  # fmt: skip
    health = record_of("spark0001", *bad, simulated=True)
    page = node_page(NodeStanding(node, last, health, None, {}), NOW, timedelta(days=2), beside)
    folded = FoldedChange(
        kind="fact", name=EVIL, before=EVIL, after=EVIL, more=0, nodes=["spark0001"], since=NOW, until=NOW
    )
    drift = FoldedDrift(field=EVIL, expected=EVIL, observed=EVIL, nodes=["spark0001"], since=NOW, until=NOW)
    run = RunGoingOn(
        run_id=SHORT, kind=SHORT, selector=EVIL, started_at=NOW, selected=1, recorded=0, waiting=["spark0001"]
    )
    parts = {
        "selector": EVIL, "tool": SHORT, "changes": [folded], "ends": [end],
        "alerts": [OpenAlert(title=EVIL, nodes=["spark0001"], since=NOW, words=EVIL, action=EVIL)],
        "against_baseline": AgainstBaseline(
            baseline=EVIL, made_at=NOW, compared=1, not_compared=[], drift=[drift], left_out=0
        ),
        "unread": [LostFields(field=EVIL, reason=UnknownReason.TIMEOUT, nodes=["spark0001"])],
        "clones": [Clone(field="serial", value=EVIL, nodes=["spark0001", "spark0002"])],
        "coverage": fleet_of([page]).coverage.model_copy(update={"running": [run]}),
    }  # fmt: skip
    return [page], parts


def test_nothing_is_loaded_and_nothing_runs_but_our_own_two_scripts() -> None:
    nodes, parts = hostile()
    page = html_of(nodes, **parts)
    outline = Outline(page)
    (policy,) = (each["content"] or "" for _, each in outline.named("meta") if each.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        bodies = re.findall(rf"<{tag}(?: [^>]*)?>(.*?)</{tag}>", page, re.DOTALL)
        assert len(bodies) == len(outline.named(tag)) == 2
        (allowed,) = (part for part in policy.split("; ") if part.startswith(directive))
        assert allowed.split()[1:] == [digest(body) for body in bodies]
    assert not outline.named("link", "img", "iframe", "object", "embed", "base", "image", "foreignobject")
    attributes = [(name, value) for _, each in outline.elements for name, value in each.items()]
    assert not [
        each for each in attributes if each[0].startswith("on") or each[0] in ("src", "style", "srcset", "action")
    ]
    assert all((value or "").startswith("#") for name, value in attributes if name == "href")
    assert page.count("{{ 7*7 }}") > 30
    assert "49</style>" not in page


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_everybody_can_find_their_way() -> None:
    nodes, parts = hostile()
    outline = Outline(
        html_of([*nodes, *pages_of(9)[2:]], **{name: parts[name] for name in ("changes", "ends", "alerts")})
    )
    assert outline.named("html")[0][1]["lang"] == "en"
    assert [len(outline.named(tag)) for tag in ("h1", "main", "header", "nav", "footer")] == [1] * 5
    levels = [int(tag[1]) for tag, _ in outline.elements if tag in ("h1", "h2", "h3", "h4")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(outline.named("table")) == len(outline.named("caption")) > 10
    assert all(each.get("scope") in ("row", "col") for _, each in outline.named("th"))
    identified = [each["id"] for _, each in outline.elements if "id" in each]
    assert len(identified) == len(set(identified))
    wanted = {(each["href"] or "")[1:] for _, each in outline.named("a")}
    assert {target for target in wanted if not target.startswith("q=")} <= set(identified)
    assert all(each.get("aria-hidden") or each.get("aria-label") for _, each in outline.named("svg"))


def test_every_node_is_on_the_page_three_times() -> None:
    nodes = pages_of(60)
    page = html_of(nodes)
    for node in nodes:
        assert f'id="node={node.node_id}"' in page
        assert f'<a class="c" href="#node={node.node_id}"' in page
        assert f'data-n="{node.node_id}"' in page
    assert page.count('class="i octagon"') == 1  # nobody is refused but in the legend
    failing = sum(1 for node in nodes if node.status is NodeStatus.FAIL)
    assert f"<b>{failing}</b> need hands" in page


@pytest.mark.parametrize("count", [0, 1])
def test_a_fleet_of_none_and_of_one_has_a_page(count: int) -> None:
    page = html_of(pages_of(count))
    assert "Fleet report" in page
    assert ("There is nobody to tell of." in page) == (count == 0)
    assert page.count('<details class="node"') == count


def test_what_is_simulated_is_called_so_above_all() -> None:
    nodes, parts = hostile()
    real = html_of(pages_of(3))
    assert '<span class="mark">SIMULATED' not in real
    assert '<span class="mark">SIMULATED</span></h1>' in html_of(nodes, **parts)
    assert '<span class="mark">SIMULATED: 1 of 4 nodes</span></h1>' in html_of([*nodes, *pages_of(5)[2:]])


@pytest.mark.slow
def test_a_thousand_nodes_stay_below_five_mebibytes() -> None:
    assert len(html_of(pages_of(1000)).encode()) < MOST_BYTES
