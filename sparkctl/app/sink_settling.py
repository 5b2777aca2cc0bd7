"""What an answer of a sink means for the events that it was given: pure, so that an hour of outage takes no hour."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sparkctl.model.printable import clip
from sparkctl.model.sink import Answer, Result, Retry, Verdict
from sparkctl.store.outbox_entries import DEAD, DELIVERED, WAITING, Lease, Settled, Taken

Draw = Callable[[], float]
"""A number from 0 to 1, drawn at random."""


@dataclass(slots=True)
class Tally:
    """What became of events at one sink: delivered, refused for good, failed for now; `why` is the last cause."""

    delivered: int = 0
    refused: int = 0
    failed: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """When an event is tried again, from when on that counts, and what draws the time."""

    retry: Retry
    now: datetime
    draw: Draw

    def wait_s(self, nth: int) -> float:
        """How long to wait after the n-th failure in a row, from 1: exponential, with full jitter."""
        most: int = min(self.retry.longest_s, self.retry.first_s * 2 ** min(nth, 30))
        return self.draw() * most

    def after(self, nth: int, at_least_s: float = 0.0) -> datetime:
        """The moment until which is waited."""
        return self.now + timedelta(seconds=max(self.wait_s(nth), at_least_s))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to note: rows, and fields of what is remembered of the sink."""

    settled: list[Settled] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)


def outcome_of(lease: Lease, answer: Answer, failures: int, policy: Policy, tally: Tally) -> Outcome:
    """What an answer means, after so many failures in a row; it is counted in `tally`.

    Events that the sink was not asked about are given back as they were.
    """
    outcome, now = Outcome(), policy.now
    for taken, result in zip(lease.taken, answer.results, strict=False):
        outcome.settled.append(_settled(taken, result, policy, tally))
    verdicts = {result.verdict for result in answer.results}
    if Verdict.ACCEPTED in verdicts:
        failures = 0
        outcome.memory.update(failures=0, next_at=None, last_success_at=now)
    if verdicts - {Verdict.ACCEPTED}:
        outcome.memory.update(last_error_at=now, last_error=tally.why)
    if answer.down is not None:
        tally.why = clip(answer.down.words)
        next_at = policy.after(failures + 1, answer.down.retry_after_s or 0.0)
        outcome.memory.update(failures=failures + 1, next_at=next_at, last_error_at=now, last_error=tally.why)
        done = len(answer.results)
        for taken in lease.taken[done : done + answer.tried]:
            # It costs them no attempt, but next time others go first: one of them may be the cause.
            outcome.settled.append(Settled(taken.number, WAITING, taken.attempts, next_at, tally.why))
    return outcome


def _settled(taken: Taken, result: Result, policy: Policy, tally: Tally) -> Settled:
    if result.verdict is Verdict.ACCEPTED:
        tally.delivered += 1
        return Settled(taken.number, DELIVERED, taken.attempts, policy.now, None)
    tally.why = clip(result.words)
    attempts = taken.attempts + 1
    if result.verdict is Verdict.REFUSED or attempts >= policy.retry.attempts:
        tally.refused += 1
        return Settled(taken.number, DEAD, attempts, policy.now, tally.why)
    tally.failed += 1
    return Settled(taken.number, WAITING, attempts, policy.after(attempts), tally.why)
