"""The book of custody as people use it: look at it, and enter what somebody did with a machine."""

import getpass
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from sparkctl.app.ledger_file import evidence_of
from sparkctl.errors import UsageError
from sparkctl.model.ledger import KINDS_BY_PEOPLE, LedgerEntry, LedgerFact
from sparkctl.model.printable import printable
from sparkctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry, and whether it bears a signature, whatever that is worth."""

    entry: LedgerEntry
    signed: bool


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person wants to enter, as the command line has it; `facts` are words of the form `key=value`."""

    kind: str
    summary: str
    node_id: str | None = None
    serial: str | None = None
    facts: Sequence[str] = ()
    evidence: Sequence[Path] = ()
    simulated: bool = False


def shown(
    state: Path, node_id: str | None, kind: str | None, within: timedelta | None, now: datetime
) -> Iterator[Shown]:
    """The entries, oldest first: of one node, of one kind, no older than so long. Raises StoreError."""
    since = None if within is None else now - within
    with Store.open(state, create=False) as store:
        signed = store.ledger.signed()
        for entry in store.ledger.entries(node_id, kind):
            if since is None or entry.at >= since:
                yield Shown(entry, entry.seq in signed)


def enter_by_hand(state: Path, asked: ByHand, now: datetime) -> LedgerEntry:
    """Enter what a person says; on disk when this returns. Raises UsageError for what cannot be entered."""
    if asked.kind not in KINDS_BY_PEOPLE:
        raise UsageError(
            f"{printable(asked.kind, 40)!r} is not for people to enter",
            hint=f"it is one of {', '.join(KINDS_BY_PEOPLE)}",
        )
    if not asked.summary.strip():
        raise UsageError("an entry needs a summary", hint="say in one line what happened: --summary WORDS")
    try:
        fact = LedgerFact(
            kind=asked.kind,
            node_id=asked.node_id,
            serial=asked.serial,
            actor=who_is_here(),
            summary=asked.summary,
            facts=dict(_pair(words) for words in asked.facts),
            evidence=[evidence_of(path) for path in asked.evidence],
            simulated=asked.simulated,
        )
    except ValidationError as error:
        raise _unfit(error) from error
    with Store.open(state) as store:
        return store.ledger.add([fact], now)[0]


def who_is_here() -> str:
    """The user of this process and the machine, as `user@host`. Raises UsageError."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("this user has no name", hint="run it as a user who has one") from error
    return printable(f"{user}@{socket.gethostname() or 'localhost'}", 120)


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


def _pair(words: str) -> tuple[str, str]:
    key, mark, value = words.partition("=")
    if not mark or not key:
        raise UsageError(f"{printable(words)!r} is no fact", hint="write --fact KEY=VALUE")
    return key, value


def _unfit(error: ValidationError) -> UsageError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = printable(".".join(map(str, first["loc"])), 100)
    return UsageError(
        f"it cannot be entered: {where}: {printable(first['msg'])}", hint="write one printable line for each value"
    )
