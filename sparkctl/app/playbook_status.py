"""How runs of playbooks stand, from their plans and journals alone."""

from collections import Counter
from datetime import datetime

from sparkctl.app.holder import has_ended, told
from sparkctl.app.playbook_approval import approvals_needed, approvers
from sparkctl.app.playbook_site import Site
from sparkctl.model.plan import Plan, PlannedNode
from sparkctl.model.playbook_status import NodeStanding, PlaybookStatus, RunStanding
from sparkctl.model.printable import printable
from sparkctl.playbook.engine import Wait, next_actions
from sparkctl.playbook.state import NodeState, NodeStatus, RunState, fold
from sparkctl.store.entries import PlaybookRun
from sparkctl.store.store import Store


def status_of(store: Store, run_id: str, site: Site, now: datetime) -> PlaybookStatus:
    """How a run stands. Raises UsageError for one that is not known, RefusedError where its journal does not hold."""
    run = store.journals.run(run_id)
    plan = store.journals.plan(run_id)
    state = fold(plan, store.journals.entries(run_id))
    approved = _approved(store, plan, state, site, now)
    return _status(run, state, approved, site, now)


def status_of_state(run: PlaybookRun, state: RunState, site: Site, now: datetime) -> PlaybookStatus:
    """How a run stands of which the state is at hand."""
    return _status(run, state, list(state.opened.approved_by) if state.opened else [], site, now)


def _approved(store: Store, plan: Plan, state: RunState, site: Site, now: datetime) -> list[str]:
    if state.opened is not None:
        return list(state.opened.approved_by)
    if not approvals_needed(plan, site) or site.allowed_signers is None:
        return []
    return approvers(plan, store.journals.approvals(plan.run_id), site, now)


def _status(run: PlaybookRun, state: RunState, approved: list[str], site: Site, now: datetime) -> PlaybookStatus:
    plan = state.plan
    driver = driver_of(run, now)
    needed = approvals_needed(plan, site)
    standing = _standing(state, driven=driver is not None)
    why, what = _why(state, standing, site, now, approved)
    planned = {node.node_id: node for node in plan.nodes}
    nodes = [_node(state, node, planned[node.node_id]) for node in state.nodes.values()]
    return PlaybookStatus(
        at=now,
        run_id=run.run_id,
        playbook=plan.playbook,
        title=plan.title,
        risk=plan.risk,
        plan_sha256=plan.sha256,
        planned_at=plan.planned_at,
        expires_at=plan.expires_at,
        standing=standing,
        why=printable(why, 1000),
        next=what,
        holder=driver,
        approved_by=approved,
        approvals_needed=needed,
        wave=state.wave,
        waves=len(plan.waves),
        steps=[step.id for step in plan.steps],
        node_s=plan.node_s,
        counts=dict(sorted(Counter(node.status for node in nodes).items())),
        nodes=nodes,
        left_out=plan.left_out,
        records=state.seq,
        outcome=state.closed.outcome.value if state.closed else None,
        simulated=plan.simulated,
    )


def driver_of(run: PlaybookRun, now: datetime) -> str | None:
    """The process that drives a run now, in words; None when none does."""
    if run.holder is None or run.leased_until is None or run.leased_until <= now or has_ended(run.holder):
        return None
    return told(run.holder)


def _standing(state: RunState, *, driven: bool) -> RunStanding:
    if state.closed is not None:
        return RunStanding.ENDED
    if state.opened is None:
        return RunStanding.PLANNED
    if driven:
        return RunStanding.RUNNING
    if any(node.asked is not None for node in state.nodes.values()):
        return RunStanding.ASKING
    return RunStanding.HELD if state.held is not None else RunStanding.STOPPED


def _why(state: RunState, standing: RunStanding, site: Site, now: datetime, approved: list[str]) -> tuple[str, str]:
    """Why it stands so, and what to do about it."""
    run_id = state.plan.run_id
    if standing is RunStanding.PLANNED:
        return _why_planned(state.plan, now, approvals_needed(state.plan, site) - len(approved))
    if standing is RunStanding.ASKING:
        asked = [node.node_id for node in state.nodes.values() if node.asked is not None]
        words = f"sparkctl playbook answer {run_id} {asked[0]} done|failed|repeat --why WORDS"
        return f"{_nodes_that_wait(len(asked))} for a person", words
    if standing is RunStanding.STOPPED:
        actions = next_actions(state, now, site.calendar)
        waits = [action for action in actions if isinstance(action, Wait) and action.until is not None]
        return _until(waits[0]) if waits else "no process drives it", f"sparkctl playbook resume {run_id}"
    held = state.held.why if state.held is not None else ""
    if standing is RunStanding.HELD:
        return held, f"sparkctl playbook resume {run_id} --release WHY, or sparkctl playbook stop {run_id} --why WHY"
    if standing is RunStanding.RUNNING:
        return held or f"wave {state.wave} of {len(state.plan.waves)}", "nothing: it goes on"
    return (state.closed.summary if state.closed else ""), "nothing: it is over"


def _until(wait: Wait) -> str:
    return f"{wait.why}; it can go on from {wait.until:%Y-%m-%d %H:%M} UTC"


def _nodes_that_wait(number: int) -> str:
    return "1 node waits" if number == 1 else f"{number} nodes wait"


def _why_planned(plan: Plan, now: datetime, left: int) -> tuple[str, str]:
    """The same for one that has not begun; `left` people have still to approve it."""
    if now >= plan.expires_at:
        return "the plan has expired", f"make another: sparkctl playbook plan {plan.playbook} {plan.selector}"
    if left > 0:
        return (
            f"it waits for {left} more approval{'' if left == 1 else 's'}",
            f"sparkctl playbook approve {plan.run_id} --key KEY",
        )
    return "it may begin", f"sparkctl playbook run {plan.run_id}"


def _node(state: RunState, node: NodeState, planned: PlannedNode) -> NodeStanding:
    status = state.status(node)
    step = node.open.step if node.open else (left.id if (left := state.steps_left(node)) else None)
    return NodeStanding(
        node_id=node.node_id,
        unit=planned.unit,
        wave=node.wave,
        control=node.node_id in state.plan.control,
        status=status.value,
        step=None if status in (NodeStatus.DONE, NodeStatus.WAITING) else step,
        steps_done=sum(ended.result.value == "done" and not ended.undoing for ended in node.ended),
        since=state.last_at_of(node.node_id),
        summary=_last_words(node),
        question=node.asked.question if node.asked else None,
        act=node.asked.act if node.asked else None,
    )


def _last_words(node: NodeState) -> str:
    """What says most of how a node stands: how its rollback failed, its first bad end, or its last end."""
    if not node.ended:
        return ""
    return node.bad.summary if node.bad and not node.undo_failed else node.ended[-1].summary
