"""The book of custody as people use it: entered, signed, witnessed by another bastion, proved, verified."""

import getpass
import hashlib
import json
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaint_about
from sparkctl.model.canonical import canonical_json
from sparkctl.model.ledger import KINDS_BY_PEOPLE
from tests.ledger.book import START, allowed, body, filled, key_pair, opened, rewrite
from tests.support.command import json_lines, sparkctl


class Bastion:
    """A state folder, and a key of whoever looks after it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.home, self.state = name, folder, folder / f"{name}-state"
        self.key = key_pair(folder, name)

    def run(self, *words: str | Path, code: int = 0) -> str:
        """What `sparkctl ledger` printed, or said when it was to fail."""
        ran = sparkctl("ledger", *words, home=self.home, SPARKCTL_STATE=str(self.state))
        assert ran.returncode == code, ran.stderr + ran.stdout
        assert "Traceback" not in ran.stderr
        return ran.stdout if code == 0 else ran.stdout + ran.stderr

    def told(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        """The one JSON document that it printed."""
        document: dict[str, Any] = json.loads(self.run(*words, "--format", "json", code=code))
        return document


@pytest.fixture
def one(tmp_path: Path) -> Bastion:
    """A bastion with a ledger of five entries."""
    bastion = Bastion(tmp_path, "one")
    filled(bastion.state, 5)
    return bastion


@pytest.fixture
def two(tmp_path: Path) -> Bastion:
    """Another bastion."""
    return Bastion(tmp_path, "two")


@pytest.fixture
def signers(tmp_path: Path, one: Bastion, two: Bastion) -> Path:
    """Both are allowed to sign."""
    return allowed(tmp_path, 'namespaces="spark-custody"', **{"ann@one": one.key, "bob@two": two.key})


def test_people_enter_what_they_did_with_evidence(two: Bastion, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.pdf"
    receipt.write_bytes(b"%PDF signed by J. Doe")
    words = [
        "--kind",
        "custody.handed_over",
        "--node",
        "spark07",
        "--summary",
        "to the shredder",
        "--fact",
        "to=J. Doe",
    ]
    said = two.told("add", *words, "--fact", "seals=a=b", "--evidence", receipt, "--serial", "S1", "--sign", two.key)
    (entry,) = json_lines_of(two.run("show"))
    assert said == {"seq": 1, "sha256": hashlib.sha256(canonical_json(entry)).hexdigest(), "signed": True}
    assert entry["actor"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert entry["facts"] == {"to": "J. Doe", "seals": "a=b"}
    assert entry["evidence"] == [{"name": "receipt.pdf", "sha256": hashlib.sha256(receipt.read_bytes()).hexdigest()}]
    assert complaint_about(canonical_json(entry)) is None
    assert two.told("verify", "--allowed-signers", allowed(tmp_path, bob=two.key))["signed"] == {"bob": 1}


def json_lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "lifecycle.moved", "--summary", "x"], "custody.moved"),
        (["--kind", "checkpoint.seen", "--summary", "x"], "not for people"),
        (["--kind", "custody.note", "--summary", " "], "needs a summary"),
        (["--kind", "custody.note", "--summary", "a\x1b[31mb"], "summary"),
        (["--kind", "custody.note", "--summary", "x", "--fact", "novalue"], "KEY=VALUE"),
        (["--kind", "custody.note", "--summary", "x", "--node", "no node"], "node_id"),
        (["--kind", "custody.note", "--summary", "x", "--evidence", "/nowhere.pdf"], "/nowhere.pdf"),
    ],
)
def test_what_cannot_be_entered_leaves_nothing(two: Bastion, words: list[str], said: str) -> None:
    answer = two.run("add", *words, code=2)
    assert said in answer
    assert "\x1b" not in answer
    assert not two.state.exists()


def test_an_entry_whose_key_is_bad_stays_and_is_said_to_be_unsigned(one: Bastion, tmp_path: Path) -> None:
    (bad := tmp_path / "bad").write_text("no key")
    said = one.run("add", "--kind", "custody.note", "--summary", "x", "--sign", bad, code=2)
    assert "entry 6 is entered, but not signed" in said
    assert one.told("verify")["unsigned"] == 6


def test_every_kind_for_people_is_named_in_help_and_can_be_entered(two: Bastion) -> None:
    text = " ".join(two.run("add", "--help").split())
    for kind in KINDS_BY_PEOPLE:
        assert kind in text
        two.run("add", "--kind", kind, "--summary", "x", "--simulated")
    assert "SIMULATED" in two.run("show", "--format", "human")


def test_entries_are_chosen_and_written_as_they_are_hashed(one: Bastion) -> None:
    lines = one.run("show").splitlines()
    assert [hashlib.sha256(line.encode()).hexdigest() for line in lines[:-1]] == [
        json.loads(line)["previous"] for line in lines[1:]
    ]
    assert [entry["seq"] for entry in json.loads(one.run("show", "--node", "spark01", "--format", "json"))] == [1, 5]
    assert one.run("show", "--kind", "custody.note") == ""
    one.run("add", "--kind", "custody.note", "--summary", "today")
    assert len(one.run("show", "--since", "1d").splitlines()) == 1
    human = one.run("show", "--format", "human")
    assert "to the Größe rack" in human
    assert "units: 3" in human
    assert "nothing is entered" in one.run("show", "--kind", "no.kind", "--format", "human")


def test_a_ledger_is_signed_once_by_each_who_has_to(one: Bastion, signers: Path) -> None:
    assert one.told("sign", "--key", one.key, "--since", "4") == {"signed": 2, "first": 4, "last": 5}
    assert one.told("sign", "--key", one.key)["signed"] == 3
    assert one.told("sign", "--key", one.key)["signed"] == 0
    report = one.told("verify", "--allowed-signers", signers)
    assert (report["signed"], report["unsigned"]) == ({"ann@one": 5}, 0)


def test_a_key_counts_as_it_was_valid_when_it_signed(one: Bastion, tmp_path: Path) -> None:
    one.run("sign", "--key", one.key)
    for options, good in (
        ('valid-before="20260401"', True),
        ('valid-after="20260401"', False),
        ('valid-before="20260201"', False),
        ('namespaces="spark-evidence"', False),
    ):
        signers = allowed(tmp_path, options, ann=one.key)
        report = one.told("verify", "--allowed-signers", signers, code=0 if good else 4)
        assert good or (report["findings"][0]["what"], report["findings"][0]["seq"]) == ("signature", 1)


def test_a_key_that_expired_on_the_way_is_named_where_it_signed_first_after_that(one: Bastion, tmp_path: Path) -> None:
    one.run("sign", "--key", one.key)
    at_half_past_twelve = (START + timedelta(hours=4, minutes=30)).astimezone()
    signers = allowed(tmp_path, f'valid-before="{at_half_past_twelve:%Y%m%d%H%M%S}"', ann=one.key)
    report = one.told("verify", "--allowed-signers", signers, code=4)
    assert [(one["what"], one["seq"]) for one in report["findings"]] == [("signature", 5)]
    assert report["signed"] == {"ann": 4}


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_keys_of_every_kind(one: Bastion, tmp_path: Path, kind: str) -> None:
    key = key_pair(tmp_path, "another", kind)
    signers = allowed(tmp_path, ann=key)
    one.run("sign", "--key", key)
    one.run("checkpoint", "--key", key)
    report = one.told("verify", "--allowed-signers", signers)
    assert (report["signed"], report["vouched"]) == ({"ann": 5}, 5)
    assert list(one.told("verify")["signed"].values()) == [5]
    with opened(one.state) as connection:
        rewrite(connection, 4, lambda content: content.update(summary="stayed"))
    assert "signature at 4" in one.run("verify", "--format", "human", code=4)


def test_nothing_of_a_ledger_that_does_not_hold_is_signed(one: Bastion, tmp_path: Path) -> None:
    with opened(one.state) as connection:
        connection.execute("UPDATE ledger SET body = '{}' WHERE seq = 2")
    commands: list[list[str | Path]] = [
        ["sign", "--key", one.key],
        ["checkpoint"],
        ["prove", "1", "--out", tmp_path / "p"],
    ]
    for words in commands:
        assert "entry 2" in one.run(*words, code=4)
    assert "entry 2" in one.run("show", code=2)
    with opened(one.state) as connection:
        connection.execute("UPDATE ledger SET body = '{}' WHERE seq = 5")
    assert "entry 5" in one.run("add", "--kind", "custody.note", "--summary", "x", code=2)
    assert "edited at 2" in one.run("verify", "--format", "human", code=4)


def test_an_empty_ledger(two: Bastion, tmp_path: Path) -> None:
    assert "there is no store" in two.run("verify", code=2)
    filled(two.state, 0)
    assert two.told("verify")["entries"] == 0
    assert "empty" in two.run("checkpoint", code=2)
    assert "there is no entry 1" in two.run("prove", "1", "--out", tmp_path / "p", code=2)


def test_another_bastion_cosigns_what_follows(one: Bastion, two: Bastion, signers: Path, tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    one.run("checkpoint", "--key", one.key, "--origin", "one", "--export", note)
    assert "was ever seen here" in two.run("cosign", note, "--key", two.key, code=4)
    before = json.loads(note.read_text())
    first = two.told("cosign", note, "--key", two.key, "--first", "--allowed-signers", signers)
    assert (first["origin"], first["size"], first["before"]) == ("one", 5, None)
    assert complaint_about(note.read_bytes()) is None
    assert json.loads(note.read_text())["checkpoint"] == before["checkpoint"]
    taken = one.told("import-cosignature", note, "--allowed-signers", signers)
    assert taken == {"size": 5, "signed_by": ["ann@one", "bob@two"]}
    for number in range(8):
        one.run("add", "--kind", "custody.note", "--summary", f"note {number}")
        one.run("checkpoint", "--key", one.key, "--export", note)
        assert two.told("cosign", note, "--key", two.key)["before"] == 5 + number
    report = one.told("verify", "--allowed-signers", signers, "--checkpoint", note)
    assert (report["holds"], report["vouched"], report["entries"]) == (True, 13, 13)
    assert report["checkpoints"][0]["signed_by"] == ["ann@one", "bob@two"]
    assert [entry["facts"]["size"] for entry in json_lines_of(two.run("show", "--kind", "checkpoint.seen"))] == [
        *range(5, 14)
    ]
    assert two.told("verify")["holds"]


def test_a_fork_is_refused(one: Bastion, two: Bastion, tmp_path: Path) -> None:
    """The ledger is made anew from an entry on; all of it holds in itself."""
    note, fork = tmp_path / "note.json", tmp_path / "fork.json"
    one.run("checkpoint", "--key", one.key, "--export", note)
    two.run("cosign", note, "--key", two.key, "--first")
    with opened(one.state) as connection:
        rewrite(connection, 3, lambda content: content.update(summary="stayed"))
        connection.execute("DELETE FROM checkpoints")
    one.run("checkpoint", "--key", one.key, "--export", fork)
    assert "forked or changed" in two.run("cosign", fork, "--key", two.key, code=4)
    one.run("add", "--kind", "custody.note", "--summary", "more")
    one.run("checkpoint", "--key", one.key, "--export", fork, "--since", "5")
    assert "forked or changed" in two.run("cosign", fork, "--key", two.key, code=4)
    assert len(two.run("show").splitlines()) == 1
    assert "rewritten" in one.run("verify", "--checkpoint", note, code=4)
    assert "no checkpoint that was made here" in one.run("import-cosignature", note, code=4)


def test_what_is_old_or_lacks_its_proof_is_refused(one: Bastion, two: Bastion, tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    one.run("checkpoint", "--key", one.key, "--export", old)
    one.run("add", "--kind", "custody.note", "--summary", "more")
    one.run("checkpoint", "--key", one.key, "--export", new)
    two.run("cosign", new, "--key", two.key, "--first")
    assert "it is old" in two.run("cosign", old, "--key", two.key, code=4)
    one.run("add", "--kind", "custody.note", "--summary", "more")
    one.run("checkpoint", "--key", one.key, "--export", new, "--since", "2")
    assert "--since 6" in two.run("cosign", new, "--key", two.key, code=4)
    one.run("checkpoint", "--key", one.key, "--export", new, "--since", "6")
    assert two.told("cosign", new, "--key", two.key, "--out", tmp_path / "out.json")["before"] == 6


def test_what_nobody_allowed_signed_is_not_cosigned(one: Bastion, two: Bastion, tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    one.run("checkpoint", "--export", note)
    assert "signed by nobody" in two.run("cosign", note, "--key", two.key, "--first", code=4)
    one.run("checkpoint", "--key", one.key, "--export", note)
    only_bob = allowed(tmp_path, bob=two.key)
    assert "by nobody in" in two.run("cosign", note, "--key", two.key, "--first", "--allowed-signers", only_bob, code=4)
    content = json.loads(note.read_text())
    content["checkpoint"]["size"] = 4
    note.write_text(json.dumps(content))
    assert "does not hold" in two.run("cosign", note, "--key", two.key, "--first", code=4)
    assert not two.state.exists() or two.run("show") == ""


def test_a_proof_holds_far_from_any_store(one: Bastion, signers: Path, tmp_path: Path) -> None:
    one.run("sign", "--key", one.key)
    assert "no checkpoint covers entry 1" in one.run("prove", "1", "--out", tmp_path / "p", code=2)
    one.run("checkpoint", "--key", one.key, "--origin", "one")
    one.run("add", "--kind", "custody.note", "--summary", "later")
    assert "the newest covers 5" in one.run("prove", "6", "--out", tmp_path / "p", code=2)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    for seq in range(1, 6):
        proof = tmp_path / f"{seq}.proof.json"
        one.run("prove", str(seq), "--out", proof)
        assert complaint_about(proof.read_bytes()) is None
        ran = sparkctl(
            "ledger", "verify-proof", proof, "--allowed-signers", signers, "--format", "json", home=elsewhere
        )
        assert ran.returncode == 0, ran.stderr
        (found,) = json_lines(ran)
        assert (found["seq"], found["checkpoint_signed_by"], found["entry_signed_by"]) == (seq, ["ann@one"], "ann@one")
        assert complaint_about(ran.stdout.encode()) is None
    assert not (elsewhere / ".local").exists()
    said = one.run("verify-proof", tmp_path / "1.proof.json", "--format", "human")
    assert "anybody may have made it" in said


def test_no_part_of_a_proof_can_be_another(one: Bastion, signers: Path, tmp_path: Path) -> None:
    one.run("sign", "--key", one.key)
    one.run("checkpoint", "--key", one.key)
    one.run("prove", "3", "--out", tmp_path / "p.json")
    one.run("prove", "4", "--out", tmp_path / "other.json")
    good, other = (json.loads((tmp_path / name).read_text()) for name in ("p.json", "other.json"))
    for number, (key, value) in enumerate(
        [
            ("entry", good["entry"] | {"summary": "stayed"}),
            ("entry", good["entry"] | {"seq": 4}),
            ("entry", other["entry"]),
            ("path", good["path"][:-1]),
            ("path", [*good["path"], "0" * 64]),
            ("path", []),
            ("checkpoint", good["checkpoint"] | {"root": "0" * 64}),
            ("checkpoint", good["checkpoint"] | {"size": 2}),
            ("checkpoint", good["checkpoint"] | {"origin": "another"}),
            ("signatures", []),
            ("signatures", [good["signatures"][0] | {"signature": good["signature"]}]),
            ("signature", other["signature"]),
        ]
    ):
        (changed := tmp_path / f"{number}.json").write_text(json.dumps(good | {key: value}))
        assert "Traceback" not in one.run("verify-proof", changed, "--allowed-signers", signers, code=4), (key, value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema":"sparkctl.ledger-proof/1"}', '{"a":1,"a":2}', "[" * 200_000]
)
@pytest.mark.parametrize("command", ["verify-proof", "cosign", "import-cosignature"])
def test_files_that_are_none(one: Bastion, tmp_path: Path, text: str, command: str) -> None:
    (file := tmp_path / "file.json").write_text(text)
    key = ["--key", str(one.key)] if command == "cosign" else []
    said = one.run(command, file, *key, code=2)
    assert str(file) in said
    assert file.read_text() == text


def test_bodies_are_canonical(one: Bastion) -> None:
    with opened(one.state) as connection:
        text = connection.execute("SELECT body FROM ledger WHERE seq = 2").fetchone()[0]
        assert canonical_json(body(connection, 2)).decode() == text
