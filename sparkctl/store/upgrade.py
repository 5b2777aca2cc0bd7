"""A store of an older version, brought to ours: what is new in it is filled from what it has."""

from sqlalchemy import Connection, select, update

from sparkctl.store.documents import COLUMNS, unpack
from sparkctl.store.identifiers import IDENTITY, note_identifiers
from sparkctl.store.schema import SCHEMA_VERSION, contacts, documents, identifiers, meta, standings

_PAGE = 500


def upgrade(connection: Connection) -> None:
    """Bring version 5 to version 6, which knows whose each identifier is, and which boots a node answered in."""
    identifiers.create(connection)
    contacts.create(connection)
    query = (
        select(standings.c.node, *COLUMNS)
        .join(documents, documents.c.id == standings.c.document)
        .where(standings.c.part == IDENTITY)
    )
    for page in connection.execute(query).partitions(_PAGE):
        note_identifiers(connection, {node: unpack(*stored) for node, *stored in page})
    connection.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION)))
