"""The ledger of contacts: in which boots a node answered, and what each had armed."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, bindparam, insert, select, update

from sparkctl.model.contacts import Contacts
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.witnesses import Witnesses
from sparkctl.store.database import Database, chunks
from sparkctl.store.schema import contacts, nodes

_OF_BOOT = (contacts.c.node == bindparam("of_node")) & (contacts.c.boot_id == bindparam("of_boot"))


def note_contacts(connection: Connection, outcomes: Mapping[int, NodeOutcome]) -> None:
    """Enter visits that were answered; `outcomes` are by the number of the node."""
    answered = {number: outcome for number, outcome in outcomes.items() if outcome.boot_id is not None}
    query = select(contacts.c.node, contacts.c.boot_id).where(contacts.c.node.in_(answered))
    known = {(row.node, row.boot_id) for row in connection.execute(query)}
    new: list[dict[str, object]] = []
    again: list[dict[str, object]] = []
    told: list[dict[str, object]] = []
    for number, outcome in answered.items():
        place: dict[str, object] = {"node": number, "boot_id": outcome.boot_id}
        if (number, outcome.boot_id) not in known:
            new.append({**place, "first_at": outcome.ts, "last_at": outcome.ts, "witnesses": outcome.witnesses})
            continue
        row: dict[str, object] = {"of_node": number, "of_boot": outcome.boot_id, "at": outcome.ts}
        row["said"] = outcome.witnesses
        (again if outcome.witnesses is None else told).append(row)
    if new:
        connection.execute(insert(contacts), new)
    if again:  # a visit that did not ask for them leaves the witnesses as they were
        connection.execute(update(contacts).where(_OF_BOOT).values(last_at=bindparam("at")), again)
    if told:
        both = update(contacts).where(_OF_BOOT).values(last_at=bindparam("at"), witnesses=bindparam("said"))
        connection.execute(both, told)


def contacts_of(database: Database, node_ids: Collection[str]) -> Iterator[tuple[str, Contacts]]:
    """The contacts with each boot of some nodes, the newest boot last."""
    query = (
        select(nodes.c.node_id, contacts.c.boot_id, contacts.c.first_at, contacts.c.last_at, contacts.c.witnesses)
        .join(nodes, nodes.c.id == contacts.c.node)
        .order_by(contacts.c.first_at)
    )
    with database.reading() as connection:
        rows = [
            row
            for wanted in chunks(list(node_ids))
            for row in connection.execute(query.where(nodes.c.node_id.in_(wanted)))
        ]
    for node_id, boot_id, first_at, last_at, said in rows:
        witnesses = None if said is None else Witnesses.model_validate_json(said)
        yield node_id, Contacts(boot_id, first_at, last_at, witnesses)
