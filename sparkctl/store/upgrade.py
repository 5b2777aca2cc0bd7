"""A store of an older version, brought to ours: what is new in it is filled from what it has."""

from sqlalchemy import Connection, insert, select, update

from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.identifiers import IDENTITY, note_identifiers
from sparkctl.store.schema import (
    SCHEMA_VERSION,
    alert_changes,
    alert_mutes,
    alert_runs,
    alerts,
    approvals,
    checkpoints,
    contacts,
    documents,
    events,
    identifiers,
    journal,
    ledger,
    meta,
    node_fences,
    outbox,
    playbook_runs,
    runs,
    sinks,
    spans,
    standings,
)

_PAGE = 500


def upgrade(connection: Connection, found: int) -> None:
    """Bring a store of version `found` to ours, one version after another."""
    for version, step in ((6, _to_6), (7, _to_7), (8, _to_8)):
        if found < version:
            step(connection)
    connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION)))


def _to_6(connection: Connection) -> None:
    """Know whose each identifier is, and which boots a node answered in."""
    identifiers.create(connection)
    contacts.create(connection)
    query = (
        select(standings.c.node, *COLUMNS)
        .join(documents, documents.c.id == standings.c.document)
        .where(standings.c.part == IDENTITY)
    )
    for page in connection.execute(query).partitions(_PAGE):
        note_identifiers(connection, {node: unpack(*stored) for node, *stored in page})


def _to_7(connection: Connection) -> None:
    """Have alerts, which begin with the next run as what is long ago is no news, and room for what is to be sent."""
    for table in (alerts, alert_changes, alert_mutes, alert_runs, events, outbox, sinks):
        table.create(connection)
    for index in spans.indexes:
        index.create(connection)
    connection.execute(insert(alert_runs).from_select(["run"], select(runs.c.id)))


def _to_8(connection: Connection) -> None:
    """Have room for runs of playbooks and for the book of custody."""
    for table in (playbook_runs, journal, approvals, node_fences, ledger, checkpoints):
        table.create(connection)
