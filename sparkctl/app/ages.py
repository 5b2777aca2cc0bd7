"""How old facts are, and on which nodes they are too old to judge by."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sparkctl.model.standing import NodeStanding
from sparkctl.store.entries import Held


@dataclass(frozen=True, slots=True)
class Ages:
    """When the oldest facts were seen last, and the nodes on which some were seen longer ago than `max_age_s`."""

    oldest: datetime | None
    stale: frozenset[str]
    max_age_s: int | None


def ages_of(held: Iterable[Held], wanted: Collection[str], max_age: timedelta | None) -> Ages:
    """The ages of what is held of the wanted nodes; without `max_age` nothing is stale."""
    seen = [(node, moment) for each in held for node, moment in each.seen.items() if node in wanted]
    oldest = min((moment for _, moment in seen), default=None)
    if max_age is None:
        return Ages(oldest, frozenset(), None)
    limit = datetime.now(UTC) - max_age
    return Ages(oldest, frozenset(node for node, moment in seen if moment < limit), round(max_age.total_seconds()))


def fresh(standing: NodeStanding, at: datetime, max_age: timedelta | None) -> tuple[NodeStanding, tuple[str, ...]]:
    """What is known of a node without what was seen longer before `at` than `max_age`, and the names of that.

    The newest visit stays, whatever its age: that it was long ago is what it says.
    """
    if max_age is None:
        return standing, ()
    limit = at - max_age
    facets = {name: known for name, known in standing.facets.items() if known.seen >= limit}
    health = standing.health if standing.health and standing.health.ts >= limit else None
    reset = standing.reset if standing.reset and standing.reset.ts >= limit else None
    gone = [*([] if health is standing.health else ["health"]), *([] if reset is standing.reset else ["reset"])]
    stale = (*gone, *(name for name in standing.facets if name not in facets))
    return replace(standing, facets=facets, health=health, reset=reset), stale
