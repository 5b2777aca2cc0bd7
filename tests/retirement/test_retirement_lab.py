"""The retirement phase over a lab: purged, certified, handed over; or an erase that failed, and what is left."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.retirement.retiring import DETAILS, DRIVE, NODE, PURGE, Retiring, destroyed, retiring
from tests.support.command import json_lines, sparkctl

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Retiring]:
    with retiring(tmp_path) as desk:
        yield desk


def test_from_maintenance_to_disposed(desk: Retiring) -> None:
    run_id, status = desk.purging(name=PURGE)
    assert (status["standing"], desk.where()) == ("asking", "retiring")
    assert list(desk.files(run_id).glob("**/*.tar*")) or list(desk.files(run_id).glob("*bundle*"))
    status = desk.answered(run_id, 0)
    assert (status["outcome"], desk.where()) == ("done", "sanitised")
    ended = desk.steps(run_id)
    assert ended["revoke"]["summary"] == "nothing is named that is to be revoked"
    certificate = desk.files(run_id) / "certificate.json"
    made = json.loads(certificate.read_bytes())
    (medium,) = made["media"]
    assert (medium["serial"], medium["method"], medium["tool_version"]) == (DRIVE, "purge", "2.8")
    assert (made["tpm"], made["simulated"], made["not_told"][0]) == (
        "cleared", True, "This is an exercise: no medium was sanitised."
    )  # fmt: skip
    assert_signed(desk, certificate)
    record = json.loads((desk.files(run_id) / "sanitisation.json").read_bytes())
    assert record["tpm"]["before"]["owner_handles"] == 2
    assert record["tpm"]["tool_version"] == "5.6"
    states = [page["state"] for page in record["drives"][0]["attempts"][0]["log"]]
    assert (states[0], states[-1], "running" in states) == ("never", "succeeded", True)
    named = {one["sha256"] for one in record["records"]}
    assert set(ended["erase"]["documents"]) | set(ended["tpm"]["documents"]) <= named
    over = desk.approved("retirement/hand-over", 1, receipt=desk.home / "paper.txt", summary="to Example Recycling")
    desk.book("run", over, code=5)
    desk.answered(over, 0)
    assert desk.where() == "disposed"
    kinds = [json.loads(line)["kind"] for line in desk.run("ledger", "show", fleet=False).stdout.splitlines()]
    assert "custody.handed_over" in kinds
    desk.run("ledger", "verify", fleet=False)


def assert_signed(desk: Retiring, certificate: Path) -> None:
    """The certificate is what is in the ledger, and what alice signed."""
    digest = hashlib.sha256(certificate.read_bytes()).hexdigest()
    entries = json_lines(desk.run("ledger", "show", "--kind", "certificate.issued", fleet=False))
    assert entries[-1]["evidence"][0] == {"name": "certificate", "sha256": digest}
    (signature,) = certificate.parent.glob("certificate-*.json.sig")
    with certificate.open("rb") as file:
        subprocess.run(
            ["ssh-keygen", "-Y", "verify", "-n", "spark-custody", "-f", desk.home / "signers", "-I", "alice",
             "-s", signature],
            stdin=file, check=True, capture_output=True,
        )  # fmt: skip


def test_a_drive_that_lies_is_destroyed_and_nothing_else(desk: Retiring) -> None:
    run_id, status = desk.purging("erase-lies")
    assert (status["standing"], status["outcome"]) == ("ended", "failed")
    ended = desk.steps(run_id)
    assert (ended["erase"]["result"], ended["erase"]["reason"]) == ("failed", "markers_found")
    assert "record" not in ended
    out = desk.home / "record.json"
    at = DETAILS.replace("Vic Validator", "Vic Validator, at: '2026-06-01T09:00Z'")
    desk.details.write_text(at)
    desk.run("retire", "record", NODE, "--run", run_id, "--details", desk.details, "--out", out, fleet=False)
    refused = desk.run("retire", "certificate", out, "--out", desk.home / "no", fleet=False, code=4)
    assert "the drive says that it succeeded, and it did not" in refused.stderr
    assert not (desk.home / "no").exists()
    assert "certificate.purged" in desk.run("node", "move", NODE, "sanitised", "--reason", "x", code=4).stderr
    again, _ = desk.purging("live-system", technique="sanitize_block_erase")
    status = desk.answered(again, 4)
    assert desk.steps(again)["certificate"]["reason"] == "refused"
    assert (status["outcome"], desk.where()) == ("failed", "retiring")
    failed = desk.approved("retirement/erase-failed", 2, details=desk.details)
    desk.book("run", failed, code=5)
    desk.answered(failed, 0)
    assert desk.where() == "erase_failed"
    refused = desk.run("node", "move", NODE, "sanitised", "--reason", "x", code=4)
    assert "no move leads from there to sanitised" in refused.stderr
    desk.broken("down")
    destroying = desk.approved("retirement/destroy", 2, details=desk.details, key=desk.home / "alice")
    desk.book("run", destroying, code=5)
    desk.details.write_text(at + destroyed(DRIVE))
    desk.answered(destroying, 0)
    assert desk.where() == "destroyed"
    made = json.loads((desk.files(destroying) / "certificate.json").read_bytes())
    assert made["method"] == "destroy"
    attempts = [(one["technique"], one["outcome"]) for one in made["media"][0]["attempts"]]
    assert attempts == [("sanitize_crypto_erase", "failed"), ("sanitize_block_erase", "failed")]
    assert_signed(desk, desk.files(destroying) / "certificate.json")
    desk.run("ledger", "verify", fleet=False)


@pytest.mark.parametrize(
    ("fault", "outcome", "remains", "words"),
    [
        ("erase-refused", "not_started", "sanitize_block_erase", "took no notice"),
        pytest.param("erase-fails", "failed", "destroy", "says that the sanitise failed", marks=pytest.mark.thorough),
        pytest.param("erase-stuck", "unproven", "destroy", "at 50 %", marks=pytest.mark.thorough),
    ],
)
def test_what_an_erase_that_did_not_end_well_leaves(
    desk: Retiring, fault: str, outcome: str, remains: str, words: str
) -> None:
    run_id, status = desk.purging(fault, stall="2")
    assert (status["standing"], status["outcome"]) == ("ended", "failed")
    out = desk.home / "record.json"
    desk.details.write_text(DETAILS.replace("Vic Validator", "Vic Validator, at: '2026-06-01T09:00Z'"))
    desk.run("retire", "record", NODE, "--run", run_id, "--details", desk.details, "--out", out, fleet=False)
    judged = sparkctl("retire", "judge", out, "--format", "json", home=desk.home)
    assert judged.returncode == 4
    judgement = json.loads(judged.stdout)["drives"][0]["judgement"]
    assert (judgement["outcome"], judgement["remains"][0]) == (outcome, remains)
    assert any(words in reason for reason in judgement["reasons"]), judgement
    if fault == "erase-refused":
        again, _ = desk.purging(fault, technique="sanitize_block_erase")
        assert desk.answered(again, 0)["outcome"] == "done"
        made = json.loads((desk.files(again) / "certificate.json").read_bytes())
        assert [one["outcome"] for one in made["media"][0]["attempts"]] == ["not_started", "purged"]


def test_a_machine_that_runs_from_its_own_drive_is_not_erased(desk: Retiring) -> None:
    run_id = desk.purge()
    desk.book("run", run_id, code=5)
    desk.answered(run_id, 4)
    ended = desk.steps(run_id)
    assert (ended["markers"]["result"], ended["markers"]["reason"]) == ("refused", "in_use")
    assert "erase" not in ended
