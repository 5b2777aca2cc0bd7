"""What a person says of a run that nobody drives: answers, and that it is to end."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sparkctl.app.holder import this_process, told
from sparkctl.app.playbook_driver import LEASE
from sparkctl.app.playbook_run import claim_run
from sparkctl.app.playbook_status import driver_of
from sparkctl.atomic_file import replace_file
from sparkctl.errors import BusyError, RefusedError, UsageError
from sparkctl.model.journal import Answer, Answered, Claimed, Closed, Event, JournalEntry, Outcome
from sparkctl.model.plan import Plan
from sparkctl.model.printable import printable
from sparkctl.playbook.state import RunState, fold
from sparkctl.store.store import Store


def answer(
    store: Store, run_id: str, node_id: str, said: Answer, *, by: str, why: str, now: datetime
) -> list[JournalEntry]:
    """Say how a step stands that only a person can tell. The run goes on when it is resumed.

    Raises UsageError where nothing is asked of that node.
    """

    def decide(state: RunState) -> list[Event]:
        node = state.nodes.get(node_id)
        if node is None or node.asked is None:
            asked = [one.node_id for one in state.nodes.values() if one.asked is not None]
            hint = f"it asks about {', '.join(asked[:10])}" if asked else f"see sparkctl playbook status {run_id}"
            raise UsageError(f"{run_id} asks nothing about {printable(node_id, 253)}", hint=hint)
        return [Answered(**node.asked.bare().model_dump(), answer=said, by=by, why=why)]

    return _write(store, run_id, decide, now)


def stop(store: Store, run_id: str, *, by: str, why: str, now: datetime) -> list[JournalEntry]:
    """End a run for good: nothing of it is done any more, and its nodes are free.

    Raises BusyError while a process drives it, RefusedError while it is in doubt what became of an act.
    """

    def decide(state: RunState) -> list[Event]:
        if state.closed is not None:
            raise UsageError(f"the run {run_id} is over", hint=f"read it: sparkctl playbook status {run_id}")
        doubtful = [node.node_id for node in state.nodes.values() if node.open is not None and node.asked is None]
        if doubtful:
            raise RefusedError(
                f"it is in doubt what became of the last step on {', '.join(doubtful[:5])}",
                hint=f"resume it first, which looks: sparkctl playbook resume {run_id}",
            )
        return [Closed(outcome=Outcome.STOPPED, summary=f"{by} ended it: {why}"[:1000])]

    driver = driver_of(store.journals.run(run_id), now)
    if driver is not None:
        raise BusyError(f"{run_id} is driven by {driver}", hint="end it there with Ctrl-C, then stop it")
    return _write(store, run_id, decide, now)


def _write(
    store: Store, run_id: str, decide: Callable[[RunState], Sequence[Event]], now: datetime
) -> list[JournalEntry]:
    """Claim a run and write what is decided by its state: before the claim, and again once nobody else can write."""
    plan = store.journals.plan(run_id)
    before = fold(plan, store.journals.entries(run_id))
    decide(before)
    # A plan that nobody has begun has no node in hand, whoever may have them.
    names = [node.node_id for node in plan.nodes] if before.opened is not None else []
    claim = claim_run(store, run_id, names, now)
    try:
        events = decide(fold(plan, store.journals.entries(run_id)))
        claimed = Claimed(holder=told(this_process()), node_fences=dict(claim.node_fences))
        close = any(isinstance(event, Closed) for event in events)
        return store.journals.append(claim, [claimed, *events], now=now, until=now + LEASE, close=close)
    finally:
        store.journals.let_go(claim)


def write_plan(plan: Plan, path: Path) -> None:
    """Write the bytes that were hashed, so that others can check what they approve; raises UsageError."""
    try:
        replace_file(path, plan.canonical, 0o644)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
