"""Make a baseline of what a node is, or of what most nodes of a group are."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any

from sparkctl.app.baseline_file import BASELINE_NAME, read_baseline, write_baseline
from sparkctl.app.facts import chosen_facets
from sparkctl.app.places import Places
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.ranges import fold
from sparkctl.inventory.selector import select
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.baseline import Baseline
from sparkctl.model.canonical import canonical_json
from sparkctl.model.facets.catalogue import FACETS
from sparkctl.model.facets.difference import Gaps, leaves, value_at
from sparkctl.model.facets.individual import INDIVIDUAL, PASSING
from sparkctl.model.facets.paths import Path, covers, from_text, to_text
from sparkctl.store.entries import Held
from sparkctl.store.location import make_state_dir
from sparkctl.store.store import Store

_LEFT_OUT = [from_text(pattern) for pattern in (*INDIVIDUAL, *PASSING)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asked for: where the baseline goes, the one of three sources it comes from, what is in it, and
    the key to sign it with.
    """

    path: FilePath | None
    node: str | None
    majority: str | None
    source: FilePath | None
    facets: tuple[str, ...]
    key: FilePath | None


@dataclass(frozen=True, slots=True)
class Made:
    """What was written; `undecided` are fields that are left out because no value has a majority, or
    because they could not be read."""

    path: FilePath
    made_from: str
    facets: list[str]
    fields: int
    undecided: list[str]
    signature: FilePath | None


def set_baseline(places: Places, wanted: Wanted) -> Made:
    """Write a baseline, and sign it where a key is given; raises UsageError, with nothing written."""
    if [wanted.node, wanted.majority, wanted.source].count(None) != 2:
        raise UsageError("a baseline is made of one thing", hint="give one of --node, --majority and --from")
    facets = chosen_facets(wanted.facets or [name for name in FACETS if name != "identity"], [])
    undecided: list[str] = []
    if wanted.source:
        found = read_baseline(wanted.source).baseline
        kept = {name: data for name, data in found.facets.items() if not wanted.facets or name in wanted.facets}
        if not kept:
            raise UsageError(f"{wanted.source} expects nothing of {', '.join(wanted.facets)}")
        baseline = found.model_copy(update={"facets": kept})
    elif wanted.node:
        baseline, undecided = _of_node(places, wanted.node, facets)
    else:
        baseline, undecided = _of_group(places, wanted.majority or "all", facets)
    if wanted.path is None:
        make_state_dir(places.state)
    path = wanted.path or places.state / BASELINE_NAME
    signature = write_baseline(baseline, path, wanted.key)
    return Made(
        path=path,
        made_from=baseline.made_from,
        facets=list(baseline.facets),
        fields=sum(1 for data in baseline.facets.values() for _ in leaves(data)),
        undecided=undecided,
        signature=signature,
    )


def _of_node(places: Places, node_id: str, facets: Collection[str]) -> tuple[Baseline, list[str]]:
    with Store.open(places.state, create=False) as store:
        found = {facet: [held for held in store.held(facet) if node_id in held.since] for facet in facets}
    return _made(f"node {node_id}", {facet: held for facet, held in found.items() if held}, {node_id})


def _of_group(places: Places, selector: str, facets: Collection[str]) -> tuple[Baseline, list[str]]:
    wanted = {node.node_id for node in select(load_fleet(places.fleet), selector)}
    with Store.open(places.state, create=False) as store:
        found = {facet: [held for held in store.held(facet) if wanted & held.since.keys()] for facet in facets}
    return _made(f"most of {fold(wanted)}", {facet: held for facet, held in found.items() if held}, wanted)


def _made(source: str, found: Mapping[str, list[Held]], wanted: Collection[str]) -> tuple[Baseline, list[str]]:
    if not found:
        raise UsageError(f"no facts of {source} are in the store", hint="collect them with: sparkctl collect")
    data: dict[str, dict[str, Any]] = {}
    undecided: list[str] = []
    for facet, held in found.items():
        data[facet], without = _majority(facet, held, wanted)
        undecided += without
    ignore = [to_text(pattern) for pattern in _LEFT_OUT if pattern[0] in data]
    made_at = datetime.now(UTC).replace(microsecond=0)
    baseline = Baseline(made_at=made_at, made_from=source[:MAX_TEXT], facets=data, ignore=[*ignore, *undecided])
    return baseline, undecided


def _majority(facet: str, held: Iterable[Held], wanted: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """The data that most nodes agree on, and the fields on which they do not."""
    documents = [(each.document, Gaps(each.document), len(wanted & each.since.keys())) for each in held]
    fields = {path for document, _, _ in documents for path, _ in leaves(document.get("data")) if path}
    decided: dict[str, Any] = {}
    undecided: list[str] = []
    for path in sorted(fields):
        if any(covers(pattern, (facet, *path)) for pattern in _LEFT_OUT):
            continue
        known, value = _most_frequent(path, documents)
        if not known:
            undecided.append(to_text((facet, *path)))
        elif value is not None:
            _put(decided, path, value)
    hidden = {gap for _, gaps, _ in documents for gap in gaps.reasons}
    unread = [gap for gap in hidden if value_at({"data": decided}, gap) is None]
    # What could not be read now is not expected to be absent later.
    return decided, [*undecided, *sorted(to_text((facet, *gap)) for gap in unread)]


def _most_frequent(path: Path, documents: Iterable[tuple[Mapping[str, Any], Gaps, int]]) -> tuple[bool, Any]:
    """Whether more than half of the nodes that could read a field agree on it, and on what."""
    votes: Counter[bytes] = Counter()
    values: dict[bytes, Any] = {}
    for document, gaps, nodes in documents:
        if gaps.at(path) is None:
            value = value_at(document, path)
            key = canonical_json(value)
            values[key] = value
            votes[key] += nodes
    if not votes:
        return False, None
    key, most = votes.most_common(1)[0]
    return most * 2 > votes.total(), values[key]


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    *above, last = path
    for name in above:
        data = data.setdefault(name, {})
    data[last] = value
