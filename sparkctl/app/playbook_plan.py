"""Make a plan: who is selected, who they prove to be, what each step would do to them, in which waves, for how long."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sparkctl.app.actor import actor
from sparkctl.app.places import Places
from sparkctl.app.playbook_estimates import estimates_of
from sparkctl.app.playbook_preview import Preview, preview
from sparkctl.app.playbook_site import Site
from sparkctl.app.playbook_visits import Visits
from sparkctl.app.programs import program_of
from sparkctl.app.transports import Transports
from sparkctl.errors import RefusedError, UsageError
from sparkctl.executor.limits import Limits
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.plan import LeftOut, Plan, PlannedNode
from sparkctl.model.playbook import ParameterKind, Playbook, with_parameters
from sparkctl.model.printable import printable
from sparkctl.playbook.calendar import FAR
from sparkctl.playbook.verbs import BUILT_IN, controller_of, named
from sparkctl.playbook.waves import divide, split_units
from sparkctl.store.store import Store

StateOf = Callable[[Node], str | None]
"""The state of the life of a node, by the ledger or else the inventory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What the operator asked for. `values` are those of parameters, as they were written."""

    places: Places
    playbook: Playbook
    site: Site
    selector: str
    values: Mapping[str, str]
    limits: Limits
    state_of: StateOf


def make_plan(request: PlanRequest, store: Store, now: datetime) -> Plan:
    """Ask the nodes, make the plan, and keep it. Nothing is changed on any node.

    Raises UsageError for a selection or a parameter that cannot be, RefusedError where no node is left.
    """
    playbook = request.playbook
    parameters = parameter_values(playbook, request.values)
    fleet = load_fleet(request.places.fleet)
    selected = select(fleet, request.selector)
    _require_whole_units(playbook, selected, fleet)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    kept, left_out = _usable(request, selected, store)
    previews = asyncio.run(_previews(request, run_id, kept, parameters))
    kept, silent = _answered(playbook, kept, previews)
    left_out += silent
    if not kept:
        why = left_out[0].why if left_out else "nobody is selected"
        raise RefusedError(f"no node is left for {playbook.name}: {why}", hint="mend that, or select others")
    division = divide(kept, playbook.waves, whole_units=not playbook.breaks_units)
    plan = Plan(
        run_id=run_id,
        playbook=playbook.name,
        playbook_sha256=playbook.sha256,
        title=playbook.title,
        phase=playbook.phase,
        risk=playbook.risk,
        selector=request.selector,
        parameters=parameters,
        planned_at=now,
        expires_at=now + request.site.valid_for,
        planned_by=actor(),
        approvals_needed=request.site.approvals[playbook.risk],
        steps=playbook.steps,
        waves=division.waves,
        control=division.control,
        soak_s=playbook.waves.soak_s,
        at_once=playbook.waves.at_once,
        budget=playbook.budget,
        on_failure=playbook.on_failure,
        windowed=playbook.windowed,
        whole_units=not playbook.breaks_units,
        estimates=estimates_of(store.journals, playbook.name, [step.id for step in playbook.steps]),
        programs={command: program_of(command).sha256 for command in _programs(playbook)},
        nodes=[_planned(node, previews[node.node_id], request.state_of) for node in kept],
        left_out=left_out,
    )
    _require_a_window(plan, request.site, now)
    store.journals.keep_plan(plan)
    return plan


def parameter_values(playbook: Playbook, said: Mapping[str, str]) -> dict[str, Any]:
    """The values of all parameters; raises UsageError for one that is unknown, missing, or not of its kind."""
    unknown = sorted(said.keys() - playbook.parameters.keys())
    if unknown:
        known = ", ".join(playbook.parameters) or "it has none"
        raise UsageError(f"{playbook.name} has no parameter {printable(unknown[0], 60)!r}", hint=f"parameters: {known}")
    found: dict[str, Any] = {}
    for name, parameter in playbook.parameters.items():
        if name in said:
            found[name] = _value(name, parameter.kind, said[name])
        elif parameter.required:
            raise UsageError(
                f"{playbook.name} needs the parameter {name!r}: {parameter.help}", hint=f"--set {name}=VALUE"
            )
        else:
            found[name] = parameter.default
    return found


def _value(name: str, kind: ParameterKind, text: str) -> Any:
    if not text or len(text) > 20_000 or printable(text, 20_000) != text:
        raise UsageError(f"--set {name} must be printable text", hint=f"--set {name}=VALUE")
    if kind is ParameterKind.NUMBER:
        if not text.isascii() or not text.isdecimal() or len(text) > 9:
            raise UsageError(f"--set {name} must be a whole number, not {printable(text, 60)!r}")
        return int(text)
    if kind is ParameterKind.WORDS:
        return [word for word in (part.strip() for part in text.split(",")) if word]
    if kind is ParameterKind.MAPPING:
        pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
        if not pairs or not all(key and value for key, _, value in pairs):
            raise UsageError(f"--set {name} must be pairs: --set {name}=one=1,two=2")
        return {key: value for key, _, value in pairs}
    return text


def _require_whole_units(playbook: Playbook, selected: Sequence[Node], fleet: Fleet) -> None:
    missing = split_units(selected, fleet.nodes)
    if missing and not playbook.breaks_units:
        unit, names = next(iter(sorted(missing.items())))
        raise UsageError(
            f"the selection splits the unit {unit}: {', '.join(names)} would be left out",
            hint=f"two nodes that are cabled together are treated together; select unit={unit}",
        )


def _usable(request: PlanRequest, selected: Sequence[Node], store: Store) -> tuple[list[Node], list[LeftOut]]:
    """The nodes that the playbook may treat at all, and the others with the reason."""
    held = store.journals.held_nodes()
    why: dict[str, str] = {}
    for node in selected:
        state = request.state_of(node)
        if node.node_id in held:
            why[node.node_id] = f"it is in the hands of the run {held[node.node_id]}"
        elif request.playbook.states and state not in request.playbook.states:
            wanted = " or ".join(request.playbook.states)
            why[node.node_id] = f"its state is {state or 'not known'}, and {request.playbook.name} is for {wanted}"
    return _without(request.playbook, list(selected), why)


def _answered(
    playbook: Playbook, nodes: list[Node], previews: Mapping[str, Preview]
) -> tuple[list[Node], list[LeftOut]]:
    why = {node.node_id: found for node in nodes if (found := previews[node.node_id].silence) is not None}
    return _without(playbook, nodes, why)


def _without(playbook: Playbook, nodes: list[Node], why: dict[str, str]) -> tuple[list[Node], list[LeftOut]]:
    """The nodes but for those with a reason, and for those cabled to one."""
    units = {node.unit: node.node_id for node in nodes if node.node_id in why and node.unit is not None}
    for node in nodes:
        if node.node_id not in why and node.unit in units and not playbook.breaks_units:
            why[node.node_id] = f"{units[node.unit]} is left out, and is cabled to it"
    kept = [node for node in nodes if node.node_id not in why]
    return kept, [LeftOut(node_id=name, why=printable(words, 1000)) for name, words in why.items()]


async def _previews(
    request: PlanRequest, run_id: str, nodes: Sequence[Node], parameters: dict[str, Any]
) -> dict[str, Preview]:
    transports = Transports(request.places.transport_settings, nodes)
    visits = Visits(run_id, {node.node_id: node for node in nodes}, transports, request.limits)

    async def of_node(node: Node) -> Preview:
        own = parameters | {name: name.upper() for name in BUILT_IN} | named(run_id, node.node_id)
        steps = [(step, with_parameters(step.options, own)) for step in request.playbook.steps]
        return await preview(visits, node, run_id, steps)

    async with transports:
        found = await asyncio.gather(*(of_node(node) for node in nodes))
    return {node.node_id: each for node, each in zip(nodes, found, strict=True)}


def _planned(node: Node, seen: Preview, state_of: StateOf) -> PlannedNode:
    return PlannedNode(
        node_id=node.node_id,
        unit=node.unit,
        serial=node.serial or seen.serial,
        boot_id=seen.boot_id,
        state=state_of(node),
        simulated=node.simulated,
        effects=list(seen.effects),
    )


def _programs(playbook: Playbook) -> list[str]:
    """The programs that the run will send to nodes itself."""
    acts = any(controller_of(step.do) is not None for step in playbook.steps)
    return ["health", *(["control"] if acts else [])]


def _require_a_window(plan: Plan, site: Site, now: datetime) -> None:
    if not plan.windowed:
        return
    first = site.calendar.next_fit(now, plan.node_s)
    hint = "open a longer window, or lower `within` of its steps"
    long = timedelta(seconds=plan.node_s)
    if first is None:
        raise UsageError(
            f"no window of the next {FAR.days} days is long enough: one node takes up to {long}", hint=hint
        )
    if first >= plan.expires_at:
        raise UsageError(
            f"the plan would expire at {plan.expires_at:%Y-%m-%d %H:%M} UTC, before the first window that fits begins,"
            f" {first:%Y-%m-%d %H:%M} UTC",
            hint="plan later, or raise `valid_for`",
        )


def folder_of(state: Path, run_id: str) -> Path:
    """The folder for files of a run."""
    return state / "playbooks" / run_id


def utc_now() -> datetime:
    """The moment, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
