"""What should be one machine's alone: whose each such value is now, by the identity that holds.

Kept apart, lest clones be looked for in a document of every node.
"""

from collections.abc import Mapping

from pydantic_core import from_json
from sqlalchemy import Connection, delete, insert

from sparkctl.model.facets.individual import UNIQUE
from sparkctl.model.facets.paths import from_text, values
from sparkctl.store.schema import identifiers

IDENTITY = "identity"
"""The part of a node, a facet, that all these values are of."""


def note_identifiers(connection: Connection, found: Mapping[int, str | bytes]) -> None:
    """Let the values in the identity documents of some nodes be theirs, and no others; `found` is by node."""
    connection.execute(delete(identifiers).where(identifiers.c.node.in_(found)))
    rows = [
        {"field": field, "value": value, "node": node}
        for node, document in found.items()
        for field, value in identifiers_in(document)
    ]
    if rows:
        connection.execute(insert(identifiers), rows)


def identifiers_in(document: str | bytes) -> set[tuple[str, str]]:
    """The values in an identity document, each with the pattern of `UNIQUE` that it stands under, wherever."""
    data = from_json(document)["data"]
    return {(field, value) for field in UNIQUE for value in values(from_text(field)[1:], data)}
