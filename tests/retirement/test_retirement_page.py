"""The page about retirement: its tables are those of the code, and an auditor's commands do what it says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sparkctl.app.certificate import make_certificate
from sparkctl.app.ledger_file import write_document
from sparkctl.lifecycle.sanitisation import TIERS
from sparkctl.model.sanitisation import SanitiseOutcome
from tests.retirement.erased import AT, destruction, record

PAGE = (Path(__file__).parents[2] / "docs/retirement.md").read_text("utf-8")


def test_techniques_stand_in_their_order_with_what_they_reach_at_best() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (clear|purge|destroy) \|.*\| (.+) \|$", PAGE, re.MULTILINE)
    named = [(tier.technique.value, tier.method.value, tier.source.removeprefix("NIST ")) for tier in TIERS]
    assert rows == named


def test_every_outcome_is_explained() -> None:
    assert {f"| `{outcome.value}` |" for outcome in SanitiseOutcome} <= set(
        re.findall(r"^\| `\w+` \|", PAGE, re.MULTILINE)
    )


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_an_auditor_finds_the_digest_of_the_record(tmp_path: Path) -> None:
    what = record(destroyed=[destruction()])
    write_document(what, file := tmp_path / "spark07.record.json")
    issued = make_certificate(tmp_path / "state", what, tmp_path / "out", key=None, now=AT)
    command = next(iter(re.findall(r"`(jq -cjS [^`]+)`", PAGE))).replace("spark07.record.json", str(file))
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert ran.stdout.split()[0] == issued.certificate.record_sha256
