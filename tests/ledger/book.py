"""Ledgers for the tests: made through the store, signed by real keys, and changed past it as an intruder would."""

import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.app.ledger_verify import verify_ledger
from sparkctl.model.canonical import canonical_json
from sparkctl.model.ledger import EvidenceRef, LedgerFact
from sparkctl.model.ledger_report import LedgerReport
from sparkctl.store.location import DATABASE_NAME
from sparkctl.store.store import Store

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def fact(number: int) -> LedgerFact:
    return LedgerFact(
        kind="custody.moved",
        node_id=f"spark{number % 4:02d}",
        serial=f"S{number}",
        actor="tester@bastion",
        summary=f"moved for the {number}th time, to the Größe rack",
        facts={"to": f"rack {number}", "units": number, "locked": number % 2 == 0, "by": None},
        evidence=[EvidenceRef(name="receipt.pdf", sha256=hashlib.sha256(b"%d" % number).hexdigest())],
    )


def filled(state: Path, entries: int) -> Path:
    """A state folder whose ledger has so many entries, an hour apart."""
    with Store.open(state) as store:
        for number in range(1, entries + 1):
            store.ledger.add([fact(number)], START + timedelta(hours=number))
    return state


def key_pair(folder: Path, name: str = "key", kind: str = "ed25519") -> Path:
    """A private OpenSSH key."""
    key = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", key], check=True)
    return key


def allowed(folder: Path, options: str = "", **keys: Path) -> Path:
    """An allowed-signers file of keys by their principals."""
    file = folder / "allowed"
    lines = [f"{name} {options} {key.with_suffix('.pub').read_text()}" for name, key in keys.items()]
    file.write_text("".join(lines))
    return file


@contextmanager
def opened(state: Path) -> Iterator[sqlite3.Connection]:
    """The database of a store, as whoever can write the file has it."""
    with closing(sqlite3.connect(state / DATABASE_NAME)) as connection:
        yield connection
        connection.commit()


def body(connection: sqlite3.Connection, seq: int) -> dict[str, Any]:
    """What stands in a row."""
    text: str = connection.execute("SELECT body FROM ledger WHERE seq = ?", (seq,)).fetchone()[0]
    content: dict[str, Any] = json.loads(text)
    return content


def put(connection: sqlite3.Connection, place: int, content: dict[str, Any]) -> str:
    """Write an entry over a row, with a digest that fits; the digest."""
    text = canonical_json(content)
    digest = hashlib.sha256(text).hexdigest()
    connection.execute(
        "UPDATE ledger SET body = ?, sha256 = ?, kind = ?, node_id = ? WHERE seq = ?",
        (text.decode(), digest, content["kind"], content["node_id"], place),
    )
    return digest


def rewrite(connection: sqlite3.Connection, first: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change an entry, and make every digest after it anew, so that the chain holds."""
    content = body(connection, first)
    change(content)
    previous = put(connection, first, content)
    last = connection.execute("SELECT max(seq) FROM ledger").fetchone()[0]
    for seq in range(first + 1, last + 1):
        content = body(connection, seq)
        content["previous"] = previous
        previous = put(connection, seq, content)


def verified(state: Path, signers: Path | None = None, *notes: Path) -> LedgerReport:
    return verify_ledger(state, signers, notes)


def first_wrong(report: LedgerReport) -> tuple[str, int]:
    """What is named first."""
    return report.findings[0].what.value, report.findings[0].seq
