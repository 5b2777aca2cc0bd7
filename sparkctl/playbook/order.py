"""Steps in an order in which each comes after those that it needs."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


class StepCycle(ValueError):
    """Steps that wait for each other; the words name them."""


def in_order(ids: Sequence[str], needs: Mapping[str, Sequence[str]]) -> list[str]:
    """The ids as they were written, each moved behind those that it needs; raises StepCycle."""
    sorter: TopologicalSorter[str] = TopologicalSorter({name: needs.get(name, ()) for name in ids})
    try:
        sorter.prepare()
    except CycleError as error:
        raise StepCycle(" needs ".join(error.args[1][::-1])) from error
    place = {name: number for number, name in enumerate(ids)}
    found: list[str] = []
    ready = list(sorter.get_ready())
    while ready:
        ready.sort(key=place.__getitem__)
        found.append(ready.pop(0))
        sorter.done(found[-1])
        ready += sorter.get_ready()
    return found
