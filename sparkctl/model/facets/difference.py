"""What is different between two documents of one facet, and what cannot be told because a side could not be read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sparkctl.model.facets.paths import ANY, Path, covers, from_text


class Kind(StrEnum):
    """How a field differs: its value, that it is there at all, or whether it could be read."""

    CHANGED = "changed"
    APPEARED = "appeared"
    DISAPPEARED = "disappeared"
    UNREADABLE = "unreadable"
    READABLE = "readable"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, or all below it where it is there on one side only.

    `before` and `after` are JSON values, None where there is nothing; of an unreadable field `after` is the reason.
    """

    path: Path
    kind: Kind
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Compare two documents `{"data": ..., "gaps": {PATH: REASON}}` of one facet, field by field.

    What could not be read on one of the sides is no change of value: it is told as unreadable, or readable again.
    """
    old, new = Gaps(before), Gaps(after)
    hidden = Gaps({"gaps": {**before.get("gaps", {}), **after.get("gaps", {})}})
    found = [
        difference
        for difference in _below((), pruned(before.get("data")), pruned(after.get("data")), hidden)
        if hidden.at(difference.path) is None
    ]
    found += [Difference(gap, Kind.UNREADABLE, None, why) for gap, why in new.reasons.items() if gap not in old.reasons]
    found += [Difference(gap, Kind.READABLE, None, None) for gap in old.reasons if gap not in new.reasons]
    return sorted(found, key=lambda difference: difference.path)


def value_at(document: Mapping[str, Any], path: Path) -> Any:
    """The value of a field in a facet document, None where there is nothing."""
    value = document.get("data")
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


class Gaps:
    """The gaps of a facet document, to be asked about many fields."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.reasons: dict[Path, str] = {from_text(path): why for path, why in document.get("gaps", {}).items()}
        self._patterns = {gap: why for gap, why in self.reasons.items() if ANY in gap}
        self._above = {gap[:depth] for gap in self.reasons for depth in range(len(gap) + 1)}

    def at(self, path: Path) -> str | None:
        """Why a field could not be read, None where it could."""
        for depth in range(len(path) + 1):
            if (why := self.reasons.get(path[:depth])) is not None:
                return why
        return next((why for gap, why in self._patterns.items() if covers(gap, path)), None)

    def below(self, path: Path) -> bool:
        """Whether something in a field, or all of it, could not be read."""
        return path in self._above or any(covers(gap[: len(path)], path) for gap in self._patterns)


def leaves(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field of a facet's data that is not a map and holds something."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from leaves(value, (*path, name))
    elif data not in (None, []):
        yield path, data


def pruned(data: Any, ignored: Sequence[Path] = (), path: Path = ()) -> dict[str, Any]:
    """A facet's data without what the patterns cover, and without members that hold nothing."""
    kept = {}
    for name, value in (data or {}).items():
        here = (*path, name)
        member = pruned(value, ignored, here) if isinstance(value, Mapping) else value
        if member not in (None, {}, []) and not any(covers(pattern, here) for pattern in ignored):
            kept[name] = member
    return kept


def _below(path: Path, before: Mapping[str, Any], after: Mapping[str, Any], hidden: Gaps) -> Iterator[Difference]:
    for name in before.keys() | after.keys():
        yield from _walk((*path, name), before.get(name), after.get(name), hidden)


def _walk(path: Path, before: Any, after: Any, hidden: Gaps) -> Iterator[Difference]:
    maps = isinstance(before, Mapping) + isinstance(after, Mapping)
    # Of a map that is there on one side only, one word is enough, unless part of it may be there and was not seen.
    if maps == 2 or (maps and (before is None or after is None) and hidden.below(path)):
        yield from _below(path, before or {}, after or {}, hidden)
    elif before is None and after is not None:
        yield Difference(path, Kind.APPEARED, None, after)
    elif before is not None and after is None:
        yield Difference(path, Kind.DISAPPEARED, before, None)
    elif not equal(before, after):
        yield Difference(path, Kind.CHANGED, before, after)


def equal(before: Any, after: Any) -> bool:
    """Whether two values are the same: 32 is 32.0, but true is not 1, and nothing is nothing however it is written."""
    before, after = (pruned(each) or None if isinstance(each, Mapping) else each for each in (before, after))
    before, after = (None if each == [] else each for each in (before, after))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after))
    return bool(before == after) and (numbers or type(before) is type(after))
