"""Which sinks get an event."""

from collections.abc import Collection
from datetime import datetime

from sparkctl.errors import UsageError
from sparkctl.inventory.selector import select
from sparkctl.model.event import Addressed, Told
from sparkctl.model.inventory import Fleet
from sparkctl.model.sink import Only, SinkPlan


class Routes:
    """The choices of all sinks of a file, over one fleet."""

    def __init__(self, plan: SinkPlan, fleet: Fleet) -> None:
        """Raises UsageError, with file and key, for a selector that selects nobody."""
        self._only = {name: sink.only for name, sink in plan.sinks.items()}
        self._nodes = {
            name: nodes_of(only.selector, fleet, f"{plan.file}: sinks.{name}.only.selector")
            for name, only in self._only.items()
            if only.selector is not None
        }

    def address(self, told: Told, now: datetime, nodes: Collection[str] = ()) -> list[Addressed]:
        """The event for the sinks that want it, or nothing; `nodes` are those it is of, where they are several."""
        of = {told.node_id, *nodes}
        names = tuple(name for name, only in self._only.items() if self._wants(name, only, told, of))
        return [Addressed(told, names, now)] if names else []

    def _wants(self, name: str, only: Only, told: Told, of: Collection[str | None]) -> bool:
        if told.kind not in only.kinds or told.severity.rank < only.min_severity.rank:
            return False
        # What is of no node in particular may tell of others than those that the sink is meant to hear of.
        return name not in self._nodes or not self._nodes[name].isdisjoint(of)


def nodes_of(selector: str, fleet: Fleet, where: str) -> frozenset[str]:
    """The nodes that a selector names; raises UsageError that says where it stands."""
    try:
        return frozenset(node.node_id for node in select(fleet, selector))
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from error
