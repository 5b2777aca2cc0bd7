"""The page about the ledger: its commands for auditors are run as they stand there, with nothing of ours in reach."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sparkctl.app.ledger_checkpoint import make_checkpoint
from sparkctl.app.ledger_file import write_document
from sparkctl.app.ledger_proof import prove
from sparkctl.app.ledger_sign import sign_entries
from sparkctl.model.ledger import KINDS_BY_PEOPLE
from sparkctl.model.ledger_report import Wrong
from sparkctl.store.store import Store
from tests.ledger.book import START, allowed, filled, key_pair

PAGE = (Path(__file__).parents[2] / "docs/ledger.md").read_text("utf-8")
CHAIN, SIGNED, LEADS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
TOOLS = ["bash", "jq", "ssh-keygen", "sha256sum", "cut", "head", "sed", "realpath", "mktemp"]

absent = [tool for tool in TOOLS if not shutil.which(tool)]
pytestmark = pytest.mark.skipif(bool(absent), reason=f"the page's tools are not all here: {', '.join(absent)}")


def run(tmp_path: Path, script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run commands of the page where there is no other program than these."""
    tools = tmp_path / "tools"
    if not tools.exists():
        tools.mkdir()
        for tool in TOOLS:
            (tools / tool).symlink_to(str(shutil.which(tool)))
    environment = {"PATH": str(tools), "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}
    return subprocess.run(
        [tools / "bash", "-c", script, "bash", *arguments], capture_output=True, text=True, check=False,
        timeout=120, env=environment, cwd=tmp_path,
    )  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Eleven signed entries under a signed checkpoint, and two more."""
    state = filled(tmp_path / "state", 11)
    key = key_pair(tmp_path)
    sign_entries(state, key)
    write_document(make_checkpoint(state, key, "here", START), tmp_path / "note.json")
    allowed(tmp_path, ann=key)
    return filled(state, 2)


def lines_of(state: Path) -> list[str]:
    with Store.open(state, create=False) as store:
        return [entry.canonical.decode() for entry in store.ledger.entries()]


def test_the_chain(state: Path, tmp_path: Path) -> None:
    lines, file, note = lines_of(state), tmp_path / "entries.jsonl", tmp_path / "note.json"
    file.write_text("".join(f"{line}\n" for line in lines))
    ran = run(tmp_path, CHAIN, file, note)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "the checkpoint over 11 entries holds\nwhole: 13 entries\n"
    edited = [*lines[:4], lines[4].replace("Größe", "Grosse"), *lines[5:]]
    for wrong in (
        edited,
        lines[:4] + lines[5:],
        [lines[1], lines[0], *lines[2:]],
        lines[:10],
        [*lines[:3], *lines[2:]],
    ):
        file.write_text("".join(f"{line}\n" for line in wrong))
        assert run(tmp_path, CHAIN, file, note).returncode != 0


@pytest.mark.parametrize("seq", [1, 6, 9, 11])
def test_a_proof(state: Path, tmp_path: Path, seq: int) -> None:
    proof = tmp_path / "proof.json"
    write_document(prove(state, seq), proof)
    ran = run(tmp_path, SIGNED + LEADS, proof, tmp_path / "allowed")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("Good ") == 2
    assert ran.stdout.endswith(f"entry {seq} is in the ledger here\n")


def test_a_proof_that_was_changed(state: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    write_document(prove(state, 6), proof)
    good = json.loads(proof.read_text())
    for change in (
        {"entry": good["entry"] | {"summary": "stayed"}},
        {"entry": good["entry"] | {"summary": "stayed"}, "signature": None},
        {"path": good["path"][:-1]},
        {"path": good["path"][::-1]},
        {"path": [*good["path"], "0" * 64]},
        {"checkpoint": good["checkpoint"] | {"root": "0" * 64}},
    ):
        proof.write_text(json.dumps(good | change))
        assert run(tmp_path, SIGNED + LEADS, proof, tmp_path / "allowed").returncode != 0, change


def test_every_word_is_explained() -> None:
    words = set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
    assert {*Wrong} <= words
    assert {*KINDS_BY_PEOPLE} <= words
