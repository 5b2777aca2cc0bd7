"""Drift names the field, what was expected and seen, on which nodes, since when; and never calls silence a change."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import sparkctl
from tests.support.facts import facet, identity, remember

NODES = [f"spark{number:02}" for number in range(1, 7)]


def fleet(folder: Path) -> list[str]:
    path = folder / "fleet.yaml"
    path.write_text("nodes: ['spark[01-06]']\n")
    return ["--fleet", str(path), "--state", str(folder / "state")]


def same(product: str = "NVIDIA_DGX_Spark") -> dict[str, Any]:
    return {"identity": facet(identity(product=product))}


def drift(folder: Path, *options: str, code: int) -> dict[str, Any]:
    ran = sparkctl("drift", *fleet(folder), *options, home=folder)
    assert ran.returncode == code, ran.stderr
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def baseline(folder: Path, *options: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    ran = sparkctl("baseline", "set", *fleet(folder), "--facet", "identity", *options, home=folder)
    assert ran.returncode == code, ran.stderr
    return ran


def test_a_field_that_changed_is_named_with_its_nodes_and_its_day(tmp_path: Path) -> None:
    state = tmp_path / "state"
    remember(state, 1, {node: same() for node in NODES})
    baseline(tmp_path, "--node", "spark01")
    assert drift(tmp_path, code=0)["drift"] == []
    remember(state, 3, {node: same("GX10" if node in NODES[2:5] else "NVIDIA_DGX_Spark") for node in NODES})
    remember(state, 5, {node: same("GX10" if node in NODES[2:6] else "NVIDIA_DGX_Spark") for node in NODES})
    (one,) = drift(tmp_path, code=1)["drift"]
    assert (one["facet"], one["field"], one["kind"]) == ("identity", "smbios.product_name", "changed")
    assert (one["expected"], one["observed"]) == ("NVIDIA_DGX_Spark", "GX10")
    assert one["nodes"] == ["spark03", "spark04", "spark05", "spark06"]
    assert (one["since"], one["until"]) == ("2026-11-03T00:00:00Z", "2026-11-05T00:00:00Z")


def test_since_is_when_the_field_changed_not_when_its_facet_did(tmp_path: Path) -> None:
    state = tmp_path / "state"
    remember(state, 1, {"spark01": same()})
    baseline(tmp_path, "--node", "spark01")
    for day, hostname in ((2, "a"), (3, "b"), (4, "c")):
        remember(state, day, {"spark01": {"identity": facet(identity(product="GX10", hostname=hostname))}})
    (one,) = drift(tmp_path, "spark01", code=1)["drift"]
    assert one["since"] == "2026-11-02T00:00:00Z"


def test_since_reaches_as_far_back_as_the_value_does_however_many_runs_there_were(tmp_path: Path) -> None:
    state, last = tmp_path / "state", 24
    remember(state, 1, {"spark01": same(), "spark02": same(), "spark03": same("GX10")})
    baseline(tmp_path, "--node", "spark01")
    changed_on = {"spark01": 2, "spark02": last - 1, "spark03": 1}
    for day in range(2, last + 1):
        products = {node: "GX10" if day >= first else "NVIDIA_DGX_Spark" for node, first in changed_on.items()}
        facts = {node: facet(identity(product=product, hostname=f"h{day}")) for node, product in products.items()}
        remember(state, day, {node: {"identity": each} for node, each in facts.items()})
    for node, day in changed_on.items():
        (one,) = drift(tmp_path, node, code=1)["drift"]
        assert one["since"] == f"2026-11-{day:02}T00:00:00Z"
    (one,) = drift(tmp_path, "spark[01-03]", code=1)["drift"]
    assert (one["since"], one["until"]) == ("2026-11-01T00:00:00Z", "2026-11-23T00:00:00Z")


def test_what_could_not_be_read_or_was_never_collected_is_neither_drift_nor_well(tmp_path: Path) -> None:
    state = tmp_path / "state"
    remember(state, 1, {node: same() for node in NODES[:4]})
    baseline(tmp_path, "--node", "spark01")
    unread = {**identity(), "smbios": {"sys_vendor": "NVIDIA"}}
    hidden = {"identity": facet(unread, {"smbios.product_name": "not_permitted"})}
    remember(state, 2, {"spark01": hidden, "spark02": None})
    report = drift(tmp_path, code=3)
    assert report["drift"] == []
    assert report["uncollected"] == ["spark05", "spark06"]
    assert [(one["field"], one["reason"], one["nodes"]) for one in report["unread"]] == [
        ("smbios.product_name", "not_permitted", ["spark01"])
    ]


def test_nodes_with_older_facts_than_allowed_are_stale_and_not_compared(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": same(), "spark02": same("GX10")})
    baseline(tmp_path, "--node", "spark01")
    report = drift(tmp_path, "spark[01-03]", "--max-age", "1h", code=3)
    assert (report["stale"], report["uncollected"]) == (["spark01", "spark02"], ["spark03"])
    assert (report["drift"], report["compared"], report["max_age_s"]) == ([], 0, 3600)
    report = drift(tmp_path, "spark[01-03]", "--max-age", "36500d", code=1)
    assert (report["stale"], report["compared"]) == ([], 2)
    shown = sparkctl("drift", *fleet(tmp_path), "spark01", "--max-age", "1h", "--format", "human", home=tmp_path)
    assert "1 stale" in shown.stdout
    assert "Not compared: the facts are stale" in shown.stdout


def test_clones_are_found_also_outside_the_selection(tmp_path: Path) -> None:
    twin = {"identity": facet(identity(machine_id="0" * 31 + "1", host_keys={"ssh-ed25519": "SHA256:abc"}))}
    other = {"identity": facet(identity(machine_id="0" * 31 + "2", host_keys={"ssh-ed25519": "SHA256:def"}))}
    remember(tmp_path / "state", 1, {"spark01": twin, "spark02": other, "spark03": twin})
    baseline(tmp_path, "--node", "spark01")
    report = drift(tmp_path, "spark01", code=1)
    assert [(clone["field"], clone["nodes"]) for clone in report["clones"]] == [
        ("identity.host_keys.*", ["spark01", "spark03"]),
        ("identity.machine_id", ["spark01", "spark03"]),
    ]
    assert drift(tmp_path, "spark02", code=0)["clones"] == []


def test_a_clone_is_told_by_what_holds_now_on_nodes_of_the_fleet(tmp_path: Path) -> None:
    state = tmp_path / "state"

    def machine(machine_id: str, key: str) -> dict[str, Any]:
        return {"identity": facet(identity(machine_id=machine_id, host_keys={"ssh-ed25519": key}))}

    remember(state, 1, {"spark01": machine("a", "x"), "spark02": machine("a", "y"), "gone77": machine("b", "x")})
    baseline(tmp_path, "--node", "spark01")
    assert [clone["value"] for clone in drift(tmp_path, "spark[01-02]", code=1)["clones"]] == ["a"]
    remember(state, 2, {"spark02": machine("b", "y")})  # made new; the one it is like now left the fleet
    assert drift(tmp_path, "spark[01-02]", code=0)["clones"] == []
    remember(state, 3, {"spark02": machine("a", "x")})
    remember(state, 4, {"spark02": None})  # did not report: what was known of it holds
    found = {(clone["field"], tuple(clone["nodes"])) for clone in drift(tmp_path, "spark02", code=1)["clones"]}
    assert found == {
        ("identity.host_keys.*", ("spark01", "spark02")),
        ("identity.machine_id", ("spark01", "spark02")),
    }
    remember(state, 5, {"spark02": lost()})  # reported, and its identity could not be read
    assert drift(tmp_path, "spark[01-02]", code=3)["clones"] == []


def test_a_baseline_of_a_group_is_what_most_of_it_are(tmp_path: Path) -> None:
    odd = {"identity": facet({**identity(), "smbios": {"sys_vendor": "ASUS", "board_name": "X"}})}
    remember(tmp_path / "state", 1, {**{node: same() for node in NODES[:4]}, "spark05": odd})
    baseline(tmp_path, "--majority", "spark[01-05]")
    report = drift(tmp_path, "spark[01-05]", code=1)
    assert {(one["field"], one["kind"]) for one in report["drift"]} == {
        ("smbios.sys_vendor", "changed"),
        ("smbios.product_name", "disappeared"),
        ("smbios.board_name", "appeared"),
    }
    assert {tuple(one["nodes"]) for one in report["drift"]} == {("spark05",)}


def test_a_field_without_a_majority_is_ignored_and_said_so(tmp_path: Path) -> None:
    products = {"spark01": "A", "spark02": "B", "spark03": "C"}
    remember(tmp_path / "state", 1, {node: same(product) for node, product in products.items()})
    said = json.loads(baseline(tmp_path, "--majority", "spark[01-03]").stdout)
    assert said["undecided"] == ["identity.smbios.product_name"]
    assert drift(tmp_path, "spark[01-03]", code=0)["drift"] == []


def test_a_baseline_is_read_as_it_was_edited(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {node: same("580.142") for node in NODES})
    baseline(tmp_path, "--node", "spark01")
    path = tmp_path / "state" / "baseline.yaml"
    path.write_text(path.read_text().replace("'580.142'", "580.142"))  # a number to YAML, a text to the field
    assert drift(tmp_path, code=0)["compared"] == 6
    path.write_text(path.read_text() + "- identity.smbios\n")
    path.write_text(path.read_text().replace("580.142", "580.159.03"))
    assert drift(tmp_path, code=0)["drift"] == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("product_name: ", "product_nmae: ", ["identity.smbios.product_nmae", "Did you mean product_name?"]),
        ("is_gb10: true", "is_gb10: perhaps", ["identity.platform.is_gb10", "boolean"]),
        ("is_gb10: true", "is_gb10: [true]", ["identity.platform.is_gb10", "one value, not a list"]),
        ("schema: sparkctl.baseline/1", "schema: sparkctl.baseline/9", ["no baseline of the schema"]),
        ("facets:", "facts:", ["facts", "Did you mean facets?"]),
        ("- identity.serial\n", "- identity.serila\n", ["identity.serila"]),
        ("- identity.serial\n", "- identity..serial\n", ["look at character"]),
        ("made_at: ", "made_at: yesterday ", ["made_at"]),
        ("facets:", "facets: [", ["not valid YAML"]),
    ],
)
def test_a_wrong_baseline_is_refused_with_file_line_and_key(
    old: str, new: str, words: list[str], tmp_path: Path
) -> None:
    remember(tmp_path / "state", 1, {"spark01": same()})
    baseline(tmp_path, "--node", "spark01")
    path = tmp_path / "state" / "baseline.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    ran = sparkctl("drift", *fleet(tmp_path), home=tmp_path)
    assert ran.returncode == 2
    assert f"{path}:" in ran.stderr
    assert all(word in ran.stderr for word in words), ran.stderr


def test_a_baseline_that_was_changed_after_it_was_signed_is_refused(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": same()})
    key, signers = tmp_path / "key", tmp_path / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    signers.write_text(f'ops@example.net namespaces="sparkctl.baseline" {key.with_suffix(".pub").read_text()}')
    options = ["--allowed-signers", str(signers)]
    baseline(tmp_path, "--node", "spark01")
    ran = sparkctl("drift", *fleet(tmp_path), "spark01", *options, home=tmp_path)
    assert (ran.returncode, "is not signed" in ran.stderr) == (4, True)
    baseline(tmp_path, "--node", "spark01", "--sign", str(key))
    assert drift(tmp_path, "spark01", *options, code=0)["signed_by"] == "ops@example.net"
    path = tmp_path / "state" / "baseline.yaml"
    path.write_text(path.read_text().replace("NVIDIA_DGX_Spark", "GX10"))
    ran = sparkctl("drift", *fleet(tmp_path), "spark01", *options, home=tmp_path)
    assert (ran.returncode, "does not hold" in ran.stderr) == (4, True)
    signers.write_text("")
    ran = sparkctl("drift", *fleet(tmp_path), "spark01", *options, home=tmp_path)
    assert (ran.returncode, "signed by nobody" in ran.stderr) == (4, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "made of one thing"),
        (["--node", "spark01", "--majority", "all"], "made of one thing"),
        (["--node", "spark77"], "no facts of node spark77"),
        (["--node", "spark01", "--facet", "weather"], "no facet 'weather'"),
        (["--from", "nowhere.yaml"], "there is no baseline"),
    ],
)
def test_a_baseline_of_nothing_is_not_written(options: list[str], words: str, tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": same()})
    assert words in baseline(tmp_path, *options, code=2).stderr
    assert not (tmp_path / "state" / "baseline.yaml").exists()


def test_of_a_baseline_file_the_named_facets_are_kept(tmp_path: Path) -> None:
    memory = {"os": facet({"kernel": {"running": "6.17.0-1014-nvidia"}})}
    remember(tmp_path / "state", 1, {"spark01": same() | memory})
    whole = tmp_path / "whole.yaml"
    baseline(tmp_path, "--node", "spark01", "--facet", "os", "--file", str(whole))
    made = json.loads(baseline(tmp_path, "--from", str(whole)).stdout)
    assert made["facets"] == ["identity"]
    ran = sparkctl("baseline", "set", *fleet(tmp_path), "--from", whole, "--facet", "drivers", home=tmp_path)
    assert (ran.returncode, "expects nothing of drivers" in ran.stderr) == (2, True)


def test_drift_without_a_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": same()})
    ran = sparkctl("drift", *fleet(tmp_path), home=tmp_path)
    assert (ran.returncode, "sparkctl baseline set" in ran.stderr) == (2, True)


def lost(why: str = "timeout") -> dict[str, Any]:
    """An identity of which nothing could be read."""
    return {"identity": facet(None, {"": why})}


def test_a_facet_that_could_not_be_read_is_not_what_it_was(tmp_path: Path) -> None:
    state = tmp_path / "state"
    remember(state, 1, {node: same() for node in NODES})
    baseline(tmp_path, "--node", "spark01")
    remember(state, 2, {"spark02": lost()})
    report = drift(tmp_path, code=3)
    assert [(one["field"], one["reason"], one["nodes"]) for one in report["unread"]] == [("", "timeout", ["spark02"])]
    assert report["oldest"].startswith("2026-11-01")


def test_the_age_is_that_of_the_facets_that_are_compared(tmp_path: Path) -> None:
    state = tmp_path / "state"
    remember(state, 1, {node: same() for node in NODES})
    baseline(tmp_path, "--node", "spark01")
    remember(state, 9, {node: {"network": facet({})} for node in NODES})
    assert drift(tmp_path, code=0)["oldest"].startswith("2026-11-01")
    remember(state, 10, {node: same() for node in NODES})
    assert drift(tmp_path, code=0)["oldest"].startswith("2026-11-10")


def test_what_could_not_be_read_when_the_baseline_was_made_is_not_expected_to_be_absent(tmp_path: Path) -> None:
    state, unread = tmp_path / "state", {**identity(), "smbios": {"sys_vendor": "NVIDIA"}}
    remember(state, 1, {"spark01": {"identity": facet(unread, {"smbios.product_name": "not_permitted"})}})
    said = json.loads(baseline(tmp_path, "--node", "spark01").stdout)
    assert said["undecided"] == ["identity.smbios.product_name"]
    remember(state, 2, {"spark01": same()})
    assert drift(tmp_path, "spark01", code=0)["drift"] == []


def test_a_gap_where_nothing_is_expected_is_no_matter(tmp_path: Path) -> None:
    state = tmp_path / "state"
    remember(state, 1, {"spark01": same()})
    baseline(tmp_path, "--node", "spark01")
    remember(
        state, 2, {"spark01": {"identity": facet(identity(), {"smbios.board_name": "io_error", "macs": "timeout"})}}
    )
    assert drift(tmp_path, "spark01", code=0)["unread"] == []


def test_a_name_that_is_a_star_stands_for_itself_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    products = {"a": {"dnf": "1", "*": "1"}, "b": {"dnf": "1"}}
    nodes = {"spark01": products["a"], "spark02": products["b"]}

    def software(packages: dict[str, str]) -> dict[str, Any]:
        return {**same(), "software": facet({"packages": packages})}

    remember(state, 1, {node: software(packages) for node, packages in nodes.items()})
    ran = sparkctl(
        "baseline", "set", *fleet(tmp_path), "--facet", "software", "--majority", "spark[01-02]", home=tmp_path
    )
    assert json.loads(ran.stdout)["undecided"] == ["software.packages[*]"], ran.stderr
    remember(state, 2, {"spark02": software({"dnf": "2", "rootkit": "1"})})
    report = drift(tmp_path, "spark[01-02]", code=1)
    assert {one["field"] for one in report["drift"]} == {"packages.dnf", "packages.rootkit"}


def test_one_machine_under_two_names_is_found_wherever_its_parts_are(tmp_path: Path) -> None:
    one = {"identity": facet(identity(macs={"eth0": "02:00:00:00:00:01"}, drives={"nvme0": "S1"}))}
    other = {"identity": facet(identity(macs={"enP7s7": "02:00:00:00:00:01"}, drives={"nvme1": "S1"}))}
    remember(tmp_path / "state", 1, {"spark01": one, "spark02": other, "gone77": one})
    baseline(tmp_path, "--node", "spark01")
    report = drift(tmp_path, "spark01", code=1)
    assert [(clone["field"], clone["nodes"]) for clone in report["clones"]] == [
        ("identity.drives.*", ["spark01", "spark02"]),
        ("identity.macs.*", ["spark01", "spark02"]),
    ]


def test_a_failed_signature_leaves_the_baseline_that_was_there(tmp_path: Path) -> None:
    remember(tmp_path / "state", 1, {"spark01": same(), "spark02": same("GX10")})
    baseline(tmp_path, "--node", "spark01")
    path = tmp_path / "state" / "baseline.yaml"
    before = path.read_bytes()
    baseline(tmp_path, "--node", "spark02", "--sign", str(tmp_path / "nokey"), code=2)
    assert path.read_bytes() == before


def test_escapes_in_a_baseline_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text('schema: sparkctl.baseline/1\n"a\\e]0;owned\\a\\e[2J": 1\n')
    ran = sparkctl("drift", *fleet(tmp_path), "--baseline", str(path), home=tmp_path)
    assert ran.returncode == 2
    assert "\x1b" not in ran.stderr
    assert "\x07" not in ran.stderr
