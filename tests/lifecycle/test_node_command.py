"""`sparkctl node` as an operator runs it."""

import hashlib
import sqlite3
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sparkctl.model.ledger import GENESIS
from sparkctl.store.store import Store
from tests.support.command import json_lines, sparkctl

Run = Callable[..., subprocess.CompletedProcess[str]]
FLEET = """\
nodes:
  spark01: {serial: S1, state: in_service}
  spark02: {}
  spark03: {simulated: true}
units:
  pair-1: [spark01, spark02]
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    (tmp_path / "doc.pdf").write_text("a document")

    def ran(*words: str | Path, user: str = "ann") -> subprocess.CompletedProcess[str]:
        return sparkctl(*words, "--state", tmp_path / "state", home=tmp_path, LOGNAME=user)

    return ran


def move(run: Run, node: str, to: str, *kinds: str, user: str = "ann") -> subprocess.CompletedProcess[str]:
    given = [part for kind in kinds for part in ("--evidence", f"{kind}=doc.pdf")]
    return run("node", "move", node, to, "--reason", "because", *given, user=user)


def ledger(tmp_path: Path) -> list[tuple[str, str | None]]:
    with Store.open(tmp_path / "state") as store:
        return [(entry.kind, entry.node_id) for entry in store.ledger.entries()]


def test_without_a_store_everybody_is_unrecorded_and_none_is_made(run: Run, tmp_path: Path) -> None:
    lines = json_lines(run("node", "list"))
    assert [(line["node_id"], line["state"], line["differs"]) for line in lines] == [
        ("spark01", "unrecorded", False), ("spark02", "unrecorded", False), ("spark03", "unrecorded", False),
    ]  # fmt: skip
    assert not (tmp_path / "state").exists()


def test_a_move_enters_its_evidence_and_itself_in_one_step(run: Run, tmp_path: Path) -> None:
    (said,) = json_lines(move(run, "spark03", "in_service", "adoption.recorded"))
    assert (said["node"], said["left"], said["entered"], said["entries"]) == (
        "spark03",
        "unrecorded",
        "in_service",
        [1, 2],
    )
    with Store.open(tmp_path / "state") as store:
        evidence, moved = store.ledger.entries()
    digest = hashlib.sha256(b"a document").hexdigest()
    assert (evidence.kind, evidence.previous, evidence.evidence[0].sha256) == ("evidence.added", GENESIS, digest)
    assert evidence.facts == {"evidence": "adoption.recorded"}
    assert (moved.kind, moved.simulated, moved.actor.split("@")[0]) == ("lifecycle.moved", True, "ann")
    assert moved.facts == {"from": "unrecorded", "to": "in_service", "reason": "because", "phase": "monitoring"}
    assert [(ref.name, ref.sha256) for ref in moved.evidence] == [("adoption.recorded doc.pdf", digest)]


def test_show_says_what_each_next_edge_waits_for(run: Run) -> None:
    move(run, "spark03", "in_service", "adoption.recorded")
    assert run("node", "evidence", "spark03", "maintenance.planned", "doc.pdf").returncode == 0
    (shown,) = json_lines(run("node", "show", "spark03"))
    waits = {edge["to"]: edge["waits_for"] for edge in shown["next_moves"]}
    assert waits == {"maintenance": [], "incident": ["case.opened"], "lost": ["loss.reported", "approval.given"]}
    planned = next(edge for edge in shown["next_moves"] if edge["to"] == "maintenance")["needs"][0]["held"]
    assert planned["sha256"] == hashlib.sha256(b"a document").hexdigest()
    human = run("node", "show", "spark03", "--format", "human").stdout
    assert "spark03  in_service: does its work  SIMULATED" in human
    assert "maintenance  maintenance, the unit as a whole  ready" in human
    assert f"sha256 {planned['sha256'][:12]}" in human
    assert "→ sparkctl node evidence spark03 case.opened FILE" in human


def test_documents_hold_against_their_schemas(run: Run, tmp_path: Path) -> None:
    move(run, "spark01", "in_service", "adoption.recorded")
    text = run("node", "list").stdout + run("node", "show", "spark01").stdout + run("node", "show", "spark02").stdout
    (tmp_path / "documents.jsonl").write_text(text)
    checked = sparkctl("schema", "check", tmp_path / "documents.jsonl", home=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_what_is_missing_is_named_and_nothing_is_entered(run: Run, tmp_path: Path) -> None:
    move(run, "spark03", "in_service", "adoption.recorded")
    before = ledger(tmp_path)
    for refused, words in (
        (move(run, "spark03", "maintenance"), "maintenance.planned"),
        (move(run, "spark03", "disposed", "handover.signed"), "no move leads from there to disposed"),
        (move(run, "spark03", "incident", "case.closed"), "case.opened"),
    ):
        assert refused.returncode == 4
        assert words in refused.stderr
        assert refused.stdout == ""
    assert ledger(tmp_path) == before


def test_two_persons_are_two(run: Run) -> None:
    move(run, "spark03", "in_service", "adoption.recorded")
    refused = move(run, "spark03", "lost", "loss.reported", "approval.given")
    assert (refused.returncode, "two persons" in refused.stderr) == (4, True)
    assert run("node", "evidence", "spark03", "approval.given", "doc.pdf", user="ann").returncode == 0
    assert move(run, "spark03", "lost", "loss.reported").returncode == 4  # still his own
    assert run("node", "evidence", "spark03", "approval.given", "doc.pdf", user="bob").returncode == 0
    assert move(run, "spark03", "lost", "loss.reported").returncode == 0


def test_a_unit_moves_whole_and_retires_apart(run: Run, tmp_path: Path) -> None:
    for node in ("spark01", "spark02"):
        move(run, node, "in_service", "adoption.recorded")
    both = json_lines(move(run, "spark01", "maintenance", "maintenance.planned"))
    assert [(one["node"], one["entered"]) for one in both] == [("spark01", "maintenance"), ("spark02", "maintenance")]
    assert json_lines(move(run, "spark02", "incident", "case.opened"))[0]["node"] == "spark02"
    refused = move(run, "spark01", "in_service", "maintenance.verified")
    assert refused.returncode == 4
    assert "pair-1 comes into service whole, and spark02 is incident" in refused.stderr
    run("node", "evidence", "spark01", "approval.given", "doc.pdf", user="bob")
    refused = move(run, "spark01", "retiring")
    assert (refused.returncode, "take the unit apart" in refused.stderr) == (4, True)
    (tmp_path / "fleet.yaml").write_text(FLEET.partition("units:")[0])
    assert move(run, "spark01", "retiring").returncode == 0


def test_the_ledger_is_right_and_the_inventory_is_told_so(run: Run) -> None:
    assert run("inventory", "check").stdout == ""
    move(run, "spark01", "expected", "order.placed")
    (warning,) = json_lines(run("inventory", "check"))
    assert (warning["severity"], warning["line"], warning["key"]) == ("warning", 2, "spark01.state")
    assert "the inventory says in_service, and the ledger says expected" in warning["message"]
    assert run("inventory", "check").returncode == 0
    assert "the ledger is right" in run("node", "show", "spark01", "--format", "human").stdout
    listed = json_lines(run("node", "list", "--in", "expected"))
    assert [(one["node_id"], one["differs"]) for one in listed] == [("spark01", True)]
    human = run("node", "list", "--format", "human").stdout
    assert "3 nodes: 2 unrecorded, 1 expected" in human
    assert "the inventory says in_service" in human


def test_a_node_that_left_the_inventory_can_still_be_seen_and_moved(run: Run, tmp_path: Path) -> None:
    move(run, "spark03", "in_service", "adoption.recorded")
    (tmp_path / "fleet.yaml").write_text("nodes:\n  spark09: {}\n")
    assert [line["node_id"] for line in json_lines(run("node", "list"))] == ["spark09", "spark03"]
    (said,) = json_lines(move(run, "spark03", "maintenance", "maintenance.planned"))
    assert said["entered"] == "maintenance"
    assert json_lines(run("node", "show", "spark03"))[0]["simulated"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["move", "spark03", "orbit", "--reason", "x"], "there is no state 'orbit'"),
        (["move", "nobody", "unrecorded", "--reason", "x"], "there is no node"),
        (["move", "nobody", "lost", "--reason", "x"], "there is no node 'nobody'"),
        (["move", "spark03", "expected", "--reason", "a\x1b[2Jb"], "--reason must be one printable line"),
        (["move", "spark03", "expected", "--reason", " "], "--reason must be one printable line"),
        (["move", "spark03", "expected", "--reason", "x", "--evidence", "order.placed"], "KIND=FILE"),
        (["move", "spark03", "expected", "--reason", "x", "--evidence", "order.place=doc.pdf"], "order.placed"),
        (["move", "spark03", "expected", "--reason", "x", "--evidence", "order.placed=no"], "No such file"),
        (["evidence", "spark03", "order.placed", "/dev/zero"], "is not a regular file"),
        (["evidence", "spark03", "order.placed", "."], "."),
        (["evidence", "spark03", "order.placed", "empty"], "is empty"),
        (["evidence", "nobody", "order.placed", "doc.pdf"], "there is no node 'nobody'"),
        (["show", "nobody"], "there is no node 'nobody'"),
        (["show", "no\x1bbody"], "there is no node"),
        (["list", "nobody"], "nobody"),
        (["list", "--in", "orbit"], "orbit"),
    ],
)
def test_mistakes_are_one_message_and_enter_nothing(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "empty").touch()
    ran = run("node", *words)
    assert ran.returncode == 2, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "\x1b" not in ran.stderr
    assert not (tmp_path / "state" / "state.db").exists() or ledger(tmp_path) == []


def test_of_moves_at_the_same_time_one_is_made(run: Run, tmp_path: Path) -> None:
    """Nobody decides by what another one has changed meanwhile."""
    move(run, "spark03", "in_service", "adoption.recorded")
    with ThreadPoolExecutor(6) as several:
        ran = list(several.map(lambda _: move(run, "spark03", "maintenance", "maintenance.planned"), range(6)))
    assert sorted(one.returncode for one in ran) == [0, 4, 4, 4, 4, 4]
    (shown,) = json_lines(run("node", "show", "spark03"))
    assert (shown["troubles"], len(shown["moves"])) == ([], 2)


def test_a_damaged_ledger_is_said_to_be(run: Run, tmp_path: Path) -> None:
    move(run, "spark03", "in_service", "adoption.recorded")
    with sqlite3.connect(tmp_path / "state" / "state.db") as database:
        database.execute("update ledger set body = replace(body, 'lifecycle.moved', 'LIFE') where seq = 2")
    checked = run("inventory", "check")
    assert (checked.returncode, "whether the ledger agrees cannot be told" in checked.stdout) == (0, True)
    ran = run("node", "show", "spark03")
    assert (ran.returncode, "ledger verify" in ran.stderr, "Traceback" in ran.stderr) == (2, True, False)


@pytest.mark.parametrize(
    "change",
    [
        "body = replace(replace(body, '\"to\":\"expected\"', '\"to\":\"accepted\"'), '→ expected', '→ accepted')",
        "node_id = 'spark03'",
        'body = replace(body, \'"node_id":"spark02"\', \'"node_id":"spark03"\'), node_id = \'spark03\'',
    ],
)
def test_no_node_is_moved_on_the_word_of_an_entry_that_was_changed(run: Run, tmp_path: Path, change: str) -> None:
    assert move(run, "spark02", "expected", "order.placed").returncode == 0
    raw = sqlite3.connect(tmp_path / "state" / "state.db")
    (seq,) = raw.execute("SELECT seq FROM ledger WHERE kind = 'lifecycle.moved' AND node_id = 'spark02'").fetchone()
    raw.execute(f"UPDATE ledger SET {change} WHERE seq = {seq}")
    raw.commit()
    raw.close()
    name = "spark03" if "spark03" in change else "spark02"
    for words in (("node", "show", name), ("node", "list"), ("node", "move", name, "provisioning", "--reason", "so")):
        ran = run(*words)
        assert ran.returncode == 2
        assert f"entry {seq} of the ledger is not what was entered" in ran.stderr
