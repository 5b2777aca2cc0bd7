"""A sweep over the simulated fleet: exit codes, everybody accounted for, hostile nodes kept to themselves."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaints
from sparkctl.lab import control
from sparkctl.lab.state import Lab
from tests.support.command import json_lines, sparkctl
from tests.support.labs import running_lab

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
HEALTHY_WITH_ODDITIES = ("banner-noise", "fish-shell", "busy", "connectx-absent", "founders", "dell")


def sweep(
    lab: Lab, folder: Path, *arguments: str | Path, timeout: float = 12.0
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]], dict[str, Any]]:
    """One sweep over a lab as JSON lines, each of them held against the published schemas."""
    ran = sparkctl(
        "health", *arguments, "--fleet", lab.fleet_file, "--state", folder / "state", "--timeout", str(timeout),
        home=folder, timeout=120,
    )  # fmt: skip
    assert list(complaints(ran.stdout.encode())) == [], ran.stderr
    *records, report = json_lines(ran)
    assert report["selected"] == report["reported"] + report["unreported"]
    assert len(records) == report["selected"] or report["resumes"]
    assert report["exit_code"] == ran.returncode
    return ran, records, report


def by_character(lab: Lab, records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {record["node_id"]: record for record in records}
    return {node.character: found[node.name] for node in lab.nodes}


def test_a_healthy_fleet_of_every_make_ends_with_0(tmp_path: Path) -> None:
    with running_lab(
        tmp_path / "lab", 8, ["founders", "asus", "dell", "lenovo", "msi", "gigabyte", "hp", "acer"]
    ) as lab:
        _, records, report = sweep(lab, tmp_path)
    assert report["exit_name"] == "ok", report["findings"]
    assert report["simulated"] is True
    assert report["findings"] == [one for one in report["findings"] if one["status"] == "unknown"]
    assert {record["envelope"]["meta"]["origin"] for record in records} == {"simulated"}


def test_one_node_down_and_nothing_failed_ends_with_3(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 4, ["founders", "founders", "down", "founders"]) as lab:
        _, _, report = sweep(lab, tmp_path)
    assert report["exit_name"] == "unjudged"
    assert report["failures"][0]["nodes"] == ["sim-03"]


def test_a_changed_host_key_and_nothing_failed_ends_with_4(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 3, ["founders", "changed-host-key", "down"]) as lab:
        _, _, report = sweep(lab, tmp_path)
    assert report["exit_name"] == "refused"


def test_every_fault_is_found_by_its_check_and_ends_with_1(tmp_path: Path) -> None:
    expected = {
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
    with running_lab(tmp_path / "lab", len(expected), list(expected)) as lab:
        _, records, report = sweep(lab, tmp_path)
    assert report["exit_name"] == "findings"
    for character, record in by_character(lab, records).items():
        failed = {one["check"] for one in record["envelope"]["data"]["findings"] if one["status"] == "fail"}
        assert expected[character] in failed, character


def test_what_hangs_on_a_node_costs_one_check(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 2, ["stuck-sysfs", "hung-nvidia-smi"]) as lab:
        _, records, _ = sweep(lab, tmp_path, timeout=40)
    for record in records:
        findings = {one["check"]: one for one in record["envelope"]["data"]["findings"]}
        timeouts = {
            check for check, one in findings.items() if one.get("reason") == "timeout" or one["status"] == "fail"
        }
        assert timeouts
        assert len(timeouts) < 12
        assert findings["disk.space"]["status"] == "pass"


def test_every_hostile_node_is_named_with_its_cause_and_the_others_do_not_notice(tmp_path: Path) -> None:
    characters = [*HOSTILE, *HEALTHY_WITH_ODDITIES]
    with running_lab(tmp_path / "lab", len(characters), characters) as lab:
        _, records, report = sweep(lab, tmp_path)
    found = by_character(lab, records)
    assert {character: found[character]["status"] for character in HOSTILE} == HOSTILE
    assert report["reported"] == len(HEALTHY_WITH_ODDITIES)
    for record in records:
        if record["outcome"] == "reported":
            assert record["envelope"]["data"]["rollup"]["worst"] == "pass"
        else:
            assert record["failure"]["hint"]
            assert record["failure"]["message"].isprintable()
    noisy = next(record for record in records if record["visit"] and record["visit"]["noise_bytes"])
    assert noisy["outcome"] == "reported"


def test_hostile_nodes_cost_little_memory_and_no_result(tmp_path: Path) -> None:
    """Five of them may add at most 64 MiB to the peak of a sweep over twelve healthy ones."""
    hostile = ["floods-stdout", "floods-stderr", "stalls", "never-answers", "lies-too-deep"]
    with running_lab(tmp_path / "lab", 17, ["founders"] * 12 + hostile) as lab:
        _, _, without = sweep(lab, tmp_path, "sim-[01-12]")
        _, records, with_hostile = sweep(lab, tmp_path)
    added = with_hostile["cost"]["peak_rss_bytes"] - without["cost"]["peak_rss_bytes"]
    assert added < 64 * 2**20
    assert without["reported"] == with_hostile["reported"] == 12
    assert all(record["envelope"]["data"]["rollup"]["worst"] == "pass" for record in records[:12] if record["envelope"])


def test_a_fault_that_comes_and_goes_is_in_the_history(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 2, ["founders"]) as lab:
        assert sweep(lab, tmp_path)[2]["exit_name"] == "ok"
        control.break_node(tmp_path / "lab", "sim-02", "full-disk")
        assert sweep(lab, tmp_path)[2]["exit_name"] == "findings"
        control.mend(tmp_path / "lab", "sim-02")
        assert sweep(lab, tmp_path)[2]["exit_name"] == "ok"
    past = json_lines(sparkctl("history", "sim-02", "--state", tmp_path / "state", home=tmp_path))
    shown = sparkctl("history", "sim-02", "--format", "human", "--state", tmp_path / "state", home=tmp_path).stdout
    assert "SIMULATED" in shown.splitlines()[0]
    assert "3 visits" in shown
    changes = [line["change"] for line in past if "change" in line and line["change"]["check"] == "disk.space"]
    assert [(change["previous"], change["current"]) for change in changes] == [("pass", "fail"), ("fail", "pass")]


def test_fail_on_warn_counts_warnings(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 1, ["oom-kills"]) as lab:
        assert sweep(lab, tmp_path)[2]["exit_name"] == "ok"
        assert sweep(lab, tmp_path, "--fail-on", "warn")[2]["exit_name"] == "findings"


def test_simulated_nodes_that_the_inventory_does_not_call_so_are_refused(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 1, ["founders"]) as lab:
        text = lab.fleet_file.read_text()
        lab.fleet_file.write_text(text.replace("simulated: true", "simulated: false"))
        _, (record,), _ = sweep(lab, tmp_path)
    assert record["status"] == "decode.wrong_program"
    assert "simulated: true" in record["failure"]["message"]


def test_nobody_who_reports_is_still_simulated(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 1, ["down"]) as lab:
        assert sweep(lab, tmp_path)[2]["simulated"] is True


def test_a_selector_visits_only_what_it_names(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 6, ["founders"]) as lab:
        _, records, report = sweep(lab, tmp_path, "sim-[02-03]", "sim-06")
    assert sorted(record["node_id"] for record in records) == ["sim-02", "sim-03", "sim-06"]
    assert report["selector"] == "sim-[02-03],sim-06"


def test_paramiko_sees_the_same_fleet(tmp_path: Path) -> None:
    characters = ["founders", "full-disk", "changed-host-key", "refuses-key", "closes-mid-frame", "floods-stdout"]
    with running_lab(tmp_path / "lab", len(characters), characters) as lab:
        text = lab.fleet_file.read_text()
        lab.fleet_file.write_text(text.replace("defaults:\n", "defaults:\n  transport: paramiko\n"))
        _, records, _ = sweep(lab, tmp_path)
    statuses = {character: record["status"] for character, record in by_character(lab, records).items()}
    assert statuses == {character: HOSTILE.get(character, "ok") for character in characters}


@pytest.mark.parametrize(
    ("elevation", "source", "wear"),
    [
        ("none", "dgx-release", "unknown"),
        ("commands", "dgx-release", "pass"),
        ("root", "smbios.product_serial", "pass"),
    ],
)
def test_rights_are_used_as_allowed_and_no_further(elevation: str, source: str, wear: str, tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 1, ["founders"]) as lab:
        text = lab.fleet_file.read_text()
        lab.fleet_file.write_text(text.replace("elevation: commands", f"elevation: {elevation}"))
        _, (record,), report = sweep(lab, tmp_path)
    assert report["exit_name"] == "ok"
    meta, findings = record["envelope"]["meta"], record["envelope"]["data"]["findings"]
    assert (meta["elevation"], meta["node"]["serial_source"]) == (elevation, source)
    (found,) = (one for one in findings if one["check"] == "nvme.wear")
    assert found["status"] == wear
    if wear == "unknown":
        assert found["reason"] == "not_permitted"


def test_sudo_that_refuses_is_named(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 1, ["sudo-refused"]) as lab:
        text = lab.fleet_file.read_text()
        lab.fleet_file.write_text(text.replace("elevation: commands", "elevation: root"))
        _, (record,), _ = sweep(lab, tmp_path)
    assert record["status"] == "run.sudo_refused"


def test_another_machine_under_a_known_name_is_refused(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 2, ["founders"]) as lab:
        text = lab.fleet_file.read_text()
        lab.fleet_file.write_text(text.replace(lab.node("sim-02").serial, "SIM0000099999"))
        _, records, report = sweep(lab, tmp_path)
    assert report["exit_name"] == "refused"
    (refused,) = (record for record in records if record["node_id"] == "sim-02")
    assert refused["status"] == "decode.identity_mismatch"
    assert "SIM0000099999" in refused["failure"]["message"]


def test_a_sweep_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 4, ["founders", "full-disk", "down", "founders"]) as lab:
        _, _, first = sweep(lab, tmp_path)
        assert (first["reported"], first["unreported"]) == (3, 1)
        control.mend(tmp_path / "lab", "sim-03")
        _, records, second = sweep(lab, tmp_path, "--resume", "last")
        assert [record["node_id"] for record in records] == ["sim-03"]
        assert (second["selected"], second["reported"], second["resumes"]) == (4, 4, first["run_id"])
        assert second["exit_name"] == "findings"
        _, nobody, third = sweep(lab, tmp_path, "--resume", second["run_id"])
        assert (nobody, third["reported"]) == ([], 4)
    refused = sparkctl("health", "--resume", "20200101T000000Z-000000", "--fleet", lab.fleet_file, home=tmp_path)
    assert refused.returncode == 2


def test_shards_part_the_fleet(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", 6, ["founders"]) as lab:
        parts = [sweep(lab, tmp_path, "--shard", f"{number}/3")[1] for number in (1, 2, 3)]
    visited = [record["node_id"] for part in parts for record in part]
    assert sorted(visited) == [node.name for node in lab.nodes]
