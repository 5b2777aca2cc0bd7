"""How long steps took before, so that a plan can say whether it will fit."""

from collections.abc import Sequence

from sparkctl.model.journal import Ended, Result
from sparkctl.store.journal import Journals

RUNS = 20
"""How many of the newest runs of a playbook are looked at."""

LEAST = 5
"""How often a step must have come out well before its past says anything."""


def estimates_of(journals: Journals, playbook: str, steps: Sequence[str]) -> dict[str, int]:
    """The 95th percentile of how long each step of a playbook took, in seconds; none for one that is hardly known."""
    past: dict[str, list[int]] = {step: [] for step in steps}
    for run in [run for run in journals.runs() if run.playbook == playbook and run.fence][:RUNS]:
        for entry in journals.entries(run.run_id):
            event = entry.event
            if isinstance(event, Ended) and event.result is Result.DONE and not event.undoing and event.step in past:
                past[event.step].append(event.duration_ms)
    return {step: _percentile(found) for step, found in past.items() if len(found) >= LEAST}


def _percentile(durations_ms: list[int]) -> int:
    place = -(-len(durations_ms) * 95 // 100) - 1
    return -(-sorted(durations_ms)[place] // 1000)
