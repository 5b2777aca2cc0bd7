"""A sweep over the simulated fleet: exit codes, everybody accounted for, hostile nodes kept to themselves."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparkctl.contract.outside import complaints
from sparkctl.lab import control
from sparkctl.lab.state import Lab
from tests.support.command import json_lines, sparkctl
from tests.support.labs import broken, running_lab

pytestmark = pytest.mark.slow

HOSTILE = {
    "down": "connect.connection_refused",
    "never-answers": "connect.timeout",
    "not-ssh": "connect.not_ssh",
    "changed-host-key": "host_key.host_key_changed",
    "refuses-key": "authenticate.access_denied",
    "exec-refused": "run.exec_refused",
    "stalls": "run.timeout",
    "slow": "run.timeout",
    "closes-mid-frame": "run.connection_lost",
    "no-exit-status": "run.connection_lost",
    "killed": "run.signal",
    "floods-stdout": "run.stdout_limit",
    "floods-stderr": "run.stderr_limit",
    "old-python": "run.python_too_old",
    "no-python": "run.python_missing",
    "nologin": "run.no_shell",
    "lies-wrong-digest": "decode.frame_damaged",
    "lies-truncated": "decode.frame_damaged",
    "lies-other-nonce": "decode.no_document",
    "lies-not-utf8": "decode.not_utf8",
    "lies-not-json": "decode.not_json",
    "lies-duplicate-keys": "decode.duplicate_key",
    "lies-not-a-number": "decode.not_a_number",
    "lies-too-deep": "decode.too_deep",
    "lies-schema": "decode.schema_violation",
    "lies-findings-missing": "decode.incomplete",
    "lies-false-rollup": "decode.incomplete",
    "lies-other-program": "decode.wrong_program",
}
HANGING = ("never-answers", "stalls", "slow")
"""Those of them that answer to no deadline: a sweep waits for them as long as it may."""

MAKES = ("founders", "asus", "dell", "lenovo", "msi", "gigabyte", "hp", "acer")
HEALTHY = (*MAKES, "banner-noise", "fish-shell", "busy", "connectx-absent")
FAULTS = {
    "full-disk": "disk.space",
    "read-only-root": "disk.readonly",
    "hot": "gpu.temperature",
    "memory-wedge": "memory.pressure",
    "driver-missing": "gpu.query",
    "gpu-power-wedge": "gpu.power_wedge",
    "failed-units": "systemd.failed_units",
    "clock-unsynchronised": "time.offset",
    "gpu-reset-required": "gpu.reset_required",
}
STUCK_PARTS = {"stuck-sysfs": {"thermal.zones"}, "hung-nvidia-smi": {"gpu.query", "gpu.xid"}}
"""A part of each hangs: among what is not judged are these checks."""

PATIENT = (*(name for name in HOSTILE if name not in HANGING), *HEALTHY, *FAULTS, *STUCK_PARTS)
CAST = (*HOSTILE, *HEALTHY, *FAULTS, *STUCK_PARTS, "oom-kills", "sudo-refused")
CHEAP = ("down", "not-ssh", "changed-host-key", "refuses-key", "exec-refused", "nologin", "no-python", "old-python")
"""Those that cost nothing: no program of ours runs there."""


class Swept(NamedTuple):
    """A sweep: its process, its record of each node, its report."""

    ran: subprocess.CompletedProcess[str]
    records: list[dict[str, Any]]
    report: dict[str, Any]


def sweep(lab: Lab, folder: Path, *arguments: str | Path, timeout: float = 120, fleet: Path | None = None) -> Swept:
    """One sweep over a lab as JSON lines, each of them held against the published schemas.

    `timeout` is far more than any node needs that answers, and few are visited at once, so that a slow machine does.
    """
    ran = sparkctl(
        "health", *arguments, "--fleet", fleet or lab.fleet_file, "--state", folder / "state",
        "--timeout", str(timeout), "--concurrency", "4", home=folder, timeout=900,
    )  # fmt: skip
    assert list(complaints(ran.stdout.encode())) == [], ran.stderr
    *records, report = json_lines(ran)
    assert report["selected"] == report["reported"] + report["unreported"]
    assert len(records) == report["selected"] or report["resumes"]
    assert report["exit_code"] == ran.returncode
    return Swept(ran, records, report)


def names(lab: Lab, *characters: str) -> str:
    """The selector of the nodes that play these."""
    of = {node.character: node.name for node in lab.nodes}
    return ",".join(of[character] for character in characters)


def by_character(lab: Lab, records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    character = {node.name: node.character for node in lab.nodes}
    return {character[record["node_id"]]: record for record in records}


def fleet_with(lab: Lab, path: Path, **settings: str) -> Path:
    """A copy of the fleet file in which the nodes that play these (`_` for `-`) have settings of their own."""
    lines = lab.fleet_file.read_text().splitlines()
    for character, more in settings.items():
        name = names(lab, character.replace("_", "-"))
        (at,) = (at for at, line in enumerate(lines) if line.startswith(f"  {name}:"))
        kept = lines[at] if "serial" not in more else lines[at].replace(f"serial: {lab.node(name).serial}, ", "")
        lines[at] = kept.removesuffix("}") + f", {more}}}"
    path.write_text("\n".join([*lines, ""]))
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One of every character that is visited here. What a test changes it puts back."""
    with running_lab(tmp_path_factory.mktemp("sweeps") / "lab", len(CAST), CAST) as lab:
        yield lab


@pytest.fixture(scope="module")
def calm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A sweep over healthy nodes."""
    return sweep(lab, tmp_path_factory.mktemp("calm"), names(lab, "founders", "asus"))


@pytest.fixture(scope="module")
def swept(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A sweep over everybody who does not hang."""
    return sweep(lab, tmp_path_factory.mktemp("swept"), names(lab, *PATIENT))


@pytest.fixture(scope="module")
def hung(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A sweep over those who hang, with a healthy node among them, and a deadline that is reached."""
    return sweep(lab, tmp_path_factory.mktemp("hung"), names(lab, *HANGING, "dell"), timeout=15)


def test_a_healthy_fleet_ends_with_0(calm: Swept) -> None:
    assert calm.report["exit_name"] == "ok", calm.report["findings"]
    assert calm.report["findings"] == [one for one in calm.report["findings"] if one["status"] == "unknown"]


def test_every_make_is_healthy_and_simulated(lab: Lab, swept: Swept) -> None:
    found = by_character(lab, swept.records)
    for character in HEALTHY:
        envelope = found[character]["envelope"]
        assert envelope["meta"]["origin"] == "simulated"
        assert envelope["data"]["rollup"]["worst"] == "pass"
        assert not [one for one in envelope["data"]["findings"] if one["status"] in ("warn", "fail")], character
    assert swept.report["simulated"] is True


@pytest.mark.parametrize(
    ("characters", "exit_name"),
    [
        (("founders", "down"), "unjudged"),
        (("founders", "changed-host-key", "down"), "refused"),
        (("founders", "full-disk"), "findings"),
    ],
)
def test_how_a_sweep_ends(lab: Lab, tmp_path: Path, characters: tuple[str, ...], exit_name: str) -> None:
    report = sweep(lab, tmp_path, names(lab, *characters)).report
    assert report["exit_name"] == exit_name
    failed = {node for failure in report["failures"] for node in failure["nodes"]}
    assert failed == {node.name for node in lab.nodes if node.character in set(characters) & set(HOSTILE)}


def test_every_fault_is_found_by_its_check(lab: Lab, swept: Swept) -> None:
    found = by_character(lab, swept.records)
    for character, check in FAULTS.items():
        failed = {one["check"] for one in found[character]["envelope"]["data"]["findings"] if one["status"] == "fail"}
        assert check in failed, character


def test_what_hangs_on_a_node_costs_one_check(lab: Lab, swept: Swept) -> None:
    for character, checks in STUCK_PARTS.items():
        record = by_character(lab, swept.records)[character]
        findings = {one["check"]: one for one in record["envelope"]["data"]["findings"]}
        timeouts = {
            check for check, one in findings.items() if one.get("reason") == "timeout" or one["status"] == "fail"
        }
        assert checks <= timeouts
        assert len(timeouts) < 12
        assert findings["disk.space"]["status"] == "pass"


def test_every_hostile_node_is_named_with_its_cause_and_the_others_do_not_notice(
    lab: Lab, swept: Swept, hung: Swept
) -> None:
    records = [*swept.records, *hung.records]
    found = by_character(lab, records)
    assert {character: found[character]["status"] for character in HOSTILE} == HOSTILE
    assert (swept.report["reported"], hung.report["reported"]) == (len({*PATIENT} - {*HOSTILE}), 1)
    for record in records:
        if record["outcome"] != "reported":
            assert record["failure"]["hint"]
            assert record["failure"]["message"].isprintable()
    assert found["dell"]["envelope"]["data"]["rollup"]["worst"] == "pass"
    assert found["banner-noise"]["visit"]["noise_bytes"]


def test_hostile_nodes_cost_little_memory(calm: Swept, swept: Swept, hung: Swept) -> None:
    """All of them together may add at most 64 MiB to the peak of a sweep over healthy ones."""
    for hostile in (swept, hung):
        added = hostile.report["cost"]["peak_rss_bytes"] - calm.report["cost"]["peak_rss_bytes"]
        assert added < 64 * 2**20


def test_a_fault_that_comes_and_goes_is_in_the_history(lab: Lab, tmp_path: Path) -> None:
    node = names(lab, "founders")
    assert sweep(lab, tmp_path, node).report["exit_name"] == "ok"
    with broken(lab, node, "full-disk"):
        assert sweep(lab, tmp_path, node).report["exit_name"] == "findings"
    assert sweep(lab, tmp_path, node).report["exit_name"] == "ok"
    past = json_lines(sparkctl("history", node, "--state", tmp_path / "state", home=tmp_path))
    shown = sparkctl("history", node, "--format", "human", "--state", tmp_path / "state", home=tmp_path).stdout
    assert "SIMULATED" in shown.splitlines()[0]
    assert "3 visits" in shown
    changes = [line["change"] for line in past if "change" in line and line["change"]["check"] == "disk.space"]
    assert [(change["previous"], change["current"]) for change in changes] == [("pass", "fail"), ("fail", "pass")]


def test_fail_on_warn_counts_warnings(lab: Lab, tmp_path: Path) -> None:
    node = names(lab, "oom-kills")
    assert sweep(lab, tmp_path, node).report["exit_name"] == "ok"
    assert sweep(lab, tmp_path, node, "--fail-on", "warn").report["exit_name"] == "findings"


def test_nobody_who_reports_is_still_simulated(lab: Lab, tmp_path: Path) -> None:
    assert sweep(lab, tmp_path, names(lab, "down")).report["simulated"] is True


def test_a_selector_visits_only_what_it_names(lab: Lab, tmp_path: Path) -> None:
    _, records, report = sweep(lab, tmp_path, "sim-[03-04]", "sim-06")
    assert sorted(record["node_id"] for record in records) == ["sim-03", "sim-04", "sim-06"]
    assert report["selector"] == "sim-[03-04],sim-06"


def test_paramiko_sees_the_same_fleet(lab: Lab, tmp_path: Path) -> None:
    characters = ["founders", "full-disk", "changed-host-key", "refuses-key", "closes-mid-frame", "floods-stdout"]
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(lab.fleet_file.read_text().replace("defaults:\n", "defaults:\n  transport: paramiko\n"))
    records = sweep(lab, tmp_path, names(lab, *characters), fleet=fleet).records
    statuses = {character: record["status"] for character, record in by_character(lab, records).items()}
    assert statuses == {character: HOSTILE.get(character, "ok") for character in characters}


def test_rights_and_identities_are_as_the_inventory_says(lab: Lab, tmp_path: Path, swept: Swept) -> None:
    """Rights are used as allowed and no further; who is not whom the inventory names is refused."""
    settings = {
        "asus": "elevation: none",
        "dell": "elevation: root",
        "sudo_refused": "elevation: root",
        "lenovo": "serial: SIM0000099999",
        "hp": "simulated: false",
    }
    fleet = fleet_with(lab, tmp_path / "fleet.yaml", **settings)
    played = [character.replace("_", "-") for character in settings]
    _, records, report = sweep(lab, tmp_path, names(lab, *played), fleet=fleet)
    assert report["exit_name"] == "refused"
    found = by_character(lab, records)
    assert found["sudo-refused"]["status"] == "run.sudo_refused"
    assert found["lenovo"]["status"] == "decode.identity_mismatch"
    assert "SIM0000099999" in found["lenovo"]["failure"]["message"]
    assert found["hp"]["status"] == "decode.wrong_program"
    assert "simulated: true" in found["hp"]["failure"]["message"]
    assert rights(found["asus"]) == ("none", "dgx-release", "unknown", "not_permitted")
    assert rights(by_character(lab, swept.records)["founders"]) == ("commands", "dgx-release", "pass", None)
    assert rights(found["dell"]) == ("root", "smbios.product_serial", "pass", None)


def rights(record: dict[str, Any]) -> tuple[Any, ...]:
    """What the program was allowed, where the serial is from, and what became of a check that needs rights."""
    meta, findings = record["envelope"]["meta"], record["envelope"]["data"]["findings"]
    (wear,) = (one for one in findings if one["check"] == "nvme.wear")
    return meta["elevation"], meta["node"]["serial_source"], wear["status"], wear.get("reason")


def test_a_sweep_is_taken_up_where_it_ended(lab: Lab, tmp_path: Path) -> None:
    down = names(lab, "down")
    _, _, first = sweep(lab, tmp_path, names(lab, "founders", "full-disk", "down"))
    assert (first["reported"], first["unreported"]) == (2, 1)
    control.mend(lab.directory, down)
    try:
        _, records, second = sweep(lab, tmp_path, "--resume", "last")
        assert [record["node_id"] for record in records] == [down]
        assert (second["selected"], second["reported"], second["resumes"]) == (3, 3, first["run_id"])
        assert second["exit_name"] == "findings"
        _, nobody, third = sweep(lab, tmp_path, "--resume", second["run_id"])
        assert (nobody, third["reported"]) == ([], 3)
    finally:
        control.break_node(lab.directory, down, "down")
    refused = sparkctl("health", "--resume", "20200101T000000Z-000000", "--fleet", lab.fleet_file, home=tmp_path)
    assert refused.returncode == 2


def test_shards_part_the_fleet(lab: Lab, tmp_path: Path) -> None:
    nodes = names(lab, *CHEAP)
    parts = [sweep(lab, tmp_path, nodes, "--shard", f"{number}/3").records for number in (1, 2, 3)]
    visited = [record["node_id"] for part in parts for record in part]
    assert sorted(visited) == sorted(nodes.split(","))
