"""The certificate of sanitisation: every field of the standard, signed, entered; and none for what is not sanitised."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.certificate import make_certificate
from sparkctl.app.ledger_file import write_document
from sparkctl.contract.outside import complaint_about
from sparkctl.errors import RefusedError, StoreError, UsageError
from sparkctl.model.sanitisation import SanitisationRecord, SanitiseState
from sparkctl.store.store import Store
from tests.ledger.book import allowed, key_pair, opened, verified
from tests.retirement.erased import AT, attempt, destruction, drive, log, person, record
from tests.support.command import json_lines, sparkctl

FIELDS = {
    "Vendor / make": "Samsung",
    "Media type": "flash memory (NVMe)",
    "Model number": "PM9E1 4TB",
    "Serial number": "DRIVE1",
    "Property number": "INV-4711",
    "Source": "MACHINE7, rack a1",
    "Classification before": "confidential",
    "Operational / damaged": "operational",
    "Sanitization method": "purge",
    "Sanitization technique": "sanitize crypto erase",
    "Tool and version": "nvme-cli 2.8",
    "Verification method": "full status log, and 64 blocks of known content",
    "Classification after": "none",
    "Destination": "Example Recycling",
    "Data backed up": "none was kept",
}
"""NIST SP 800-88r2, section 4.6 and the form in appendix C."""


def failed() -> SanitisationRecord:
    broken = attempt(log=[log(SanitiseState.NEVER), log(SanitiseState.FAILED, 2, 100, 4)])
    return record(drive(broken))


def make(tmp_path: Path, what: SanitisationRecord, key: Path | None = None) -> Any:
    return make_certificate(tmp_path / "state", what, tmp_path / "out", key=key, now=AT)


def test_every_field_of_the_standard_is_in_every_form(tmp_path: Path) -> None:
    issued = make(tmp_path, record())
    names = {file.suffix: file.read_text() for file in issued.files}
    html = re.sub(r"<[^>]+>", " ", names[".html"])
    markdown = names[".md"].replace("\\", "")
    for key, value in FIELDS.items():
        assert re.search(rf"\| {re.escape(key)} \| {re.escape(value)}", markdown), key
        assert re.search(rf"{re.escape(key)}\s+{re.escape(value)}", html), key
    for name in ("Ann Operator", "Bob Verifier", "Vic Validator", "ops@example.org", "Technician", "Hall 3"):
        assert name in markdown
        assert name in html
    assert markdown.count("| Signature |") == 3
    assert complaint_about(names[".json"].encode()) is None
    (medium,) = json.loads(names[".json"])["media"]
    assert (medium["serial"], medium["method"], medium["attempts"][0]["outcome"]) == ("DRIVE1", "purge", "purged")


def test_it_is_signed_and_its_digest_is_in_the_ledger(tmp_path: Path) -> None:
    key = key_pair(tmp_path)
    issued = make(tmp_path, record(), key)
    document = next(file for file in issued.files if file.suffix == ".json")
    assert issued.entry.evidence[0].sha256 == hashlib.sha256(document.read_bytes()).hexdigest()
    assert [one.name for one in issued.entry.evidence] == ["certificate", "sanitisation record", "act-1.json"]
    signers = allowed(tmp_path, ann=key)
    report = verified(tmp_path / "state", signers)
    assert (report.holds, report.signed) == (True, {"ann": 1})
    ran = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-n", "spark-custody", "-f", signers, "-I", "ann", "-s", f"{document}.sig"],
        input=document.read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout


def test_an_erase_that_failed_has_no_way_out_but_destruction(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="DRIVE1 is failed") as refused:
        make(tmp_path, failed())
    assert "destroy" in (refused.value.hint or "")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "state").exists()
    issued = make(tmp_path, failed().model_copy(update={"destroyed": [destruction()]}))
    (medium,) = issued.certificate.media
    assert (medium.method.value, medium.technique, medium.damaged) == ("destroy", "shred", True)
    assert "Wes Witness" in medium.verification
    assert issued.certificate.media[0].attempts[0].outcome.value == "failed"
    text = next(file for file in issued.files if file.suffix == ".md").read_text()
    assert "Destruction of DRIVE1 witnessed by" in text


def test_what_others_wrote_stands_as_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | x | [a](http://b) `c`"
    issued = make(tmp_path, record(drive(attempt(), model=hostile), destination=hostile))
    html = next(file for file in issued.files if file.suffix == ".html").read_text()
    markdown = next(file for file in issued.files if file.suffix == ".md").read_text()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<script" not in markdown
    assert not re.search(r"(?<!\\)\[a\]", markdown)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)


def test_one_person_for_all_and_an_exercise_are_said(tmp_path: Path) -> None:
    same = make(tmp_path, record(verified_by=person(), simulated=True))
    assert any("same person" in words for words in same.certificate.not_told)
    assert "exercise" in same.certificate.not_told[0]
    assert same.entry.simulated
    for suffix in (".md", ".html"):
        assert "EXERCISE" in next(file for file in same.files if file.suffix == suffix).read_text()


def test_nothing_is_left_when_it_cannot_be_issued(tmp_path: Path) -> None:
    (bad := tmp_path / "bad").write_text("no key")
    with pytest.raises(UsageError, match="not signed"):
        make(tmp_path, record(), bad)
    assert not (tmp_path / "out").exists()
    make(tmp_path, record())
    with pytest.raises(UsageError, match="issued already"):
        make(tmp_path, record())
    other = record(destination="elsewhere")
    with opened(tmp_path / "state") as connection:
        connection.execute("UPDATE ledger SET body = '{}'")
    before = sorted((tmp_path / "out").iterdir())
    with pytest.raises(StoreError, match="entry 1"):
        make(tmp_path, other)
    assert sorted((tmp_path / "out").iterdir()) == before


def test_the_commands(tmp_path: Path) -> None:
    write_document(record(), good := tmp_path / "good.json")
    write_document(failed(), bad := tmp_path / "bad.json")
    state = str(tmp_path / "state")
    assert complaint_about(good.read_bytes()) is None
    ran = sparkctl("retire", "judge", good, "--format", "json", home=tmp_path)
    assert (ran.returncode, json_lines(ran)[0]["sanitised"]) == (0, True)
    assert complaint_about(ran.stdout.encode()) is None
    ran = sparkctl("retire", "judge", bad, "--format", "human", home=tmp_path)
    assert ran.returncode == 4
    assert "what remains: destroy" in ran.stdout
    out = tmp_path / "out"
    ran = sparkctl("retire", "certificate", bad, "--out", out, home=tmp_path, SPARKCTL_STATE=state)
    assert ran.returncode == 4
    assert not out.exists()
    (act := tmp_path / "act-1.json").write_text("another act")
    words = ("retire", "certificate", good, "--out", out, "--records", act)
    ran = sparkctl(*words, home=tmp_path, SPARKCTL_STATE=state)
    assert ran.returncode == 4
    assert "none of the 1 records" in ran.stderr
    assert not out.exists()
    key = key_pair(tmp_path)
    ran = sparkctl("retire", "certificate", good, "--out", out, "--key", key, home=tmp_path, SPARKCTL_STATE=state)
    assert ran.returncode == 0, ran.stderr
    (said,) = json_lines(ran)
    assert said["signed"] is True
    assert sorted(said["files"]) == sorted(str(file) for file in out.iterdir())
    with Store.open(tmp_path / "state") as store:
        assert [entry.kind for entry in store.ledger.entries("spark07")] == ["certificate.issued"]
    ran = sparkctl("retire", "judge", "/nowhere.json", home=tmp_path)
    assert ran.returncode == 2
