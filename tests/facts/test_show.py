"""What is known of nodes: with its age, folded by value, found by condition; and what changed when."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import json_lines, sparkctl
from tests.support.facts import facet, identity, remember


@pytest.fixture
def known(tmp_path: Path) -> list[str]:
    """Three nodes that were collected twice, one that never was; the options that find them."""
    fleet, state = tmp_path / "fleet.yaml", tmp_path / "state"
    fleet.write_text("nodes: ['spark[01-04]']\n")
    first = {"identity": facet(identity(hostname="a", macs={"enP7s7": "02:00:00:00:00:01"}))}
    remember(state, 1, dict.fromkeys(("spark01", "spark02", "spark03"), first))
    second = {"identity": facet(identity(product="GX10", hostname="a"), {"macs": "io_error"})}
    remember(state, 2, {"spark01": second, "spark02": first, "spark03": None})
    return ["--fleet", str(fleet), "--state", str(state)]


def test_a_node_is_shown_with_all_that_holds_and_its_age(known: list[str], tmp_path: Path) -> None:
    ran = sparkctl("show", "spark01", *known, "--format", "human", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "spark01  collected 2026-11-02 00:00Z" in ran.stdout
    assert "identity  since 2026-11-02" in ran.stdout
    assert "product_name: GX10" in ran.stdout
    assert "macs  could not be read: io_error" in ran.stdout


def test_a_visit_without_facts_leaves_those_that_are_known(known: list[str], tmp_path: Path) -> None:
    (one,) = json_lines(sparkctl("show", "spark03", *known, home=tmp_path))
    assert one["collected_at"].startswith("2026-11-01")
    assert one["facets"]["identity"]["since"].startswith("2026-11-01")


def test_a_node_that_was_never_collected_has_no_facts(known: list[str], tmp_path: Path) -> None:
    (one,) = json_lines(sparkctl("show", "spark04", *known, home=tmp_path))
    assert one == {"node_id": "spark04", "collected_at": None, "facets": {}}
    assert "never collected" in sparkctl("show", "spark04", *known, "--format", "human", home=tmp_path).stdout


def test_a_field_is_folded_by_value(known: list[str], tmp_path: Path) -> None:
    options = ["--field", "identity.smbios.product_name", "--format", "human"]
    lines = sparkctl("show", *known, *options, home=tmp_path).stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["identity.smbios.product_name"],
        ["NVIDIA_DGX_Spark", "2", "spark[02-03]"],
        ["GX10", "1", "spark01"],
        ["never", "collected", "1", "spark04"],
    ]


@pytest.mark.parametrize(
    ("condition", "nodes"),
    [
        ("identity.smbios.product_name=GX10", ["spark01"]),
        ("identity.smbios.product_name=*X1*", ["spark01"]),
        ("identity.smbios.product_name=NVIDIA*", ["spark02", "spark03"]),
        ("identity.platform.is_gb10=true", ["spark01", "spark02", "spark03"]),
        ("identity.macs.enP7s7=02:*", ["spark02", "spark03"]),
        ("identity.smbios.product_name=", []),
    ],
)
def test_nodes_are_found_by_a_field(condition: str, nodes: list[str], known: list[str], tmp_path: Path) -> None:
    ran = sparkctl("show", *known, "--where", condition, home=tmp_path)
    assert [one["node_id"] for one in json_lines(ran)] == nodes


def test_a_node_must_meet_all_conditions(known: list[str], tmp_path: Path) -> None:
    both = ["identity.smbios.product_name=NVIDIA*", "identity.macs.enP7s7=02:*"]
    ran = sparkctl("show", *known, "--where", both[0], "--where", both[1], home=tmp_path)
    assert [one["node_id"] for one in json_lines(ran)] == ["spark02", "spark03"]
    neither = sparkctl(
        "show", *known, "--where", both[0], "--where", "identity.smbios.product_name=GX10", home=tmp_path
    )
    assert json_lines(neither) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--field", "identity.smbios.product_nmae"], "product_name"),
        (["--field", "weather.sun"], "there is no field 'weather'"),
        (["--where", "identity.serial"], "write FIELD=VALUE"),
        (["--field", "identity..serial"], "look at character"),
        (["--facet", "weather"], "the facets are: identity"),
        (["spark99"], "spark99"),
    ],
)
def test_what_nobody_knows_is_refused(options: list[str], words: str, known: list[str], tmp_path: Path) -> None:
    ran = sparkctl("show", *known, *options, home=tmp_path)
    assert (ran.returncode, words in ran.stderr) == (2, True), ran.stderr


def history(known: list[str], home: Path, *options: str) -> list[dict[str, Any]]:
    return json_lines(sparkctl("history", *options, "--facet", "identity", *known[2:], home=home))


def test_the_history_of_a_facet_tells_what_changed_when(known: list[str], tmp_path: Path) -> None:
    first, second = history(known, tmp_path, "spark01")
    assert (first["at"][:10], first["changes"]) == ("2026-11-01", [])
    assert (second["at"][:10], second["run_id"]) == ("2026-11-02", "day2")
    assert second["changes"] == [
        {"field": "macs", "kind": "unreadable", "before": None, "after": "io_error"},
        {"field": "smbios.product_name", "kind": "changed", "before": "NVIDIA_DGX_Spark", "after": "GX10"},
    ]
    assert [one["at"][:10] for one in history(known, tmp_path, "spark02")] == ["2026-11-01"]


def test_the_history_of_a_node_nobody_knows_is_refused(known: list[str], tmp_path: Path) -> None:
    ran = sparkctl("history", "spark99", "--facet", "identity", *known[2:], home=tmp_path)
    assert (ran.returncode, "sparkctl collect" in ran.stderr) == (2, True)


def test_json_is_one_line_for_each_node(known: list[str], tmp_path: Path) -> None:
    ran = sparkctl("show", *known, home=tmp_path)
    assert [json.loads(line)["node_id"] for line in ran.stdout.splitlines()] == [f"spark0{n}" for n in range(1, 5)]


def test_the_last_steps_of_a_history_are_told_as_changes(known: list[str], tmp_path: Path) -> None:
    (last,) = history(known, tmp_path, "spark01", "--limit", "1")
    assert last["run_id"] == "day2"
    shown = sparkctl(
        "history", "spark01", "--limit", "1", "--facet", "identity", *known[2:], "--format", "human", home=tmp_path
    )
    assert "first seen" not in shown.stdout
    assert "NVIDIA_DGX_Spark → GX10" in shown.stdout


def test_a_field_that_could_not_be_read_is_not_nothing(known: list[str], tmp_path: Path) -> None:
    ran = sparkctl("show", *known, "--field", "identity.macs.enP7s7", "--format", "human", home=tmp_path)
    assert "could not be read: io_error  1  spark01" in ran.stdout
