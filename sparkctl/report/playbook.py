"""Playbooks, plans and runs on the screen."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.durations import told_age
from sparkctl.model.journal import (
    Answered,
    Asked,
    Claimed,
    Closed,
    Ended,
    Held,
    Intended,
    JournalEntry,
    Opened,
    Released,
    WaveBegan,
    WaveJudged,
)
from sparkctl.model.plan import Effect, Plan, PlannedNode
from sparkctl.model.playbook import Playbook
from sparkctl.model.playbook_status import NodeStanding, PlaybookStatus, RunStanding
from sparkctl.playbook.guard import over_budget
from sparkctl.playbook.state import RunState
from sparkctl.report.runbook import budget_words, told_length
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, count, duration, names, to_minute, to_second

_LOOKS = {
    "done": "pass", "under_way": "warn", "waiting": "dim", "asking": "fail", "in_doubt": "fail", "failed": "fail",
    "unreachable": "lost", "unknown": "unknown", "refused": "lost", "rolled_back": "warn", "rollback_failed": "fail",
}  # fmt: skip
_ORDER = (
    "asking", "in_doubt", "rollback_failed", "failed", "refused", "unreachable", "unknown", "rolled_back", "under_way",
    "done", "waiting",
)  # fmt: skip


def show_playbooks(playbooks: Sequence[Playbook], stream: TextIO) -> None:
    """What there is, phase after phase."""
    with screen_on(stream) as console:
        for phase in dict.fromkeys(playbook.phase for playbook in playbooks):
            console.print(Text(phase.value.capitalize(), style="bold"))
            rows = _grid()
            for playbook in playbooks:
                if playbook.phase is phase:
                    rows.add_row(Text(playbook.name, "bold"), Text(playbook.title), Text(playbook.risk.value, "dim"))
            console.print(Padding(rows, (0, 0, 0, 2)))


def show_plan(plan: Plan, stream: TextIO, *, verbose: bool = False) -> None:
    """What would happen: to whom, in which wave, how well that is known, for how long, and what is at risk."""
    with screen_on(stream) as console:
        head = Text.assemble((f"{plan.playbook}", "bold"), f"  {plan.title}")
        console.print(_marked(head, simulated=plan.simulated))
        console.print(Text(f"plan {plan.run_id}, hash {plan.sha256}"))
        needed = count(plan.approvals_needed, "approval") if plan.approvals_needed else "no approval"
        console.print(Text(f"risk {plan.risk.value}, needs {needed}; may begin until {to_minute(plan.expires_at)}"))
        console.print(Text(_policy(plan)))
        console.print(Text(_how_long(plan)))
        console.print()
        _show_waves(plan, console)
        _show_effects(plan, console, verbose=verbose)
        if plan.left_out:
            console.print()
            console.print(Text(f"Left out: {count(len(plan.left_out), 'node')}", style=STYLES["lost"]))
            why_not: dict[str, list[str]] = {}
            for left in plan.left_out:
                why_not.setdefault(left.why, []).append(left.node_id)
            for why, nodes in why_not.items():
                console.print(Padding(Text(f"{names(nodes)}: {why}"), (0, 0, 0, 2)))
        console.print()
        verb = "approve {} --key KEY" if plan.approvals_needed else "run {}"
        _show_next(f"sparkctl playbook {verb.format(plan.run_id)}", console)


def _policy(plan: Plan) -> str:
    return f"budget: {budget_words(plan.budget)}; beyond it: {plan.on_failure.value}"


def _how_long(plan: Plan) -> str:
    known = sum(step.id in plan.estimates for step in plan.steps)
    basis = f"{known} of {len(plan.steps)} steps by what they took before" if known else "by the limits of its steps"
    return f"one node takes up to {told_length(plan.node_s)} ({basis}); at most {count(plan.at_once, 'node')} at once"


def _show_waves(plan: Plan, console: Console) -> None:
    rows = _grid()
    for wave in plan.waves:
        kind = "control" if plan.control and wave.node_ids == plan.control else "canary" if wave.number == 1 else ""
        rows.add_row(
            Text(f"wave {wave.number}", "bold"), Text(count(len(wave.node_ids), "node")), Text(kind, "dim"),
            Text(names(wave.node_ids)),
        )  # fmt: skip
    console.print(rows)
    if plan.soak_s and len(plan.waves) > 1:
        against = "held against the control nodes" if plan.control else "looked at, without control nodes"
        words = f"after each wave but the last: {told_length(plan.soak_s)} of soaking, then its nodes are {against}"
        console.print(Text(words, style="dim"))


def _show_effects(plan: Plan, console: Console, *, verbose: bool) -> None:
    """Each step with what it would do: nodes to which it would do the same share a line."""
    for step in plan.steps:
        console.print()
        title = "" if step.title == step.id else f"  {step.title}"
        head = Text.assemble((step.id, "bold"), title, (f"  within {told_length(step.within_s)}", "dim"))
        if step.undo:
            head.append("  can be taken back", style="dim")
        console.print(head)
        alike: dict[str, list[str]] = {}
        effects: dict[str, Effect] = {}
        for node in plan.nodes:
            effect = _effect(node, step.id)
            effects.setdefault(key := effect.model_dump_json(), effect)
            alike.setdefault(key, []).append(node.node_id)
        for key, nodes in sorted(alike.items(), key=lambda item: -len(item[1])):
            who = "all nodes" if len(nodes) == len(plan.nodes) else names(nodes)
            _show_effect(console, effects[key], who, verbose=verbose)


def _show_effect(console: Console, effect: Effect, who: str, *, verbose: bool) -> None:
    looks = STYLES["warn"] if effect.objection else ""
    line = Text.assemble((f"{effect.fidelity.value}: ", "dim"), (f"{who}: {effect.summary}", looks))
    console.print(Padding(line, (0, 0, 0, 2)))
    if effect.argv and verbose:
        console.print(Padding(Text(" ".join(effect.argv), style="dim"), (0, 0, 0, 4)))


def _effect(node: PlannedNode, step: str) -> Effect:
    return next(effect for effect in node.effects if effect.step == step)


def show_status(status: PlaybookStatus, stream: TextIO, *, verbose: bool = False) -> None:
    """How a run stands: what it waits for, and the nodes that need somebody first."""
    with screen_on(stream) as console:
        head = Text.assemble((status.playbook, "bold"), f"  {status.run_id}  ", (status.standing.value, _look(status)))
        console.print(_marked(head, simulated=status.simulated))
        if status.why:
            console.print(Text(status.why))
        called = {name: _called(name, status.standing) for name in _ORDER}
        counts = [f"{status.counts[name]:,} {called[name]}" for name in _ORDER if status.counts.get(name)]
        place = f"wave {status.wave} of {status.waves}" if status.wave else f"{count(status.waves, 'wave')} planned"
        console.print(Text(f"{place}: {', '.join(counts)}"))
        if status.approvals_needed:
            by = ", ".join(status.approved_by) or "nobody"
            console.print(Text(f"approved by {by}, {status.approvals_needed} needed"))
        if status.holder:
            console.print(Text(f"driven by {status.holder}", style="dim"))
        _show_nodes(status, console, verbose=verbose)
        _show_next(status.next, console)


def _show_next(words: str, console: Console) -> None:
    """What to do next; never broken over lines, since it is copied."""
    console.print(Text(f"next: {words}", style="bold"), soft_wrap=True)


def _called(name: str, standing: RunStanding) -> str:
    """How a node stands, in words: while nobody drives the run it is begun and not under way."""
    if name == "under_way" and standing is not RunStanding.RUNNING:
        return "begun"
    if name == "waiting" and standing is RunStanding.ENDED:
        return "not begun"
    return name.replace("_", " ")


def _look(status: PlaybookStatus) -> str:
    if status.standing is RunStanding.ENDED:
        return STYLES["pass" if status.outcome == "done" else "fail"]
    return STYLES["fail" if status.standing in (RunStanding.HELD, RunStanding.ASKING) else "warn"]


def _show_nodes(status: PlaybookStatus, console: Console, *, verbose: bool) -> None:
    rows = _grid()
    shown = [node for node in status.nodes if verbose or node.status not in ("done", "waiting")]
    for node in sorted(shown, key=lambda one: (_ORDER.index(one.status), one.wave)):
        rows.add_row(
            Text(node.node_id, "bold"),
            Text(_called(node.status, status.standing), STYLES.get(_LOOKS[node.status], _LOOKS[node.status])),
            Text(f"{node.step or ''}"),
            _node_words(node, status.at),
        )
    if shown:
        console.print(Padding(rows, (0, 0, 0, 2)))


def _node_words(node: NodeStanding, now: datetime) -> Text:
    words = Text(node.question or node.summary)
    if node.since is not None:
        words.append(f"  {told_age((now - node.since).total_seconds())}", style="dim")
    return words


def show_runs(statuses: Sequence[PlaybookStatus], stream: TextIO) -> None:
    """All runs, a line for each, the newest first."""
    with screen_on(stream) as console:
        if not statuses:
            console.print(Text("No plan has been made yet: sparkctl playbook plan NAME SELECTOR"))
            return
        rows = _grid()
        for status in statuses:
            good, total = status.counts.get("done", 0), len(status.nodes)
            rows.add_row(
                Text(status.run_id, "bold"), Text(status.playbook), Text(status.standing.value, _look(status)),
                Text(f"{good} of {count(total, 'node')}"), Text(status.why),
            )  # fmt: skip
        console.print(rows)


def entry_line(entry: JournalEntry) -> str | None:
    """A record as one line for people who watch a run; None for one that tells them nothing."""
    event = entry.event
    at = to_second(entry.at)
    words = _words_of_run(event)
    if words is None and isinstance(event, Intended):
        again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
        words = f"{event.node_id}: {'taking back ' if event.undoing else ''}{event.step}{again} begins"
    elif isinstance(event, Ended):
        back = "taking back " if event.undoing else ""
        words = f"{event.node_id}: {back}{event.step} {event.result.value}, {event.summary}"
    elif isinstance(event, Asked):
        words = f"{event.node_id}: {event.step} asks: {event.question}"
    elif isinstance(event, Answered):
        words = f"{event.node_id}: {event.step}: {event.by} says {event.answer.value}, {event.why}"
    return None if words is None else f"{at}  {words}"


def soak_line(entry: JournalEntry, state: RunState) -> str | None:
    """That a wave soaks from this record on, and until when, so that silence is no riddle; None where it does not."""
    plan = state.plan
    if not isinstance(entry.event, Ended) or not plan.soak_s or state.wave == len(plan.waves):
        return None
    if state.held is not None or over_budget(state) is not None:
        return None
    if not all(state.finished(node) for node in state.in_wave(state.wave)):
        return None
    until = entry.at + timedelta(seconds=plan.soak_s)
    return f"{to_second(entry.at)}  wave {state.wave} soaks until {to_second(until)}"


def _words_of_run(event: object) -> str | None:
    """A record that is of the whole run, in words."""
    if isinstance(event, Opened):
        return (
            f"begun, approved by {', '.join(event.approved_by)}" if event.approved_by else "begun; it needs no approval"
        )
    if isinstance(event, Claimed):
        return f"driven by {event.holder}"
    if isinstance(event, WaveBegan):
        return f"wave {event.wave} begins"
    if isinstance(event, WaveJudged):
        return f"wave {event.wave} {'is good enough' if event.promoted else 'is not good enough'}: {event.summary}"
    return _words_of_end(event)


def _words_of_end(event: object) -> str | None:
    if isinstance(event, Held):
        back = f"; {names(event.undo)} to be taken back" if event.undo else ""
        return f"held: {event.why}{back}"
    if isinstance(event, Released):
        return f"released by {event.by}: {event.why}"
    return f"over, {event.outcome.value}: {event.summary}" if isinstance(event, Closed) else None


def show_journal(entries: Iterable[JournalEntry], stream: TextIO) -> None:
    """All that happened, with argv, unit, digests and durations."""
    entry = None
    for entry in entries:
        line = entry_line(entry)
        if line is not None:
            stream.write(f"{entry.seq:>5}  {line}\n")
        event = entry.event
        if isinstance(event, Ended):
            if event.argv:
                stream.write(f"       ran {' '.join(event.argv)}\n")
            told = [f"took {duration(event.duration_ms)}"]
            if event.exit_status is not None:
                told.append(f"exit status {event.exit_status}")
            if event.output_sha256:
                told.append(f"SHA-256 of its output {event.output_sha256[:16]}…")
            if event.unit:
                told.append(event.unit)
            stream.write(f"       {', '.join(told)}\n")
    if entry is None:
        stream.write("nothing has happened: the run has not begun\n")


def _grid() -> Table:
    return Table.grid(padding=(0, 2))


def _marked(head: Text, *, simulated: bool) -> Text:
    return head.append(f"  {SIMULATED}", style="bold cyan") if simulated else head
