"""What is known of one node now: what every export and every page of a node is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.health import HealthData
from sparkctl.model.inventory import Node
from sparkctl.model.reset import ResetData, ResetEnvelope
from sparkctl.model.run import RunRecord


@dataclass(frozen=True, slots=True)
class KnownFacet:
    """A facet of a node: since when it is so, when it was seen last, and its document."""

    since: datetime
    seen: datetime
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """A node of the inventory with the newest that is stored of it; what was never asked, or never answered, is absent.

    `last` is the newest visit of any kind, answered or not. `health` and `reset` are the newest ones of their kind that
    the node answered: they may be older than `last`, and only their `ts` says how old. A facet has moments of its own.
    """

    node: Node
    last: RunRecord | None
    health: RunRecord | None
    reset: RunRecord | None
    facets: Mapping[str, KnownFacet]

    @property
    def health_data(self) -> HealthData | None:
        """The newest findings."""
        envelope = self.health.envelope if self.health else None
        return envelope.data if isinstance(envelope, HealthEnvelope) else None

    @property
    def reset_data(self) -> ResetData | None:
        """How the last boots ended, as last reported."""
        envelope = self.reset.envelope if self.reset else None
        return envelope.data if isinstance(envelope, ResetEnvelope) else None

    def fact(self, facet: str) -> Mapping[str, Any]:
        """The data of a facet, empty when it was never collected; what is a gap there is absent or null."""
        known = self.facets.get(facet)
        data = known.document.get("data") if known else None
        return data if isinstance(data, Mapping) else {}
