"""Who is treated when: nodes in waves, cabled units whole, control nodes last."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sparkctl.model.inventory import Node
from sparkctl.model.plan import Wave
from sparkctl.model.playbook import WaveRule

_SIZE = re.compile(r"([1-9][0-9]{0,4})(%?)")


def size_of(word: str, total: int) -> int:
    """How many nodes a size such as `5` or `10%` means of `total`, one at least; raises ValueError for any other."""
    match = _SIZE.fullmatch(word)
    if match is None or (match[2] and int(match[1]) > 100):
        raise ValueError("must be a number of nodes such as 5, or a share such as 10%, and more than nothing")
    return max(1, math.ceil(total * int(match[1]) / 100)) if match[2] else int(match[1])


@dataclass(frozen=True, slots=True)
class Division:
    """Nodes in waves, and the ids of those that stay untouched until all others are done."""

    waves: list[Wave]
    control: list[str]


def split_units(selected: Sequence[Node], fleet: Sequence[Node]) -> dict[str, list[str]]:
    """The units of which some nodes are selected and others are not: by unit, the nodes that are missing."""
    chosen = {node.node_id for node in selected}
    units = {node.unit for node in selected if node.unit is not None}
    missing: dict[str, list[str]] = {}
    for node in fleet:
        if node.unit in units and node.node_id not in chosen and node.unit is not None:
            missing.setdefault(node.unit, []).append(node.node_id)
    return missing


def divide(nodes: Sequence[Node], rule: WaveRule, *, whole_units: bool = True) -> Division:
    """Waves of about the sizes of the rule, whose last size repeats. A unit is in one wave, which may grow by that.

    The first wave is the canary. Control nodes are the last units of the selection, as many as the rule wants, and
    never all of it. Racks are mixed as the inventory has them, so that a canary is one node and not one rack.
    """
    groups = _groups(nodes, whole_units=whole_units)
    control = _control(groups, rule.control)
    left = groups[: len(groups) - len(control)]
    waves: list[list[str]] = []
    while left:
        size = size_of(rule.sizes[min(len(waves), len(rule.sizes) - 1)], len(nodes))
        wave: list[str] = []
        while left and len(wave) < size:
            wave += left.pop(0)
        waves.append(wave)
    if control:
        waves.append([name for group in control for name in group])
    made = [Wave(number=number, node_ids=names) for number, names in enumerate(waves, 1)]
    return Division(made, [name for group in control for name in group])


def _groups(nodes: Sequence[Node], *, whole_units: bool) -> list[list[str]]:
    """Units, and single nodes, in the order of the inventory."""
    groups: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        unit = node.unit if whole_units else None
        groups.setdefault(("node", node.node_id) if unit is None else ("unit", unit), []).append(node.node_id)
    return list(groups.values())


def _control(groups: list[list[str]], wanted: int) -> list[list[str]]:
    taken: list[list[str]] = []
    while len(taken) + 1 < len(groups) and sum(map(len, taken)) < wanted:
        taken.insert(0, groups[-1 - len(taken)])
    return taken
