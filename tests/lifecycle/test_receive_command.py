"""`sparkctl receive` as an operator runs it, from the papers to an accepted machine."""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.ledger import LedgerEntry
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store
from tests.support.command import json_lines, sparkctl
from tests.support.envelopes import finding, unreported
from tests.support.facts import facet, identity
from tests.support.histories import facts_stored, run_stored, sweep_stored

Run = Callable[..., subprocess.CompletedProcess[str]]
PAPERS = ("--order", "po.csv", "--notice", "asn.csv", "--scans", "scans.csv")
ALL = (*PAPERS, "--observed-file", "observed.jsonl")


def known(node: str, serial: str, size: int = 4_000_787_030_016) -> str:
    """A line as `sparkctl show` prints it."""
    hardware = {"memory": {"total_bytes": 130_663_165_952}, "nvme": {"nvme0": {"size_bytes": size}}}
    facets = {"identity": {"data": {"serial": serial, "serials_agree": None}}, "hardware": {"data": hardware}}
    return json.dumps({"node_id": node, "collected_at": None, "facets": facets}) + "\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Three machines ordered: SIM1 is well, SIM2 has another drive, SIM3 has no node, SIM4 never came."""
    (tmp_path / "fleet.yaml").write_text(
        "nodes:\n  spark01: {serial: SIM1}\n  spark02: {serial: sim2, simulated: true}\n"
    )
    (tmp_path / "po.csv").write_text("po,line,part,qty,ssd\n17,10,SPARK-4TB,4,4 TB\n")
    rows = "".join(f"17,10,SIM{number},SPARK-4TB\n" for number in range(1, 5))
    (tmp_path / "asn.csv").write_text(f"po,line,serial,part\n{rows}")
    (tmp_path / "scans.csv").write_text("code,by\nSSIM1,ann\n(21)SIM2,ann\nSN=sim3,ann\n")
    (tmp_path / "observed.jsonl").write_text(known("spark01", "SIM1") + known("spark02", "SIM2", 10**12))

    def ran(*words: str | Path, user: str = "ann") -> subprocess.CompletedProcess[str]:
        return sparkctl(*words, "--state", tmp_path / "state", home=tmp_path, LOGNAME=user)

    return ran


def ledger(tmp_path: Path) -> list[LedgerEntry]:
    with Store.open(tmp_path / "state") as store:
        return list(store.ledger.entries())


def states(run: Run) -> dict[str, str]:
    return {line["node_id"]: line["state"] for line in json_lines(run("node", "list"))}


def test_a_match_enters_nothing_and_says_what_needs_a_person(run: Run, tmp_path: Path) -> None:
    ran = run("receive", "match", *ALL)
    (report,) = json_lines(ran)
    found = {name: number for name, number in report["classes"].items() if number}
    assert found == {"matched": 1, "wrong_configuration": 1, "matched_partially": 1, "not_arrived": 1}
    assert (ran.returncode, report["needs_person"], report["simulated"]) == (1, 2, True)
    assert [unit["node_id"] for unit in report["units"]] == ["spark01", "spark02", None, None]
    assert not (tmp_path / "state").exists()
    (tmp_path / "report.json").write_text(ran.stdout)
    assert sparkctl("schema", "check", tmp_path / "report.json", home=tmp_path).returncode == 0
    human = run("receive", "match", *ALL, "--format", "human").stdout
    assert "4 ordered on 1 line, 4 announced, 3 scanned, 2 observed  SIMULATED" in human
    assert "SIM2 (spark02)  ordered are 4 TB, its drive has 1 TB" in human
    assert "2 need a person" in human


def test_exit_codes_tell_complete_from_unobserved(run: Run, tmp_path: Path) -> None:
    (tmp_path / "po.csv").write_text("po,line,part,qty\n17,10,SPARK-4TB,1\n")
    (tmp_path / "asn.csv").write_text("po,line,serial\n17,10,SIM1\n")
    (tmp_path / "scans.csv").write_text("code\nSSIM1\n")
    (tmp_path / "observed.jsonl").write_text(known("spark01", "SIM1"))
    assert run("receive", "match", *PAPERS).returncode == 3
    assert run("receive", "match", *ALL).returncode == 0


def test_a_delivery_is_recorded_once(run: Run, tmp_path: Path) -> None:
    ran = run("receive", "record", *ALL)
    assert ran.returncode == 1
    (said,) = json_lines(ran)
    assert (said["received"], said["matched"], said["quarantined"]) == (["spark01"], ["spark01"], ["spark02"])
    assert said["without_node"] == ["SIM3"]
    assert states(run) == {"spark01": "received", "spark02": "quarantined"}
    record = Path(said["file"])
    document = json.loads(record.read_text())
    assert [one["name"] for one in document["inputs"]] == ["po.csv", "asn.csv", "scans.csv", "observed.jsonl"]
    assert sparkctl("schema", "check", record, home=tmp_path).returncode == 0
    entries = ledger(tmp_path)
    assert [(entry.kind, entry.node_id, entry.serial) for entry in entries if entry.kind == "custody.received"] == [
        ("custody.received", "spark01", "SIM1"), ("custody.received", "spark02", "SIM2"),
        ("custody.received", None, "SIM3"),
    ]  # fmt: skip
    assert {ref.sha256 for entry in entries for ref in entry.evidence} >= {said["sha256"]}
    assert {entry.node_id: entry.simulated for entry in entries} == {"spark01": False, "spark02": True, None: False}
    (again,) = json_lines(run("receive", "record", *ALL))
    assert (again["entries"], again["file"]) == ([], None)
    assert ledger(tmp_path) == entries
    assert sorted(path.name for path in record.parent.iterdir()) == [record.name]


def test_a_record_replaces_no_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text("evidence")
    for name in ("kept.json", "/dev/null"):
        refused = run("receive", "record", *ALL, "--out", name)
        assert (refused.returncode, "already" in refused.stderr) == (4, True)
    assert (tmp_path / "kept.json").read_text() == "evidence"
    assert ledger(tmp_path) == []
    assert run("receive", "record", *ALL, "--out", "new.json").returncode == 1
    assert (tmp_path / "new.json").stat().st_mode & 0o777 == 0o600


def test_what_is_observed_later_completes_the_match(run: Run, tmp_path: Path) -> None:
    (first,) = json_lines(run("receive", "record", *PAPERS))
    assert (first["received"], first["matched"]) == (["spark01", "spark02"], [])
    (second,) = json_lines(run("receive", "record", *ALL))
    assert (second["received"], second["matched"], second["quarantined"]) == ([], ["spark01"], ["spark02"])
    assert [entry.facts for entry in ledger(tmp_path)][-2:][0] == {"evidence": "match.accepted"}
    (tmp_path / "fleet.yaml").write_text(
        "nodes:\n  spark01: {serial: SIM1}\n  spark02: {}\n  spark03: {serial: SIM3}\n"
    )
    (third,) = json_lines(run("receive", "record", *ALL))
    assert third["received"] == ["spark03"]


def test_what_two_persons_have_resolved_is_left_alone(run: Run, tmp_path: Path) -> None:
    run("receive", "record", *ALL)
    (tmp_path / "doc").write_text("the drive is right, the order was wrong")
    for kind, user in (("discrepancy.resolved", "ann"), ("approval.given", "bob")):
        run("node", "evidence", "spark02", kind, "doc", user=user)
    assert run("node", "move", "spark02", "received", "--reason", "settled").returncode == 0
    (said,) = json_lines(run("receive", "record", *ALL))
    assert said["left_alone"] == {"spark02": "it is wrong_configuration, which two persons have resolved"}
    assert states(run)["spark02"] == "received"


def test_a_machine_in_service_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "doc").write_text("x")
    run("node", "move", "spark02", "in_service", "--reason", "old", "--evidence", "adoption.recorded=doc")
    (said,) = json_lines(run("receive", "record", *ALL))
    assert said["left_alone"] == {"spark02": "it is wrong_configuration, and in_service already"}
    assert states(run)["spark02"] == "in_service"
    human = run("receive", "record", *ALL, "--format", "human").stdout
    assert "nothing was to be entered" in human
    (tmp_path / "fleet.yaml").write_text("nodes:\n  spark09: {}\n")
    run("node", "move", "spark09", "in_service", "--reason", "old", "--evidence", "adoption.recorded=doc")
    (tmp_path / "observed.jsonl").write_text(known("spark09", "OTHER"))
    (report,) = json_lines(run("receive", "match", *ALL))
    assert (report["inputs"]["observed"], report["inputs"]["left_out"]) == (0, 1)  # taken in before, and counted


def test_a_visit_that_was_refused_for_another_serial_is_a_mismatch(run: Run, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    facts_stored(tmp_path / "state", at, {"spark01": {"identity": facet(identity(serial="SIM1"))}})
    refused = unreported("spark01", Stage.DECODE, Cause.IDENTITY_MISMATCH)
    run_stored(tmp_path / "state", at + timedelta(seconds=9), [refused], RunKind.COLLECT)
    (said,) = json_lines(run("receive", "record", *PAPERS, "--observed", "all"))
    (unit,) = (unit for unit in said["report"]["units"] if unit["match_class"] == "serial_mismatch")
    assert (unit["node_id"], unit["serial"], unit["reasons"][0]) == ("spark01", "SIM1", "it did not answer")
    assert said["quarantined"] == ["spark01"]
    assert said["report"]["inputs"]["observed"] == 1  # spark02 was never collected


def store_visits(tmp_path: Path, *findings: dict[str, Any], serial: str | None = "SIM1", later: float = 5) -> str:
    at = datetime.now(UTC) + timedelta(seconds=later)
    facts_stored(tmp_path / "state", at, {"spark01": {"identity": facet(identity(serial=serial))}})
    return sweep_stored(tmp_path / "state", at + timedelta(seconds=1), {"spark01": findings})


def test_an_acceptance_test_that_was_passed_is_evidence(run: Run, tmp_path: Path) -> None:
    run("receive", "record", *ALL)
    run_id = store_visits(
        tmp_path, finding(), finding("gpu.present", "warn"), finding("os.release", "unknown", required=False)
    )
    (said,) = json_lines(run("receive", "accept", "spark01", "--run", run_id))
    document = json.loads(Path(said["file"]).read_text())
    assert (document["serial"], document["run_id"], document["warned"]) == ("SIM1", run_id, ["gpu.present"])
    assert document["required"] == ["disk.space", "gpu.present"]
    assert sparkctl("schema", "check", said["file"], home=tmp_path).returncode == 0
    assert ledger(tmp_path)[-1].facts == {"evidence": "acceptance.passed"}
    refused = run("node", "move", "spark01", "accepted", "--reason", "tested")
    assert (refused.returncode, "host_keys.pinned" in refused.stderr) == (4, True)


@pytest.mark.parametrize(
    ("findings", "more", "words"),
    [
        ([finding("gpu.present", "fail")], {}, "gpu.present failed"),
        ([finding("gpu.present", "unknown")], {}, "gpu.present is required and was not evaluated"),
        ([finding()], {"serial": "SIM9"}, "it says its serial is SIM9, and SIM1 was received"),
        ([finding()], {"serial": None}, "it names no serial"),
        ([finding()], {"later": -3600.0}, "older than its receipt"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_machine_is_named(
    run: Run, tmp_path: Path, findings: list[dict[str, Any]], more: dict[str, Any], words: str
) -> None:
    run("receive", "record", *ALL)
    before = ledger(tmp_path)
    store_visits(tmp_path, *findings, **more)
    refused = run("receive", "accept", "spark01")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert words in refused.stderr
    assert ledger(tmp_path) == before


def test_only_a_received_machine_is_accepted(run: Run, tmp_path: Path) -> None:
    assert run("receive", "accept", "spark01").returncode == 2  # no store
    run("receive", "record", *ALL)
    refused = run("receive", "accept", "spark02")
    assert (refused.returncode, "spark02 is quarantined" in refused.stderr) == (4, True)
    never = run("receive", "accept", "spark01")
    assert (never.returncode, "it was not judged; its facts were not collected" in never.stderr) == (4, True)
    wrong = run("receive", "accept", "spark01", "--run", "no\x1bne")
    assert (wrong.returncode, "there is no run" in wrong.stderr) == (2, True)


def test_pins_are_evidence_when_there_are_some(run: Run, tmp_path: Path) -> None:
    run("receive", "record", *ALL)
    none = run("receive", "pins", "spark01")
    assert none.returncode == 3
    assert "sparkctl inventory pin spark01" in json_lines(none)[0]["why"]
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS"
    (tmp_path / "state" / "known_hosts").write_text(f"spark01 {key}\n")
    (said,) = json_lines(run("receive", "pins", "spark01"))
    document = json.loads(Path(said["file"]).read_text())
    assert document["name"] == "spark01"
    assert all(fingerprint.startswith("SHA256:") for fingerprint in document["keys"])
    assert sparkctl("schema", "check", said["file"], home=tmp_path).returncode == 0
    (shown,) = json_lines(run("node", "show", "spark01"))
    accepted = next(edge for edge in shown["next_moves"] if edge["to"] == "accepted")
    assert accepted["waits_for"] == ["acceptance.passed"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["match", "--notice", "asn.csv"], "--order"),
        (["match", "--order", "no.csv", "--notice", "asn.csv"], "no.csv: there is no such file"),
        (["match", *ALL, "--observed", "all"], "two sources"),
        (["match", *PAPERS, "--observed", "all"], "there is no store"),
        (["match", *PAPERS, "--observed-file", "po.csv"], "po.csv:1: not JSON"),
        (["match", *PAPERS, "--observed-file", "odd.jsonl"], "odd.jsonl:1: node_id"),
        (
            ["match", *PAPERS, "--observed-file", "twice.jsonl"],
            "twice.jsonl:2: the node spark01 stands in the file twice",
        ),
        (["match", "--order", "asn.csv", "--notice", "asn.csv"], "asn.csv:2: quantity"),
        (["record", *ALL, "--out", "/nowhere/x.json"], "/nowhere/x.json cannot be written"),
        (["pins", "nobody"], "nobody"),
        (["accept", "nobody"], "there is no store"),
    ],
)
def test_mistakes_are_one_message_and_enter_nothing(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "odd.jsonl").write_text('{"node_id": "\\u001b", "facets": {"identity": {"data": 7}}}\n')
    (tmp_path / "twice.jsonl").write_text(known("spark01", "SIM1") * 2)
    ran = run("receive", *words)
    assert ran.returncode == 2, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "\x1b" not in ran.stderr
    assert not (tmp_path / "state" / "state.db").exists() or ledger(tmp_path) == []
