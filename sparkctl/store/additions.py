"""Outcomes into the store: many at once in one transaction, because a commit costs more than what is in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from sparkctl.model.event import Addressed
from sparkctl.model.outcome import NodeOutcome
from sparkctl.store.changes import note_changes
from sparkctl.store.contacts import note_contacts
from sparkctl.store.database import Database
from sparkctl.store.documents import Packed, ids_of, pack, put_all
from sparkctl.store.entries import RunState
from sparkctl.store.identifiers import IDENTITY, note_identifiers
from sparkctl.store.node_numbers import node_numbers
from sparkctl.store.outbox_put import put_events
from sparkctl.store.schema import documents, runs, spans, standings, visits
from sparkctl.store.vectors import HEALTH, vector_of

# The standing of one part of one node.
_OF_PART = (standings.c.node == bindparam("of_node")) & (standings.c.part == bindparam("of_part"))


class _Addition:
    """An outcome with its documents ready to be stored; `texts` and `parts` are what it says of the node, by name."""

    def __init__(self, outcome: NodeOutcome) -> None:
        self.outcome = outcome
        self.record = pack(outcome.record)
        self.texts = _texts(outcome)
        self.parts = {name: pack(text) for name, text in self.texts.items()}
        self.vector = pack(vector_of(outcome, {name: part.sha256 for name, part in self.parts.items()}))


def _texts(outcome: NodeOutcome) -> dict[str, str]:
    if outcome.judgement is not None:
        return {HEALTH: outcome.judgement.verdict}
    return dict(outcome.facts.facets) if outcome.facts else {}


@dataclass(frozen=True, slots=True)
class Standing:
    """What held until now: since which run, and the digest and id of its document."""

    run: int
    sha256: str
    document: int


Before = dict[tuple[int, str], Standing]


def add_outcomes(database: Database, outcomes: Sequence[NodeOutcome], letters: Sequence[Addressed]) -> None:
    """Store the outcomes of one run: their records, what has changed since each node's last report, and in the outbox
    what is to be told of them.
    """
    additions = [_Addition(outcome) for outcome in outcomes]
    with database.writing() as connection:
        run, started = _running(connection, {outcome.run_id for outcome in outcomes})
        known = node_numbers(connection, [outcome.node_id for outcome in outcomes])
        numbers = [known[outcome.node_id] for outcome in outcomes]
        before = _standings(connection, numbers)
        moved = [
            (number, name, part)
            for number, addition in zip(numbers, additions, strict=True)
            for name, part in addition.parts.items()
            if (number, name) not in before or before[number, name].sha256 != part.sha256
        ]
        places = {(number, name) for number, name, _ in moved}
        stored = _put(connection, additions, [part for _, _, part in moved])
        rows = [
            {
                "run": run,
                "node": number,
                "at_s": round((addition.outcome.ts - started).total_seconds()),
                "vector": stored[addition.vector.sha256],
                "record": stored[addition.record.sha256],
            }
            for number, addition in zip(numbers, additions, strict=True)
        ]
        _add_visits(connection, rows, outcomes)
        _move(connection, run, moved, before, stored)
        _note_seen(connection, run, zip(numbers, additions, strict=True), places)
        note_contacts(connection, {number: one.outcome for number, one in zip(numbers, additions, strict=True)})
        identities = {
            number: addition.texts[IDENTITY]
            for number, addition in zip(numbers, additions, strict=True)
            if (number, IDENTITY) in places
        }
        if identities:
            note_identifiers(connection, identities)
        for number, addition in zip(numbers, additions, strict=True):
            if (number, HEALTH) in places and (number, HEALTH) in before:
                note_changes(connection, run, number, addition.outcome.record, before[number, HEALTH].sha256)
        put_events(connection, letters)


def _running(connection: Connection, run_ids: set[str]) -> tuple[int, Any]:
    """Number and start of the one run that all outcomes belong to."""
    query = select(runs.c.id, runs.c.started_at).where(runs.c.run_id.in_(run_ids), runs.c.state == RunState.RUNNING)
    found = connection.execute(query).all()
    if len(run_ids) != 1 or len(found) != 1:
        raise ValueError(f"{', '.join(sorted(run_ids))} is not a running run")
    return found[0].id, found[0].started_at


def _standings(connection: Connection, numbers: Iterable[int]) -> Before:
    query = (
        select(standings, documents.c.sha256)
        .join(documents, documents.c.id == standings.c.document)
        .where(standings.c.node.in_(numbers))
    )
    return {(row.node, row.part): Standing(row.run, row.sha256, row.document) for row in connection.execute(query)}


def _put(connection: Connection, additions: Sequence[_Addition], parts: Sequence[Packed]) -> dict[str, int]:
    """Store the documents that are not there yet; the ids of all, by digest."""
    wanted = [*parts, *(addition.vector for addition in additions), *(addition.record for addition in additions)]
    put_all(connection, wanted)
    return ids_of(connection, [each.sha256 for each in wanted])


def _add_visits(connection: Connection, rows: list[dict[str, Any]], outcomes: Sequence[NodeOutcome]) -> None:
    try:
        connection.execute(insert(visits), rows)
    except IntegrityError as error:
        names = ", ".join(outcome.node_id for outcome in outcomes)
        raise ValueError(f"the run already has a record of {names}, or of one of them") from error


def _move(
    connection: Connection, run: int, moved: Sequence[tuple[int, str, Packed]], before: Before, stored: dict[str, int]
) -> None:
    """What held is past, what was found holds."""
    past = [
        {"node": node, "part": name, "run": then.run, "until_run": run, "document": then.document}
        for node, name, _ in moved
        if (then := before.get((node, name))) is not None
    ]
    if past:
        connection.execute(insert(spans), past)
        connection.execute(
            delete(standings).where(_OF_PART), [{"of_node": row["node"], "of_part": row["part"]} for row in past]
        )
    now = [
        {"node": node, "part": name, "run": run, "seen": run, "document": stored[part.sha256]}
        for node, name, part in moved
    ]
    if now:
        connection.execute(insert(standings), now)


def _note_seen(
    connection: Connection, run: int, additions: Iterable[tuple[int, _Addition]], moved: set[tuple[int, str]]
) -> None:
    """Facets that are as they were have been seen again. Of health, every visit tells that by itself."""
    again = [
        {"of_node": node, "of_part": name}
        for node, addition in additions
        for name in addition.parts
        if name != HEALTH and (node, name) not in moved
    ]
    if again:
        connection.execute(update(standings).where(_OF_PART).values(seen=run), again)
