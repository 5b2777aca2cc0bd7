"""Nodes by number: the store says the name of a node once."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from sparkctl.store.database import chunks
from sparkctl.store.schema import nodes


def node_numbers(connection: Connection, node_ids: Sequence[str]) -> dict[str, int]:
    """The numbers that stand for nodes; a node that was never seen gets one."""
    known = _known(connection, node_ids)
    if new := [{"node_id": node_id} for node_id in dict.fromkeys(node_ids) if node_id not in known]:
        connection.execute(insert(nodes), new)
        known |= _known(connection, [row["node_id"] for row in new])
    return known


def _known(connection: Connection, node_ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(node_ids):
        query = select(nodes.c.node_id, nodes.c.id).where(nodes.c.node_id.in_(chunk))
        found |= {row.node_id: row.id for row in connection.execute(query)}
    return found
