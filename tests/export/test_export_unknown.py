"""What is not known is left out or told as such: never a zero, an empty text, or yesterday's value."""

import csv
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from sparkctl.app.ages import fresh
from sparkctl.export.catalogue import FORMATS
from sparkctl.export.subject import Subject
from sparkctl.model.standing import NodeStanding
from tests.support.standings import FACTS_AT, NOON, exported, fell_silent, never_answered, never_visited, with_facet

TEXTS = ("csv", "syslog", "cef", "leef", "prometheus")
JSON_LINES = tuple(form for form in FORMATS if form not in TEXTS)


def documents(form: str, *standings: NodeStanding) -> list[Any]:
    return [json.loads(text) for text in exported(form, standings).splitlines()]


def values(document: Any) -> list[Any]:
    if isinstance(document, dict):
        return [value for one in document.values() for value in values(one)]
    if isinstance(document, list):
        return [value for one in document for value in values(one)]
    return [document]


@pytest.mark.parametrize("form", FORMATS)
def test_a_node_that_was_never_visited_is_told_as_such(form: str) -> None:
    text = exported(form, [never_visited("new01")])
    if not FORMATS[form].of_unknown:
        assert text == ""
        return
    assert "new01" in text
    if form not in ("csv", "prometheus"):
        assert re.search("never.visited|not_known", text, re.IGNORECASE)


@pytest.mark.parametrize("form", JSON_LINES)
def test_nothing_is_written_for_what_is_not_known(form: str) -> None:
    for document in documents(form, never_visited(), never_answered()):
        found = values({key: value for key, value in document.items() if key not in ("rc", "relations")})
        assert None not in found
        assert "" not in found
        if form not in ("ocsf", "orchestrator", "otlp"):  # there 0 means unknown; `duration_ms` was measured
            assert [value for value in found if value == 0 and value is not False] == []


def test_the_cells_of_a_table_stay_empty() -> None:
    head, row = csv.reader(exported("csv", [never_visited()]).splitlines())
    known = {name: cell for name, cell in zip(head, row, strict=True) if cell}
    assert set(known) == {"node", "uuid", "key", "key_source", "simulated", "exported_at", "never_collected"}


def test_a_node_that_did_not_answer_has_no_outcome(founders: NodeStanding) -> None:
    for standing in (never_answered(), fell_silent(founders)):
        ecs = documents("ecs", standing)[0]
        assert (ecs["event"]["outcome"], ecs["event"]["code"]) == ("unknown", "node.unreported")
        ocsf = documents("ocsf", standing)[0]
        assert (ocsf["status_id"], ocsf["status_code"]) == (0, "connect.connection_refused") or ocsf["status_id"] == 0
        assert "last_seen_time" not in ocsf["device"]


def test_no_stale_gauge_pretends_to_be_of_now(founders: NodeStanding) -> None:
    before, after = exported("prometheus", [founders]), exported("prometheus", [fell_silent(founders)])
    node = f'{{node="{founders.node.node_id}"}}'
    assert f"sparkctl_node_reported{node} 1\n" in before
    assert "sparkctl_check_status{" in before
    assert f"sparkctl_node_reported{node} 0\n" in after
    for name in ("sparkctl_check_status", "sparkctl_check_value", "sparkctl_node_completeness_ratio"):
        assert name not in after
    assert f"sparkctl_node_health_timestamp_seconds{node} " in after


def test_metrics_have_the_moment_at_which_they_were_so(founders: NodeStanding) -> None:
    metrics = documents("otlp", founders)[0]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    moments = {one["name"]: {point["timeUnixNano"] for point in one["gauge"]["dataPoints"]} for one in metrics}
    assert moments["sparkctl.node.memory"] == {str(int(FACTS_AT.timestamp()) * 10**9)}
    assert founders.health is not None
    assert moments["sparkctl.check.status"] == {str(int(founders.health.ts.timestamp()) * 10**9)}


def test_an_unknown_check_is_unknown_in_every_scale(partial: NodeStanding) -> None:
    check = (
        next(one.check for one in partial.health_data.findings if one.status == "unknown")
        if partial.health_data
        else ""
    )
    assert check
    cef = next(text for text in exported("cef", [partial]).splitlines() if f"|health.{check}|" in text)
    assert cef.split("|")[6] == "Unknown"
    leef = next(text for text in exported("leef", [partial]).splitlines() if f"|health.{check}|" in text)
    assert "\tsev=" not in leef
    ocsf = next(one for one in documents("ocsf", partial)[1:] if one["compliance"]["control"] == check)
    assert (ocsf["severity_id"], ocsf["compliance"]["status_id"]) == (0, 0)
    assert ocsf["compliance"]["status_code"]
    ecs = next(one for one in documents("ecs", partial) if one.get("rule", {}).get("id") == check)
    assert ecs["event"]["outcome"] == "unknown"
    assert "severity" not in ecs["event"]
    logs = documents("otlp", partial)[1]["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert next(one for one in logs if one["eventName"] == f"health.{check}")["severityNumber"] == 0


@pytest.mark.parametrize("form", FORMATS)
def test_simulated_is_marked_in_every_format(form: str, founders: NodeStanding) -> None:
    real = founders.node.model_copy(update={"simulated": False})
    text = exported(form, [founders])
    assert re.search("simulated", text, re.IGNORECASE)
    assert founders.last is not None
    not_simulated = NodeStanding(
        real, founders.last.model_copy(update={"simulated": False}), founders.health, None, founders.facets
    )
    assert exported(form, [not_simulated]) != text


@pytest.mark.parametrize("form", ["csv", "ecs", "splunk", "ocsf", "otlp"])
def test_gaps_and_facets_never_collected_are_named(form: str, partial: NodeStanding) -> None:
    only = NodeStanding(partial.node, partial.last, None, None, {"identity": partial.facets["identity"]})
    text = exported(form, [only])
    assert "identity.serial_source=not_permitted" in text or "identity.serial=not_permitted" in text
    assert "firmware" in text


def test_a_bill_of_materials_names_what_it_does_not_know(founders: NodeStanding) -> None:
    gap = with_facet(founders, "software", {"packages": None}, {"packages": "timeout"})
    properties = documents("cyclonedx-sbom", gap)[0]["metadata"]["component"]["properties"]
    assert {"name": "sparkctl:gap", "value": "software.packages=timeout"} in properties
    empty = documents("cyclonedx", never_visited())[0]
    assert "components" not in empty
    assert {"name": "sparkctl:not_known", "value": "hardware"} in empty["metadata"]["component"]["properties"]


def test_an_inventory_that_lacks_something_is_partial(founders: NodeStanding) -> None:
    assert documents("glpi", founders)[0]["partial"] is False
    gap = with_facet(founders, "software", {"snaps": {}}, {"packages": "timeout"})
    assert documents("glpi", gap)[0]["partial"] is True
    assert documents("glpi", never_visited())[0]["partial"] is True


def test_what_is_too_old_is_left_out_and_named(founders: NodeStanding) -> None:
    kept, stale = fresh(founders, NOON, timedelta(hours=4, minutes=30))
    assert set(stale) == set(founders.facets)
    assert (kept.facets, kept.health) == ({}, founders.health)
    everything = ("health", "reset", *founders.facets)
    assert fresh(founders, NOON, timedelta(hours=1))[1] == everything
    assert fresh(founders, NOON, None) == (founders, ())
    text = "".join(FORMATS["ecs"].pieces([Subject(kept, NOON, stale=stale)]))
    known = json.loads(text.splitlines()[0])["sparkctl"]["known"]
    assert known["stale"] == list(stale)
    assert "never_collected" not in known
    assert "dgx_os" not in known
