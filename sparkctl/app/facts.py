"""What is known of nodes: the facts that hold, and how they came to."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.problems import nearest
from sparkctl.inventory.selector import select
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.catalogue import FACETS
from sparkctl.model.facets.difference import Difference, Gaps, differences, value_at
from sparkctl.model.facets.fields import UnknownField, type_at
from sparkctl.model.facets.paths import Path, from_text
from sparkctl.model.standing import KnownFacet
from sparkctl.store.entries import FacetSpan, Held
from sparkctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of one node that hold. `collected_at` is when the oldest of them was seen last."""

    node_id: str
    collected_at: datetime | None
    facets: Mapping[str, KnownFacet]


@dataclass(frozen=True, slots=True)
class Step:
    """What changed of a facet of a node, and when that was first seen; `first`: the facet had not been read before."""

    facet: str
    at: datetime
    run_id: str
    first: bool
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class Condition:
    """A field that must have a value, as text; `*` in the value stands for anything."""

    path: Path
    value: str

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """`FIELD=VALUE`; raises UsageError."""
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                f"{text!r} is no condition", hint="write FIELD=VALUE, such as drivers.nvidia.version=580.*"
            )
        return cls(field_path(name), value)

    def holds(self, document: Mapping[str, Any]) -> bool:
        """Whether a document of the facet meets it."""
        found = value_at(document, self.path[1:])
        texts = found if isinstance(found, list) else [found]
        return any(_matches(_as_text(each), self.value) for each in texts if each is not None)


def field_path(text: str) -> Path:
    """The names in a path that some facet has; raises UsageError."""
    try:
        path = from_text(text)
        type_at(path)
    except ValueError as error:
        raise UsageError(str(error), hint="a field is named like drivers.nvidia.version") from error
    except UnknownField as error:
        close = nearest(error.name, error.known) or error.known
        raise UsageError(f"{text}: {error}", hint=f"known there: {', '.join(close)}" if close else None) from error
    return path


def chosen_facets(names: Collection[str], fields: Collection[Path]) -> list[str]:
    """The facets that were named, or those of the fields, or all; raises UsageError for a name that is none."""
    if unknown := sorted(set(names) - set(FACETS)):
        raise UsageError(f"there is no facet {unknown[0]!r}", hint=f"the facets are: {', '.join(FACETS)}")
    return list(dict.fromkeys(names or [path[0] for path in fields] or FACETS))


def known_facts(
    places: Places,
    selector: str,
    facets: Collection[str],
    conditions: Collection[Condition],
    *,
    ages_of_many: bool = False,
) -> list[Known]:
    """What holds of the selected nodes that meet all conditions, by name; nodes never collected have no facets.

    With `ages_of_many` the facets are read of a single node only, and of several nothing but when they were collected.
    """
    selected = [node.node_id for node in select(load_fleet(places.fleet), selector)]
    with Store.open(places.state, create=False) as store:
        held = {facet: store.held(facet) for facet in dict.fromkeys(condition.path[0] for condition in conditions)}
        found: dict[str, dict[str, KnownFacet]] = {node_id: {} for node_id in _meeting(selected, held, conditions)}
        read = () if ages_of_many and len(found) != 1 else facets
        for facet in read:
            for each in held[facet] if facet in held else store.held(facet):
                for node_id in each.since.keys() & found.keys():
                    found[node_id][facet] = KnownFacet(each.since[node_id], each.seen[node_id], each.document)
        ages = {} if read else store.oldest_facts()
    for node_id, known in found.items():
        if known:
            ages[node_id] = min(facet.seen for facet in known.values())
    return [Known(node_id, ages.get(node_id), known) for node_id, known in found.items()]


def _meeting(
    selected: Collection[str], held: Mapping[str, Collection[Held]], conditions: Collection[Condition]
) -> list[str]:
    """The selected nodes whose facets meet all conditions, in the order of the selection."""
    meeting = [
        {node_id for each in held[condition.path[0]] if condition.holds(each.document) for node_id in each.since}
        for condition in conditions
    ]
    return [node_id for node_id in selected if all(node_id in nodes for nodes in meeting)]


def steps(places: Places, node_id: str, facet: str) -> list[Step]:
    """Every change of a facet of a node, oldest first; raises UsageError when it was never read."""
    chosen_facets([facet], [])
    with Store.open(places.state, create=False) as store:
        spans = store.spans(node_id, facet)
    if not spans:
        raise UsageError(
            f"the store in {places.state} has no {facet} of a node {node_id!r}",
            hint="names are exact; collect it with: sparkctl collect NODE",
        )
    return list(_steps(facet, spans))


def _steps(facet: str, spans: list[FacetSpan]) -> Iterator[Step]:
    for before, span in zip([None, *spans], spans, strict=False):
        found = differences(before.document, span.document) if before else []
        yield Step(facet, span.since, span.run_id, before is None, found)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value of a field and the nodes that have it; `why` says why there is none."""

    value: Any
    why: str | None
    nodes: list[str]


def fold_values(known: Collection[Known], path: Path) -> list[FieldValue]:
    """The values of one field, the most frequent first; apart, nodes with none, by why."""
    values: dict[bytes, FieldValue] = {}
    of_document: dict[int, FieldValue] = {}  # many nodes have the same one
    for each in known:
        facet = each.facets.get(path[0])
        document = facet.document if facet else None
        if id(document) not in of_document:
            value, why = _value_of(document, path)
            of_document[id(document)] = values.setdefault(canonical_json([value, why]), FieldValue(value, why, []))
        of_document[id(document)].nodes.append(each.node_id)
    return sorted(values.values(), key=lambda one: (one.why is not None, -len(one.nodes)))


def _value_of(document: Mapping[str, Any] | None, path: Path) -> tuple[Any, str | None]:
    if document is None:
        return None, "never collected"
    if (gap := Gaps(document).at(path[1:])) is not None:
        return None, f"could not be read: {gap}"
    value = value_at(document, path[1:])
    return value, "nothing there" if value is None else None


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _matches(text: str, wanted: str) -> bool:
    """Whether a text is the wanted one, in which `*` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), text) is not None
