"""The page of a fleet from stores that were written directly: who is what, and what is said of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.alert_desk import Desk, acknowledge_alerts, mute_nodes
from sparkctl.app.alerting import update_alerts
from sparkctl.app.places import Places
from sparkctl.app.report import ReportRequest, report
from sparkctl.app.report_ends import NOT_ASKED
from sparkctl.app.report_html import write_report
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.model.fleet_page import FleetPage
from sparkctl.model.node_page import MOST_FINDINGS, NodePage, NodeStatus
from sparkctl.model.reset_report import EndKind
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.support.envelopes import finding, reported, unreported
from tests.support.facts import facet, identity
from tests.support.histories import facts_stored, fleet_file, run_stored, sweep_stored
from tests.support.resets import boot, reset_record, transition

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def built(folder: Path, **options: Any) -> tuple[FleetPage, dict[str, NodePage]]:
    """The page of `fleet.yaml` and `state` in a folder, and those of the nodes."""
    nodes: list[NodePage] = []
    request = ReportRequest(places=Places(folder / "fleet.yaml", folder / "state", {}), **options)
    page = report(request, nodes.append, NOW)
    return page, {node.node_id: node for node in nodes}


def test_every_node_is_what_is_most_pressing_and_silence_is_never_well(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-9]")
    state = tmp_path / "state"
    sweep_stored(state, NOW - 3 * DAY, {"spark1": [finding()], "spark2": [finding(status="fail")]})
    everyone = {f"spark{number}": [finding()] for number in (3, 4, 5, 7, 8)}
    sweep_stored(state, NOW - 2 * HOUR, everyone | {"spark6": [finding(), finding("a.required", "unknown")]})
    run_stored(
        state,
        NOW - HOUR,
        [
            unreported("spark2"),
            unreported("spark3"),
            unreported("spark4", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED),
            unreported("spark5", Stage.SCHEDULE, Cause.INTERRUPTED),
            reported("spark8", finding("b.warned", "warn")),
        ],
    )
    page, nodes = built(tmp_path)
    assert {name: node.status.value for name, node in nodes.items()} == {
        "spark1": "stale",  # it was well, three days ago
        "spark2": "fail",  # what failed in its last answer failed, although it does not answer now
        "spark3": "lost",
        "spark4": "refused",
        "spark5": "pass",  # that we stopped says nothing about it
        "spark6": "unknown",
        "spark7": "pass",
        "spark8": "warn",
        "spark9": "never",
    }
    assert page.statuses == {node.status: 2 if node.status is NodeStatus.PASS else 1 for node in nodes.values()}
    seen = page.coverage
    assert (seen.selected, seen.reported, seen.unreported) == (9, 4, 5)
    assert seen.never_visited == ["spark9"]
    assert {(one.cause, *one.nodes) for one in seen.failures} == {
        (Cause.TIMEOUT, "spark2", "spark3"), (Cause.HOST_KEY_CHANGED, "spark4"), (Cause.INTERRUPTED, "spark5"),
    }  # fmt: skip
    assert [(one.check, one.nodes) for one in seen.required_unevaluated] == [("a.required", ["spark6"])]
    assert seen.oldest is not None
    assert seen.oldest.node == "spark1"
    assert (page.exit_code, page.exit_name) == (1, "findings")


def test_hands_are_folded_refusals_first_and_say_how_we_know(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-4]")
    threshold = {"comparison": "ge", "warn": 85.0, "fail": 95.0, "provenance": "common practice"}
    full = [
        finding(status="fail", summary=f"/ is {97 + number} % full", value=97.0, unit="%", threshold=threshold,
                locator="df", action="free it")
        for number in (1, 2)
    ]  # fmt: skip
    sweep_stored(tmp_path / "state", NOW - 3 * HOUR, {"spark1": full[:1]})
    sweep_stored(tmp_path / "state", NOW - HOUR, {"spark2": full[1:], "spark3": [finding()]})
    run_stored(tmp_path / "state", NOW - HOUR / 2, [unreported("spark3", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED)])
    page, _ = built(tmp_path)
    refused, failed, never = page.hands
    assert (refused.status, refused.title, refused.nodes) == (NodeStatus.REFUSED, "host key changed", ["spark3"])
    assert (failed.title, failed.nodes, failed.example) == ("disk.space", ["spark1", "spark2"], "/ is 98 % full")
    assert failed.known_by == "read from df; fails from 95.0 % on, warns from 85.0 % on"
    assert failed.provenance == "common practice"
    assert (failed.first_seen, failed.last_seen) == (NOW - 3 * HOUR, NOW - HOUR)
    assert failed.action == "free it"
    assert (never.status, never.nodes, never.action) == (NodeStatus.NEVER, ["spark4"], "sparkctl health")


def test_the_exit_code_is_that_of_a_sweep(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-2]")
    state = tmp_path / "state"
    sweep_stored(state, NOW - 2 * HOUR, {"spark1": [finding()], "spark2": [finding()]})
    assert built(tmp_path)[0].exit_name == "ok"
    assert built(tmp_path, max_age=HOUR)[0].exit_name == "unjudged"
    run_stored(state, NOW - HOUR, [unreported("spark1", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED)])
    assert built(tmp_path)[0].exit_name == "refused"
    assert built(tmp_path, selector="spark2")[0].exit_name == "ok"


def test_a_judgement_from_the_future_has_no_age_and_is_not_fresh(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark1")
    sweep_stored(tmp_path / "state", NOW + HOUR, {"spark1": [finding()]})
    page, nodes = built(tmp_path)
    assert nodes["spark1"].status is NodeStatus.STALE
    assert "in the future" in page.hands[0].example


def test_what_was_never_stored_is_told_as_such(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]", simulated="true")
    page, nodes = built(tmp_path)
    assert page.statuses == {NodeStatus.NEVER: 3}
    assert page.coverage.never_visited == ["spark1", "spark2", "spark3"]
    assert page.simulated == 3
    assert (page.moments, page.trends, page.changes, page.ends) == ([], [], [], [])
    assert {value.why for one in page.versions for value in one.values} == {"never collected"}
    assert not (tmp_path / "state").exists()
    assert nodes["spark1"].judged_at is None


def test_a_change_is_told_once_for_all_nodes_that_made_it(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-4]")
    state, old, new = tmp_path / "state", "580.159.03", "580.173.02"

    def drivers(version: str) -> dict[str, Any]:
        return {"drivers": facet({"nvidia": {"loaded": True, "version": version}}), "identity": facet(identity())}

    names = [f"spark{number}" for number in (1, 2, 3, 4)]
    facts_stored(state, NOW - 9 * DAY, dict.fromkeys(names[:3], drivers(old)))
    facts_stored(state, NOW - 2 * DAY, dict.fromkeys(names[:2], drivers(new)))
    facts_stored(state, NOW - DAY, {"spark3": drivers(new), "spark4": drivers(new)})
    page, nodes = built(tmp_path)
    (change,) = page.changes
    assert (change.name, change.before, change.after) == ("drivers.nvidia.version", old, new)
    assert change.nodes == ["spark1", "spark2", "spark3"]  # the fourth one was collected for the first time
    assert (change.since, change.until) == (NOW - 2 * DAY, NOW - DAY)
    assert nodes["spark4"].changes == []
    assert [one.after for one in nodes["spark3"].changes] == [new]
    driver = page.versions[0]
    assert [(value.value, value.nodes) for value in driver.values] == [(new, names)]
    assert driver.values[0].makes == ["NVIDIA"]
    assert built(tmp_path, window=HOUR)[0].changes == []


def test_a_check_that_changes_again_and_again_is_one_change(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark1")
    for number in range(5):
        status = "fail" if number % 2 else "pass"
        sweep_stored(tmp_path / "state", NOW - (5 - number) * HOUR, {"spark1": [finding(status=status)]})
    page, _ = built(tmp_path)
    (change,) = page.changes
    assert (change.name, change.before, change.after, change.more) == ("disk.space", "fail", "pass", 3)


def test_gaps_and_what_was_never_collected_are_told(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark1")
    firmware = facet({"bios": {"version": None}}, {"bios.version": "not_permitted"})
    facts_stored(tmp_path / "state", NOW - DAY, {"spark1": {"firmware": firmware}})
    page, nodes = built(tmp_path)
    assert [(gap.facet, gap.field) for gap in nodes["spark1"].gaps] == [("firmware", "bios.version")]
    assert "drivers" in nodes["spark1"].never_collected
    assert [(one.field, one.nodes) for one in page.unread] == [("firmware.bios.version", ["spark1"])]
    bios = next(one for one in page.versions if one.title == "BIOS")
    assert [(value.value, value.why) for value in bios.values] == [(None, "could not be read: not_permitted")]
    ages = {one.what: (sum(one.bins.values()), one.never) for one in page.ages}
    assert (ages["firmware"], ages["drivers"]) == ((1, 0), (0, 1))


def of_boot(node: str, number: int) -> Any:
    record = reported(node, finding())
    assert record.envelope is not None
    facts = record.envelope.meta.node.model_copy(update={"boot_id": boot(number)})
    meta = record.envelope.meta.model_copy(update={"node": facts})
    return record.model_copy(update={"envelope": record.envelope.model_copy(update={"meta": meta})})


def test_ends_of_boots_lie_between_contacts_and_claim_no_more_than_was_answered(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]")
    state = tmp_path / "state"
    for hours, number in ((30, 1), (20, 0)):
        run_stored(state, NOW - hours * HOUR, [of_boot(f"spark{place}", number) for place in (1, 2, 3)])
    cut = transition(termination="disorderly.panic", expected="no")
    run_stored(
        state, NOW - 10 * HOUR, [reset_record("spark1", cut), reset_record("spark2", transition())], RunKind.RESET
    )
    page, nodes = built(tmp_path)
    ends = {one.node: one for one in page.ends}
    assert {name: (one.told, one.kind) for name, one in ends.items()} == {
        "spark1": ("claimed", EndKind.UNEXPECTED),
        "spark2": ("cannot_be_known", EndKind.NOT_TOLD),
        "spark3": ("not_asked", None),
    }
    assert ends["spark1"].after == NOW - 30 * HOUR
    assert ends["spark1"].before is not None
    assert ends["spark1"].before <= NOW - 12 * HOUR  # by its uptime, or when it was first heard of
    assert (ends["spark3"].words, ends["spark3"].before) == (NOT_ASKED, NOW - 20 * HOUR + timedelta(seconds=2))
    assert "cannot be known" in ends["spark2"].words
    assert nodes["spark2"].ends == [ends["spark2"]]
    assert built(tmp_path, window=HOUR)[0].ends == []


def test_an_older_answer_tells_of_an_end_that_the_newest_one_does_not(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark1")
    state = tmp_path / "state"
    for hours, number in ((40, 2), (30, 1), (20, 0)):
        run_stored(state, NOW - hours * HOUR, [of_boot("spark1", number)])
    older = transition(-1, termination="orderly.reboot")
    run_stored(state, NOW - 12 * HOUR, [reset_record("spark1", transition(), older)], RunKind.RESET)
    run_stored(state, NOW - 10 * HOUR, [reset_record("spark1", transition())], RunKind.RESET)
    page, _ = built(tmp_path)
    assert [(one.from_boot_id, one.told) for one in page.ends] == [(boot(1), "cannot_be_known"), (boot(2), "claimed")]


def test_trends_have_no_value_where_nobody_looked(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-9]")
    names = [f"spark{number}" for number in range(1, 10)]
    for hour in (0, 1, 2, 6, 7):
        hot = {name: 90.0 if name == "spark9" else 40.0 + place for place, name in enumerate(names)}
        sweep_stored(
            tmp_path / "state",
            NOW - (8 - hour) * HOUR,
            {name: [finding("gpu.temperature", value=value, unit="Cel")] for name, value in hot.items()},
        )
    page, nodes = built(tmp_path)
    (trend,) = page.trends
    assert (trend.check, trend.nodes, trend.readings) == (
        "gpu.temperature",
        9,
        36,
    )  # of two runs around one moment the newer counts
    assert len(page.moments) == len(trend.bands) == 5
    assert trend.bands[2] is None
    assert nodes["spark1"].series[0].points[2] is None
    last = trend.bands[-1]
    assert last is not None
    assert (last.nodes, last.least, last.most) == (9, 40.0, 90.0)
    assert [(one.node, one.latest) for one in trend.named] == [("spark9", 90.0)]
    assert built(tmp_path, trends=False)[0].trends == []


def test_all_of_few_nodes_are_named_and_values_that_are_none_are_passed_over(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-2]")
    odd = [
        finding("gpu.temperature", "unknown"),
        finding("nvme.wear", value="much"),
        finding("memory.pressure", value=True),
    ]
    sweep_stored(tmp_path / "state", NOW - HOUR, {"spark1": [finding("gpu.temperature", value=50)], "spark2": odd})
    page, _ = built(tmp_path)
    assert [(one.check, [line.node for line in one.named]) for one in page.trends] == [("gpu.temperature", ["spark1"])]


def test_a_run_that_goes_on_names_who_is_not_stored_yet(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]")
    state = tmp_path / "state"
    sweep_stored(state, NOW - HOUR, {f"spark{number}": [finding()] for number in (1, 2, 3)})
    with SweepLock(state, ["test"]) as lock, Store.open(state) as store:
        from sparkctl.model.fleet_report import RunStart  # noqa: PLC0415
        from sparkctl.model.outcome import NodeOutcome  # noqa: PLC0415

        start = RunStart(run_id="now", tool="t", started_at=NOW, selector="all", program_sha256="a" * 64, selected=3)
        store.begin_run(lock, start)
        store.add([NodeOutcome.of(reported("spark2", finding()).model_copy(update={"run_id": "now", "ts": NOW}))])
        (run,) = built(tmp_path)[0].coverage.running
    assert (run.recorded, run.selected, run.waiting) == (1, 3, ["spark1", "spark3"])
    assert built(tmp_path)[0].coverage.running == []


def test_a_node_that_says_much_gets_a_page_with_an_end(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark1")
    many = [finding(f"a.check{number}", "fail", summary="x" * 1000, action="y" * 1000) for number in range(300)]
    sweep_stored(tmp_path / "state", NOW - HOUR, {"spark1": many})
    _, nodes = built(tmp_path)
    node = nodes["spark1"]
    assert (len(node.findings), node.left_out) == (MOST_FINDINGS, 300 - MOST_FINDINGS)
    assert max(len(one.summary) for one in node.findings) <= 400
    assert node.status is NodeStatus.FAIL


def test_alerts_that_were_told_and_are_not_over_are_shown(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark[1-3]")
    state, file = tmp_path / "state", tmp_path / "fleet.yaml"
    failed = {name: [finding("disk.space", "fail", summary="full")] for name in ("spark1", "spark2")}
    sweep_stored(state, NOW - DAY, failed | {"spark3": [finding("a.check", "warn")]})
    with Store.open(state) as store:
        update_alerts(store, load_fleet(file), file, {})
    page, _ = built(tmp_path)
    assert [(one.title, one.nodes, one.words) for one in page.alerts] == [
        ("disk.space", ["spark1"], "full"),
        ("disk.space", ["spark2"], "full"),
    ]
    assert [one.nodes for one in built(tmp_path, selector="spark2")[0].alerts] == [["spark2"]]
    with Store.open(state) as store:
        first = next(name for name, one in store.alerts.book().conditions.items() if one.problem.node == "spark1")
    acknowledge_alerts(Desk(Places(file, state, {}), None), [first], by="me", note=None, now=NOW)
    assert [one.words for one in built(tmp_path)[0].alerts] == ["full", "full (acknowledged by me)"]
    mute_nodes(Desk(Places(file, state, {}), None), "spark2", 2 * HOUR, reason="new disk", by="me", now=NOW - HOUR)
    assert built(tmp_path)[0].alerts[0].words == "full (muted: new disk)"
    (tmp_path / "alerts.yaml").write_text("version: [")
    assert len(built(tmp_path)[0].alerts) == 2


def test_a_page_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    fleet_file(tmp_path, "spark1")
    out = tmp_path / "page.html"
    request = ReportRequest(places=Places(tmp_path / "fleet.yaml", tmp_path / "state", {}))
    assert write_report(request, out, NOW).bytes == out.stat().st_size
    before = out.read_bytes()
    (tmp_path / "fleet.yaml").write_text("nodes: [\n")
    with pytest.raises(UsageError):
        write_report(request, out, NOW)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(UsageError, match="no folder"):
        write_report(request, tmp_path / "nowhere" / "page.html", NOW)
