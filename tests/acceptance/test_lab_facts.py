"""Facts of the simulated fleet over real SSH: collected, shown, held against a baseline, drifted, taken up."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaints
from sparkctl.lab.state import Lab
from sparkctl.model.facets.catalogue import FACETS
from tests.support.command import json_lines, sparkctl
from tests.support.labs import broken, running_lab

pytestmark = pytest.mark.slow

MAKES = ["founders", "dell", "lenovo", "asus", "hp", "msi", "gigabyte"]
ALL_MAKES = "sim-[01-07]"
TWINS = ("sim-08", "sim-09")
"""Two machines of one make beside them."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A machine of every make, and two that are alike. What a test changes it puts back."""
    with running_lab(tmp_path_factory.mktemp("facts") / "lab", len(MAKES) + 2, [*MAKES, "founders", "founders"]) as lab:
        yield lab


def run(lab: Lab, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return sparkctl(
        *words, "--fleet", lab.fleet_file, "--state", folder / "state", "--format", "jsonl", home=folder, timeout=600
    )  # fmt: skip


def collect(lab: Lab, folder: Path, *words: str, code: int = 0) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    ran = run(lab, folder, "collect", "--timeout", "120", "--concurrency", "4", *words)
    assert ran.returncode == code, ran.stderr
    assert list(complaints(ran.stdout.encode())) == []
    *records, report = json_lines(ran)
    assert report["selected"] == report["reported"] + report["unreported"]
    return records, report


def test_all_makes_bring_all_facets_within_their_cost(lab: Lab, tmp_path: Path) -> None:
    records, report = collect(lab, tmp_path, ALL_MAKES)
    assert report["facets"] == list(FACETS)
    assert (report["reported"], report["simulated"]) == (7, True)
    # cloud-init writes its part of sshd's configuration for root's eyes only, and a Match block could be in it.
    assert [(one["path"], one["reason"], len(one["nodes"])) for one in report["gaps"]] == [
        ("ssh.match_blocks", "not_permitted", 7)
    ]
    for record in records:
        assert record["summary"] == dict.fromkeys(FACETS, "read") | {"security": "partial"}
        cost = record["envelope"]["meta"]["cost"]
        assert 0 < cost["cpu_ms"] < 1500
        assert record["visit"]["received_bytes"] < 262_144
        assert record["envelope"]["data"]["facets"]["identity"]["data"]["platform"]["is_gb10"] is True
    serials = {record["envelope"]["data"]["facets"]["identity"]["data"]["serial"] for record in records}
    assert len(serials) == 7


def test_both_stacks_bring_the_same_facts(lab: Lab, tmp_path: Path) -> None:
    found = []
    text = lab.fleet_file.read_text()
    for transport in ("asyncssh", "paramiko"):
        try:
            lab.fleet_file.write_text(text.replace("defaults:\n", f"defaults:\n  transport: {transport}\n", 1))
            collect(lab, tmp_path / transport, "sim-01", "sim-04")
        finally:
            lab.fleet_file.write_text(text)
        shown = json_lines(run(lab, tmp_path / transport, "show", "sim-01", "sim-04"))
        found.append([{name: facet["data"] for name, facet in one["facets"].items()} for one in shown])
    assert found[0] == found[1]
    assert [set(one) for one in found[0]] == [set(FACETS)] * 2


def test_what_a_fault_changes_is_drift_with_its_day_and_its_node(lab: Lab, tmp_path: Path) -> None:
    collect(lab, tmp_path, *TWINS)
    assert run(lab, tmp_path, "baseline", "set", "--node", TWINS[0]).returncode == 0
    before = run(lab, tmp_path, "drift", *TWINS)
    assert (before.returncode, json.loads(before.stdout)["drift"]) == (0, [])
    with broken(lab, TWINS[1], "driver-missing"):
        collect(lab, tmp_path, *TWINS)
    after = run(lab, tmp_path, "drift", *TWINS)
    report = json.loads(after.stdout)
    assert list(complaints(after.stdout.encode())) == []
    assert after.returncode == 1
    assert {tuple(one["nodes"]) for one in report["drift"]} == {(TWINS[1],)}
    assert any(one["facet"] == "drivers" for one in report["drift"])


def test_nodes_that_cannot_be_reached_keep_what_is_known_of_them(lab: Lab, tmp_path: Path) -> None:
    collect(lab, tmp_path, "--facet", "os", *TWINS)
    with broken(lab, TWINS[1], "down"):
        _, report = collect(lab, tmp_path, "--facet", "os", *TWINS, code=3)
    assert [failure["cause"] for failure in report["failures"]] == ["connection_refused"]
    shown = json_lines(run(lab, tmp_path, "show", "--facet", "os", *TWINS))
    assert all(one["facets"]["os"]["data"]["kernel"]["running"] for one in shown)
    assert shown[0]["collected_at"] > shown[1]["collected_at"]


def test_a_collection_can_be_taken_up_but_not_as_a_sweep(lab: Lab, tmp_path: Path) -> None:
    with broken(lab, TWINS[1], "down"):
        _, first = collect(lab, tmp_path, "--facet", "drivers", *TWINS, code=3)
    wrong = run(lab, tmp_path, "health", "--resume", first["run_id"])
    assert (wrong.returncode, "was a run of collect" in wrong.stderr) == (2, True)
    other = run(lab, tmp_path, "collect", "--facet", "os", "--resume", "last")
    assert (other.returncode, "asked for drivers" in other.stderr) == (2, True)
    records, second = collect(lab, tmp_path, "--resume", "last")
    assert [record["node_id"] for record in records] == [TWINS[1]]
    assert (second["resumes"], second["reported"], second["facets"]) == (first["run_id"], 2, ["drivers"])


def test_the_ota_state_is_scored_from_the_nodes_own_recipes(lab: Lab, tmp_path: Path) -> None:
    assert run(lab, tmp_path, "ota").returncode == 2  # there is no store yet
    collect(lab, tmp_path, "--facet", "ota", TWINS[0])
    ran = run(lab, tmp_path, "ota", *TWINS)
    report = json.loads(ran.stdout)
    assert list(complaints(ran.stdout.encode())) == []
    (state,) = report["states"]
    assert (state["nodes"], report["uncollected"]) == ([TWINS[0]], [TWINS[1]])
    assert state["release"] == "7.4.0"
    assert state["score"]["matched"] is not None
    assert not any("beta" in recipe["name"] for recipe in state["score"]["recipes"].values())


def test_an_unknown_facet_is_refused_before_anybody_is_asked(lab: Lab, tmp_path: Path) -> None:
    ran = run(lab, tmp_path, "collect", "--facet", "weather")
    assert (ran.returncode, "the facets are: identity" in ran.stderr) == (2, True)
    assert not (tmp_path / "state").exists()
