"""All facets by name."""

from sparkctl.model.base import Record
from sparkctl.model.facets.base import Facet
from sparkctl.model.facets.identity import Identity, IdentityVolatile


class Facets(Record):
    """The facets of one node; one that was not asked for is null."""

    identity: Facet[Identity, IdentityVolatile] | None = None


FACETS: tuple[str, ...] = tuple(Facets.model_fields)
"""The names of all facets."""
