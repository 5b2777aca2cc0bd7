"""The facts document: what a node is, facet by facet."""

from sparkctl.model.base import Record
from sparkctl.model.envelope import Envelope
from sparkctl.model.facets.catalogue import Facets


class FactsData(Record):
    """The facets that were asked for."""

    facets: Facets


class FactsEnvelope(Envelope[FactsData]):
    """The envelope of `spark_diagctl collect`."""
