"""When enough is enough: budgets of nodes that did not come out well, and whether a wave is good enough to go on."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sparkctl.model.vocabulary import Status
from sparkctl.playbook.state import RunState

Statuses = Mapping[str, Status]
"""The status of each check of one node."""


def over_budget(state: RunState) -> str | None:
    """Why the run must stop, in words; None while it need not. Failed, unreachable and unknown count alike."""
    budget = state.plan.budget
    bad, total = state.bad_nodes(state.wave), state.bad_nodes()
    if len(bad) > budget.wave:
        return _words(len(bad), budget.wave, f"in wave {state.wave}")
    return _words(len(total), budget.total, "in all") if len(total) > budget.total else None


def _words(bad: int, allowed: int, where: str) -> str:
    nodes = "1 node has" if bad == 1 else f"{bad} nodes have"
    return f"{nodes} not come out well {where}; the budget is {allowed}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the next wave may begin, and why or why not in one sentence."""

    promoted: bool
    summary: str


def promotion(
    treated: Mapping[str, Statuses | None],
    control: Mapping[str, Statuses | None],
    before: Mapping[str, AbstractSet[str]],
) -> Verdict:
    """Hold treated nodes against untouched ones. None stands for a node that did not answer.

    A treated node that does not answer, and a check that fails on one, did not fail there `before`, and fails on no
    control node, stop the promotion. What fails on control nodes as well was not done by us.
    """
    silent = sorted(name for name, statuses in treated.items() if statuses is None)
    if silent:
        return Verdict(False, f"{_some(silent)} did not answer after the wave")
    elsewhere = {check for statuses in control.values() if statuses for check in failing(statuses)}
    worse: dict[str, list[str]] = {}
    for name, statuses in treated.items():
        for check in failing(statuses or {}) - before.get(name, frozenset()) - elsewhere:
            worse.setdefault(check, []).append(name)
    if worse:
        check, names = max(sorted(worse.items()), key=lambda item: len(item[1]))
        against = f", and on none of {len(control)} control nodes" if control else ""
        return Verdict(False, f"{check} fails on {_some(sorted(names))} since the wave{against}")
    answered = sum(statuses is not None for statuses in control.values())
    compared = f"held against {answered} control nodes" if answered else "with no control node to hold them against"
    return Verdict(True, f"nothing new fails on {len(treated)} treated nodes, {compared}")


def failing(statuses: Statuses) -> set[str]:
    """The checks that fail."""
    return {check for check, status in statuses.items() if status is Status.FAIL}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
