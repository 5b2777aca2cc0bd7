"""Who must have signed a bundle, and the rules of a far side that say so."""

import subprocess
from pathlib import Path

import pytest

from sparkctl.airgap.layout import SUMS
from tests.airgap.gaps import Gap, gap_in, must, refused


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    made = gap_in(tmp_path / "gap")
    made.write({"one.txt": b"one\n", "two.txt": b"two\n"})
    return made


def test_people_are_counted_and_not_keys(gap: Gap) -> None:
    signers = gap.top / "signers"
    second = gap.key("token").with_suffix(".pub").read_text()
    signers.write_text(signers.read_text() + f"alice {second}")
    gap.rules(signatures=2)
    must(gap.pack(keys=("alice", "token")))
    refused(gap.bring(1), 4, "needs the signatures of 2 people: only alice did")
    must(gap.near("sign", gap.packed(1), "--key", gap.key("bob")))
    told = must(gap.bring(1))
    assert "signed by alice, bob" in told.stdout


def test_a_person_of_several_names_is_counted_once(gap: Gap) -> None:
    gap.rules(signatures=2)
    gap.allow({"alice": "alice@site,alice", "laptop": "alice", "bob": "bob,admins"})
    must(gap.pack(keys=("alice", "laptop")))
    refused(gap.bring(1), 4, "needs the signatures of 2 people: only alice did")
    must(gap.near("sign", gap.packed(1), "--key", gap.key("bob")))
    assert "signed by alice, bob" in must(gap.bring(1)).stdout


def test_who_may_not_sign_does_not_count(gap: Gap) -> None:
    must(gap.pack(keys=("mallory",)))
    refused(gap.bring(1), 4, "nobody did; SHA256SUMS.")
    assert "is signed by nobody in" in gap.bring(1).stderr
    must(gap.near("sign", gap.packed(1), "--key", gap.key("alice")))
    must(gap.bring(1))


def test_a_signature_for_something_else_does_not_count(gap: Gap) -> None:
    must(gap.pack(keys=()))
    refused(gap.bring(1), 4, "is not signed: there is no SHA256SUMS.sig")
    sums = gap.packed(1) / SUMS
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", gap.key("alice"), "-n", "git", sums], check=True)
    refused(gap.bring(1), 4, "nobody did")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("[1]", "this must be a mapping of rules for transfer bundles"),
        ("version: 1", "`allowed_signers` is missing"),
        ("version: 1\nallowed_signers: nowhere", "allowed_signers: must be a file that is there"),
        ("version: 1\nallowed_signers: signers\nstreams: []", "streams: no stream is named"),
        ("version: 1\nallowed_signers: signers\nsignatures: 0", "signatures: must be a whole number from 1 to 32"),
        ("version: 1\nallowed_signers: signers\nscan: {command: [clamscan]}", "no argument is `{folder}`"),
        ("version: 1\nallowed_signers: signers\nscan: {timeout: 3h}", "`command` is missing"),
        ("version: 1\nallowed_signers: signers\nsignature: 2", "unknown key 'signature'"),
    ],
)
def test_wrong_rules_are_named_with_file_line_and_key(gap: Gap, rules: str, words: str) -> None:
    path = gap.top / "airgap.yaml"
    path.write_text(rules)
    ran = gap.far("check", path)
    assert ran.returncode == 2
    said = " ".join(ran.stdout.split())
    assert words in said
    assert f"{path}:" in said
    refused(gap.far("verify", gap.top, "--site", path), 2, words)
