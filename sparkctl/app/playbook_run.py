"""Begin or take up a run of a playbook: everything that must be so before the first act, and who drives it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sparkctl.app.holder import has_ended, this_process, told
from sparkctl.app.places import Places
from sparkctl.app.playbook_approval import require_approved
from sparkctl.app.playbook_doing import FleetDoing
from sparkctl.app.playbook_driver import LEASE, Driver, utc_now
from sparkctl.app.playbook_events import of_entries
from sparkctl.app.playbook_life import RunFiles
from sparkctl.app.playbook_plan import StateOf, folder_of
from sparkctl.app.playbook_shelf import playbook_named
from sparkctl.app.playbook_site import Site
from sparkctl.app.playbook_visits import Visits
from sparkctl.app.programs import program_of
from sparkctl.app.stopping import stopped_by_signals
from sparkctl.app.telling import Telling
from sparkctl.app.transports import Transports
from sparkctl.errors import BusyError, ExitCode, RefusedError, UsageError
from sparkctl.executor.limits import Limits
from sparkctl.inventory.load import load_fleet
from sparkctl.model.inventory import Node
from sparkctl.model.journal import Claimed, JournalEntry, Opened, Outcome, Released, Result
from sparkctl.model.plan import Plan
from sparkctl.playbook.engine import Wait
from sparkctl.playbook.state import RunState, fold
from sparkctl.store.entries import ClaimedRun
from sparkctl.store.journal import Tell, nobody
from sparkctl.store.store import Store

Changed = Callable[[JournalEntry, RunState], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveRequest:
    """Which run, by which rules. `patient` waits for windows; `release` is why a held run may go on, and who says so.

    `changed` is told of every record, once it is on the disk; sinks get what `telling` makes of them.
    """

    places: Places
    site: Site
    run_id: str
    limits: Limits
    state_of: StateOf
    changed: Changed
    patient: bool = False
    release: tuple[str, str] | None = None
    telling: Telling | None = None
    clock: Callable[[], datetime] = utc_now


@dataclass(frozen=True, slots=True)
class Driven:
    """How far a run came: its state, and what it waits for, if it is not over."""

    state: RunState
    waits: Wait | None

    @property
    def exit_code(self) -> ExitCode:
        """What `playbook run` exits with."""
        if self.state.closed is not None:
            return _exit_of_end(self.state)
        if self.waits is not None and self.waits.until is not None:
            return ExitCode.REFUSED  # no window is open
        asks = any(node.asked is not None for node in self.state.nodes.values())
        return ExitCode.IN_DOUBT if self.state.held is not None or asks else ExitCode.UNJUDGED


def _exit_of_end(state: RunState) -> ExitCode:
    if state.closed is not None and state.closed.outcome is Outcome.DONE:
        return ExitCode.OK
    results = {node.bad.result for node in state.nodes.values() if node.bad is not None}
    if Result.FAILED in results or not results:
        return ExitCode.FINDINGS
    return ExitCode.REFUSED if results == {Result.REFUSED} else ExitCode.UNJUDGED


def drive(request: DriveRequest, store: Store) -> Driven:
    """Drive a run until it is over, is to stop, or only time or a person helps.

    Raises RefusedError where a rule forbids it, BusyError while another process drives it or has one of its nodes.
    """
    journals = store.journals
    plan = journals.plan(request.run_id)
    now = request.clock()
    state = fold(plan, journals.entries(plan.run_id))
    nodes = _nodes_of(plan, request)
    approved_by: list[str] = []
    if state.opened is None:  # whoever claimed a run may have been killed before its first record
        _require_same(plan, request)
        approved_by = require_approved(plan, journals.approvals(plan.run_id), request.site, now)
    _require_held(state, request)
    claim = claim_run(store, plan.run_id, [node.node_id for node in plan.nodes], now)
    try:
        state = _taken_up(request, store, claim, approved_by, now)
        run = _Run(
            request, store, nodes, claim, state, RunFiles(folder_of(request.places.state.absolute(), plan.run_id))
        )  # fmt: skip
        run.files.write_plan(plan)
        waits = asyncio.run(run.drive())
    finally:
        journals.let_go(claim)
    return Driven(state, waits)


def _tell(request: DriveRequest, plan: Plan) -> Tell:
    telling, nodes = request.telling, [node.node_id for node in plan.nodes]
    return nobody if telling is None else lambda entries: telling.of_events(of_entries(entries, plan), nodes)


def _taken_up(
    request: DriveRequest, store: Store, claim: ClaimedRun, approved_by: list[str], now: datetime
) -> RunState:
    """The state of a run that this process has claimed, with the records that say so."""
    journals = store.journals
    plan = journals.plan(request.run_id)
    state = fold(plan, journals.entries(plan.run_id))
    first: list[Opened | Claimed | Released] = []
    if state.opened is None:
        first.append(Opened(plan_sha256=plan.sha256, approved_by=approved_by))
    first.append(Claimed(holder=told(this_process()), node_fences=dict(claim.node_fences)))
    if request.release is not None:
        _require_held(state, request)
        first.append(Released(by=request.release[0], why=request.release[1]))
    for entry in journals.append(claim, first, now=now, until=now + LEASE, tell=_tell(request, plan)):
        state.apply(entry)
        request.changed(entry, state)
    return state


def _require_held(state: RunState, request: DriveRequest) -> None:
    if request.release is not None and state.held is None:
        raise UsageError(f"{request.run_id} is not held", hint=f"sparkctl playbook resume {request.run_id}")


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that this process has claimed."""

    request: DriveRequest
    store: Store
    nodes: dict[str, Node]
    claim: ClaimedRun
    state: RunState
    files: RunFiles

    async def drive(self) -> Wait | None:
        """Visit the nodes until the run is over, or waits for something."""
        places, plan = _absolute(self.request.places), self.state.plan
        transports = Transports(places.transport_settings, self.nodes.values())
        async with transports:
            driver = Driver(
                journals=self.store.journals,
                claim=self.claim,
                state=self.state,
                doing=FleetDoing(
                    plan=plan,
                    state=self.state,
                    visits=Visits(plan.run_id, self.nodes, transports, self.request.limits),
                    places=places,
                    files=self.files,
                    journals=self.store.journals,
                ),
                calendar=self.request.site.calendar,
                clock=self.request.clock,
                changed=lambda entry: self.request.changed(entry, self.state),
                patient=self.request.patient,
                tell=_tell(self.request, plan),
            )
            with stopped_by_signals(driver.stop.set):
                return await driver.run()


def _absolute(places: Places) -> Places:
    """The same places for processes that run elsewhere."""
    return replace(places, fleet_option=places.fleet.absolute(), state_option=places.state.absolute())


def _nodes_of(plan: Plan, request: DriveRequest) -> dict[str, Node]:
    """The nodes of the plan as the inventory has them now, each held to the serial that it had in the plan."""
    known = {node.node_id: node for node in load_fleet(request.places.fleet).nodes}
    found: dict[str, Node] = {}
    for planned in plan.nodes:
        node = known.get(planned.node_id)
        if node is None or node.unit != planned.unit or node.simulated != planned.simulated:
            what = "is no longer in the inventory" if node is None else "is another in the inventory than in the plan"
            raise RefusedError(f"{planned.node_id} {what}", hint=f"make another plan of {plan.playbook}")
        if node.serial is not None and planned.serial is not None and node.serial != planned.serial:
            raise RefusedError(
                f"{planned.node_id} is enrolled as {node.serial} ({node.origin}), and the plan is for {planned.serial}",
                hint=f"make another plan of {plan.playbook}",
            )
        found[planned.node_id] = node.model_copy(update={"serial": planned.serial or node.serial})
    return found


def _require_same(plan: Plan, request: DriveRequest) -> None:
    """A plan is of one text of a playbook, and of one text of each program; nodes have not moved on since."""
    playbook = playbook_named(plan.playbook, request.site) if plan.playbook else None
    if playbook is None or playbook.sha256 != plan.playbook_sha256:
        raise RefusedError(
            f"{plan.playbook} is not what it was when {plan.run_id} was planned",
            hint="make another plan, which others then approve",
        )
    for command, sha256 in plan.programs.items():
        if program_of(command).sha256 != sha256:
            raise RefusedError(
                f"the program {command} is not what it was when {plan.run_id} was planned: sparkctl was changed",
                hint="make another plan",
            )
    known = {node.node_id: node for node in load_fleet(request.places.fleet).nodes}
    for planned in plan.nodes:
        node = known.get(planned.node_id)
        if node is not None and request.state_of(node) != planned.state:
            raise RefusedError(
                f"{planned.node_id} is {request.state_of(node)} now, and was {planned.state} in the plan",
                hint="make another plan",
            )


def claim_run(store: Store, run_id: str, node_ids: Sequence[str], now: datetime) -> ClaimedRun:
    """Take a run and its nodes in hand for this process. Raises BusyError, in words for people, where others have."""
    try:
        return store.journals.claim(run_id, node_ids, this_process(), now=now, until=now + LEASE, gone=has_ended)
    except BusyError as error:
        raise BusyError(_told_in(error.message), hint=error.hint) from error


def _told_in(message: str) -> str:
    """A message in which a holder stands as it is kept, in words for people."""
    head, brace, rest = message.partition("{")
    return head + told(brace + rest) if brace else message
