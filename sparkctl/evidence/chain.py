"""Is the chain of a ledger whole? It takes the rows as they stand on disk, and names the first entry that is wrong."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from sparkctl.errors import RefusedError
from sparkctl.evidence import merkle
from sparkctl.evidence.custody import CustodyTrust
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.ledger import GENESIS, LedgerEntry, LedgerRow
from sparkctl.model.ledger_report import LedgerFinding, Wrong
from sparkctl.model.printable import printable

MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Link:
    """What matters of a row: where it stands, what it says, the digest of what stands there, what is wrong with it."""

    place: int | None
    sha256: str
    seq: int = 0
    previous: str = ""
    at: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """The root over the first entries, and the digest of the last of them."""

    root: str
    last: str


@dataclass(slots=True)
class Audited:
    """What was found: how many rows there are, what is wrong, who signed how many, and the roots asked for."""

    entries: int = 0
    last: str | None = None
    findings: list[LedgerFinding] = field(default_factory=list)
    signed: Counter[str] = field(default_factory=Counter)
    unsigned: int = 0
    prefixes: dict[int, Prefix] = field(default_factory=dict)
    broken_at: int | None = None
    """The first entry at which the chain does not hold."""


def audit(rows: Iterable[LedgerRow], sizes: Collection[int], trust: CustodyTrust) -> Audited:
    """Go through all rows once; `sizes` are those of which the root is wanted."""
    found, links, tree, wanted = Audited(), [], merkle.Growing(), set(sizes)
    for row in rows:
        entry, link = _looked_at(row)
        links.append(link)
        found.entries += 1
        found.last = link.sha256
        if entry is not None:
            _look_at_signature(row, entry, trust, found)
        tree.add(merkle.leaf(row.body))
        if tree.size in wanted:
            found.prefixes[tree.size] = Prefix(tree.root.hex(), link.sha256)
    if (wrong := _first_wrong(links)) is not None:
        found.broken_at = wrong.seq
        found.findings.append(wrong)
    found.findings.sort(key=lambda one: one.seq)
    del found.findings[MOST_FINDINGS:]
    return found


def _looked_at(row: LedgerRow) -> tuple[LedgerEntry | None, Link]:
    """The entry of a row, None when it is not what was entered there."""
    digest = hashlib.sha256(row.body).hexdigest()
    try:
        entry = LedgerEntry.model_validate_json(row.body)
    except ValidationError as error:
        return None, Link(row.seq, digest, trouble=f"it is no entry any more ({_words(error)})")
    trouble = None
    if digest != row.sha256:
        trouble = f"its digest is {digest}, and {printable(row.sha256, 64)} was noted"
    elif entry.canonical != row.body:
        trouble = "it is not written as entries are (RFC 8785)"
    elif (entry.kind, entry.node_id) != (row.kind, row.node_id):
        trouble = f"it is filed under {printable(row.kind, 40)} of {printable(row.node_id or 'no node', 80)}"
    link = Link(row.seq, digest, entry.seq, entry.previous, entry.at, trouble)
    return (None if trouble else entry), link


def _look_at_signature(row: LedgerRow, entry: LedgerEntry, trust: CustodyTrust, found: Audited) -> None:
    if row.signature is None:
        found.unsigned += 1
        return
    try:
        found.signed[trust.signing(row.body, row.signature, entry.at, f"entry {entry.seq}").name] += 1
    except RefusedError as error:
        found.findings.append(_finding(Wrong.SIGNATURE, entry.seq, error.message))
        found.findings.sort(key=lambda one: one.seq)
        del found.findings[MOST_FINDINGS:]


def _first_wrong(links: Sequence[Link]) -> LedgerFinding | None:
    previous, before = GENESIS, None
    for at, link in enumerate(links):
        wrong = _wrong_place(links, at) or _wrong_content(links, at, previous)
        if wrong is None and before is not None and link.at is not None and link.at < before:
            words = f"entry {at + 1} is of {link.at.isoformat()}, before the entry that stands before it"
            wrong = _finding(Wrong.TIME, at + 1, words)
        if wrong is not None:
            return wrong
        previous, before = link.sha256, link.at
    return None


def _wrong_place(links: Sequence[Link], at: int) -> LedgerFinding | None:
    """What is wrong with the number under which a row stands."""
    place, expected = links[at].place, at + 1
    if place is None or place < expected:
        words = f"a row stands at place {place}, where no entry can be" if place is not None else "a row has no number"
        return _finding(Wrong.INSERTED, place or 0, words)
    if place == expected:
        return None
    if (elsewhere := _standing(links, expected)) is not None:
        words = f"entry {expected} stands at place {links[elsewhere].place}, and place {expected} is empty"
        return _finding(Wrong.REORDERED, expected, words)
    return _finding(Wrong.REMOVED, expected, f"{_entries(expected, place - 1)} missing")


def _wrong_content(links: Sequence[Link], at: int, previous: str) -> LedgerFinding | None:
    """What is wrong with a row that stands under the right number."""
    link, expected = links[at], at + 1
    if link.trouble is not None:
        return _finding(Wrong.EDITED, expected, f"entry {expected} is not what was entered: {link.trouble}")
    if link.seq < expected:
        return _twice(links, at)
    if link.seq > expected:
        if (elsewhere := _standing(links, expected)) is not None:
            words = f"at place {expected} stands entry {link.seq}, and entry {expected} at {links[elsewhere].place}"
            return _finding(Wrong.REORDERED, expected, words)
        words = f"{_entries(expected, link.seq - 1)} missing, and later ones were given their places"
        return _finding(Wrong.REMOVED, expected, words)
    return None if link.previous == previous else _wrong_link(links, at)


def _twice(links: Sequence[Link], at: int) -> LedgerFinding:
    """Two entries of one number, of which this is the second: the true one is what the next in number follows."""
    number, place = links[at].seq, at + 1
    follows = next((link.previous for link in links if link.seq == number + 1 and link.trouble is None), None)
    if links[at].sha256 == follows and links[number - 1].sha256 != follows:
        words = f"at place {number} stands an entry that was not entered there; entry {number} stands at place {place}"
        return _finding(Wrong.INSERTED, number, words)
    return _finding(Wrong.INSERTED, place, f"at place {place} stands a second entry {number}")


def _wrong_link(links: Sequence[Link], at: int) -> LedgerFinding:
    """Two entries that do not follow each other: it was the first that was changed, if the third follows the second."""
    number = at + 1
    if at == 0:
        return _finding(Wrong.EDITED, 1, "entry 1 follows another entry, and nothing stands before it")
    followed = at + 1 < len(links) and links[at + 1].previous == links[at].sha256
    if followed or at + 1 == len(links):
        doubt = "" if followed else f" (or entry {number} was, which is the last)"
        words = f"entry {number - 1} was changed and its digest made anew: entry {number} follows another one{doubt}"
        return _finding(Wrong.EDITED, number - 1, words)
    words = f"entry {number} was changed and its digest made anew: it does not follow entry {number - 1}"
    return _finding(Wrong.EDITED, number, words)


def _standing(links: Sequence[Link], number: int) -> int | None:
    """Where an entry of a number stands that is whole in itself."""
    return next((at for at, link in enumerate(links) if link.seq == number and link.trouble is None), None)


def _entries(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _finding(what: Wrong, seq: int, words: str) -> LedgerFinding:
    return LedgerFinding(what=what, seq=seq, words=printable(words, MAX_TEXT))


def _words(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return printable(f"{place}: {first['msg']}" if place else first["msg"], 200)
