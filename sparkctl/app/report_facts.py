"""What nodes are, for the report of a fleet: facts in brief, gaps, ages, versions over the fleet, what changed.

One facet is read after the other, so that memory holds the documents of one at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sparkctl.app.bundle_facts import facts_of
from sparkctl.app.report_changes import FactChanges
from sparkctl.model.base import Word
from sparkctl.model.bundle_page import Fact
from sparkctl.model.facets.catalogue import FACETS
from sparkctl.model.facets.difference import Gaps
from sparkctl.model.facets.paths import from_text, to_text, values
from sparkctl.model.fleet_page import Distribution, LostFields, VersionOf
from sparkctl.model.node_page import PageGap
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import UnknownReason
from sparkctl.store.entries import Held
from sparkctl.store.store import Store

VERSIONS: tuple[tuple[str, str, str], ...] = (
    ("NVIDIA driver", "drivers", "nvidia.version"),
    ("Kernel that runs", "os", "kernel.running"),
    ("DGX OS", "os", "dgx.version"),
    ("CUDA", "drivers", "cuda_default"),
    ("BIOS", "firmware", "bios.version"),
    ("SoC firmware", "firmware", "smbios.FLASH.version"),
    ("Embedded controller", "firmware", "smbios[EC Firmware].version"),
    ("VBIOS", "firmware", "gpus.*.vbios"),
    ("ConnectX firmware", "firmware", "nics.*.version"),
    ("Drive firmware", "firmware", "drives.*"),
)
"""What people call it, the facet, and the field that says it."""
MOST_VALUES = 12
_WIDE = 120
NEVER = "never collected"


@dataclass
class FleetFacts:
    """What was collected of nodes, by node; `seen` is by facet and node, when it was seen last."""

    makes: dict[str, str] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    gaps: dict[str, list[PageGap]] = field(default_factory=dict)
    seen: dict[str, dict[str, datetime]] = field(default_factory=dict)
    changes: FactChanges = field(default_factory=FactChanges)
    versions: list[Distribution] = field(default_factory=list)
    unread: list[LostFields] = field(default_factory=list)

    def oldest(self, node: str) -> datetime | None:
        """When the facet was seen that was seen longest ago."""
        return min((seen[node] for seen in self.seen.values() if node in seen), default=None)

    def never_collected(self, node: str) -> list[str]:
        """The facets that nobody ever read of a node; none are named where that holds of all."""
        missing = [facet for facet in FACETS if node not in self.seen.get(facet, {})]
        return [] if len(missing) == len(FACETS) else missing


def fleet_facts(store: Store, names: Sequence[str], since: datetime) -> FleetFacts:
    """What is stored of the named nodes; changes are told from `since` on."""
    found, wanted = FleetFacts(), frozenset(names)
    lost: dict[tuple[str, UnknownReason], list[str]] = {}
    values_of: dict[str, dict[str, tuple[str | None, str | None]]] = {title: {} for title, _, _ in VERSIONS}
    for facet in FACETS:
        held = store.held(facet)
        found.seen[facet] = {node: at for each in held for node, at in each.seen.items() if node in wanted}
        for each in held:
            here = [node for node in each.since if node in wanted]
            if here:
                _take(found, facet, each, here)
                _take_versions(values_of, facet, each.document, here)
                for gap in _gaps(facet, each.document):
                    lost.setdefault((f"{gap.facet}.{gap.field}".rstrip("."), gap.reason), []).extend(here)
        found.changes.read(store, facet, [(each.document, _only(each.since, wanted)) for each in held], since)
    for title, part, _ in VERSIONS:
        found.versions.append(_distribution(title, part, values_of[title], names, found.makes))
    place = {node: at for at, node in enumerate(names)}
    found.unread = [
        LostFields(field=printable(name), reason=reason, nodes=sorted(nodes, key=place.__getitem__))
        for (name, reason), nodes in sorted(lost.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return found


def _only(since: Mapping[str, datetime], wanted: frozenset[str]) -> dict[str, datetime]:
    return {node: at for node, at in since.items() if node in wanted}


def _take(found: FleetFacts, facet: str, each: Held, here: Iterable[str]) -> None:
    """Note the facts and gaps of one document; nodes that are alike share them."""
    data = each.document.get("data")
    facts, gaps = list(facts_of(facet, data)), _gaps(facet, each.document)
    make = _text(values(from_text("smbios.sys_vendor"), data or {})) if facet == "identity" else None
    for node in here:
        if facts:
            found.facts.setdefault(node, []).extend(facts)
        if gaps:
            found.gaps.setdefault(node, []).extend(gaps)
        if make:
            found.makes[node] = make


def _gaps(facet: str, document: Mapping[str, Any]) -> list[PageGap]:
    return [
        PageGap(facet=facet, field=printable(to_text(path)), reason=UnknownReason(why))
        for path, why in Gaps(document).reasons.items()
    ]


def _take_versions(
    values_of: dict[str, dict[str, tuple[str | None, str | None]]],
    facet: str,
    document: Mapping[str, Any],
    here: Iterable[str],
) -> None:
    """Note the value of each field of this facet, or why there is none."""
    gaps = Gaps(document)
    for title, part, name in VERSIONS:
        if part != facet:
            continue
        path = from_text(name)
        value = _text(values(path, document.get("data") or {}))
        gap = gaps.at(path) if value is None else None
        why = None if value is not None else f"could not be read: {gap}" if gap else "nothing there"
        values_of[title].update(dict.fromkeys(here, (value, why)))


def _text(found: Iterable[Any]) -> Word | None:
    words = dict.fromkeys(str(value) for value in found if value is not None)
    return printable(", ".join(words), _WIDE) if words else None


def _distribution(
    title: str,
    part: str,
    value_of: Mapping[str, tuple[str | None, str | None]],
    names: Sequence[str],
    makes: Mapping[str, str],
) -> Distribution:
    folded: dict[tuple[str | None, str | None], list[str]] = {}
    for node in names:
        folded.setdefault(value_of.get(node, (None, NEVER)), []).append(node)
    ranked = sorted(folded.items(), key=lambda item: (item[0][0] is None, -len(item[1]), item[0][0] or ""))
    values_kept, rest = ranked[:MOST_VALUES], ranked[MOST_VALUES:]
    return Distribution(
        title=title,
        part=part,
        values=[
            VersionOf(
                value=value,
                why=why,
                nodes=nodes,
                makes=sorted({makes[node] for node in nodes if node in makes}),
            )
            for (value, why), nodes in values_kept
        ],
        left_out=sum(len(nodes) for _, nodes in rest),
    )
