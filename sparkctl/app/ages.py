"""How old facts are, and on which nodes they are too old to judge by."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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
