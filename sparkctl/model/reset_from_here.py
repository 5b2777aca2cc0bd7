"""What the bastion saw of the ends of boots, joined to what nodes say: premises, no claims.

None of it was measured on recorded resets, so that it asserts nothing: it bounds when a boot ended, by a clock that the
node cannot set, and says what had been armed, what was counted, and who went down at the same time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sparkctl.model.contacts import Contacts, Outage
from sparkctl.model.outcome import BootEnd, NodeOutcome
from sparkctl.model.reset_report import FEWEST_TOGETHER, FromHere, WentTogether
from sparkctl.model.witnesses import Witnesses

CARD_RESET = 0x20  # WDIOF_CARDRESET, include/uapi/linux/watchdog.h
ACTIVE = "active"
MOST_UPTIME_S = 10 * 366 * 86400.0  # no Spark is older; what says more is no witness
NO_BACKEND = (None, "", "(null)")


def from_here(outcome: NodeOutcome, ledger: Sequence[Contacts], outages: Sequence[Outage]) -> FromHere | None:
    """The newest end of a node's visit, held against the ledger as it was before; None where it names no boots."""
    end = outcome.reset.ends[0] if outcome.reset and outcome.reset.ends else None
    if end is None or end.from_boot_id is None or end.to_boot_id is None or end.to_boot_id != outcome.boot_id:
        return None
    by_boot = {each.boot_id: each for each in ledger}
    before, after = by_boot.get(end.from_boot_id), by_boot.get(end.to_boot_id)
    now = None if outcome.witnesses is None else Witnesses.model_validate_json(outcome.witnesses)
    uptime = now.uptime_s if now and now.uptime_s and now.uptime_s < MOST_UPTIME_S else None
    began = None if uptime is None else outcome.ts - timedelta(seconds=uptime)
    last = before.last_at if before else None
    return FromHere(
        node=outcome.node_id,
        from_boot_id=end.from_boot_id,
        last_contact=last,
        began=began,
        first_contact=min(after.first_at, outcome.ts) if after else outcome.ts,
        premises=[*_armed(before, now, end), *_counted(before, now), *_on_battery(last, began, outages)],
    )


def _armed(before: Contacts | None, now: Witnesses | None, end: BootEnd) -> Iterator[str]:
    """What the boot that ended had armed at the last contact, and what came of it."""
    then = before.witnesses if before else None
    if then is None:
        return
    panicked = end.claims.termination.startswith("disorderly.panic")
    if then.pstore_backend not in NO_BACKEND and not panicked:
        yield f"at the last contact {then.pstore_backend} would have taken a panic record; none is bound to this boot"
    if then.journal_persistent is False:
        yield "at the last contact its journal was not kept on disk"
    if then.watchdog_state == ACTIVE:
        fired = _fired(now) and not _fired(then)
        said = "it says now that it reset the machine, and did not then" if fired else "it does not say that it fired"
        yield f"at the last contact the watchdog {then.watchdog_identity or ''} was armed; {said}".replace("  ", " ")


def _fired(said: Witnesses | None) -> bool:
    return bool(said and said.watchdog_bootstatus and said.watchdog_bootstatus & CARD_RESET)


def _counted(before: Contacts | None, now: Witnesses | None) -> Iterator[str]:
    """What the drive counted between the last contact and now: evidence of power only on drives known to count so."""
    then = before.witnesses if before else None
    if then is None or now is None:
        return
    pairs = (
        ("unsafe shutdowns", then.unsafe_shutdowns, now.unsafe_shutdowns),
        ("power cycles", then.power_cycles, now.power_cycles),
    )
    told = [
        f"{new - old} more {name}" for name, old, new in pairs if old is not None and new is not None and new >= old
    ]
    if told:
        yield f"since the last contact the drive counts {' and '.join(told)}"
    yield from _of_tpm(then, now)


def _of_tpm(then: Witnesses, now: Witnesses) -> Iterator[str]:
    """Resets that the TPM counted: a restart of the machine by way of its firmware is one, a kexec is none.

    Its restarts are counted from its last reset on, so that they compare only where none came between.
    """
    if then.tpm_reset_count is None or now.tpm_reset_count is None or now.tpm_reset_count < then.tpm_reset_count:
        return
    resets = now.tpm_reset_count - then.tpm_reset_count
    told = f"since the last contact the TPM counts {resets} more {'reset' if resets == 1 else 'resets'}"
    before, after = then.tpm_restart_count, now.tpm_restart_count
    if not resets and before is not None and after is not None and after >= before:
        told += f" and {after - before} more {'restart' if after - before == 1 else 'restarts'}"
    yield told


def _on_battery(after: datetime | None, before: datetime | None, outages: Iterable[Outage]) -> Iterator[str]:
    for outage in outages:
        if after and before and outage.since <= before and (outage.until is None or outage.until >= after):
            until = "the end of its log" if outage.until is None else f"{outage.until:%Y-%m-%d %H:%M:%S} UTC"
            yield f"the UPS was on battery from {outage.since:%Y-%m-%d %H:%M:%S} UTC to {until}"


def went_together(
    seen: Iterable[FromHere], unplanned: set[str], power_groups: Mapping[str, str], outages: Sequence[Outage]
) -> list[WentTogether]:
    """Nodes of one power group whose ends may fall into one moment; `unplanned` are those whose end was not orderly."""
    groups: dict[str, list[FromHere]] = {}
    for each in seen:
        group = power_groups.get(each.node)
        if group is None or each.node not in unplanned or each.last_contact is None or each.began is None:
            continue
        if each.last_contact <= each.began:  # else one of the two is wrong
            groups.setdefault(group, []).append(each)
    return [
        _told(group, together, power_groups, outages)
        for group, members in sorted(groups.items())
        for together in _clusters(members)
        if len(together) >= FEWEST_TOGETHER
    ]


Span = tuple[datetime, datetime, str]
"""When the next boot began, when the one that ended was last heard of, and the node."""


def _clusters(members: list[FromHere]) -> Iterator[list[Span]]:
    """Spans that share a moment with the one that ends first, then the same of those that are left."""
    spans = sorted((each.began, each.last_contact, each.node) for each in members if each.began and each.last_contact)
    while spans:
        first = spans[0][0]
        yield [span for span in spans if span[1] <= first]
        spans = [span for span in spans if span[1] > first]


def _told(group: str, together: list[Span], power_groups: Mapping[str, str], outages: Sequence[Outage]) -> WentTogether:
    after, before = max(last for _, last, _ in together), min(began for began, _, _ in together)
    return WentTogether(
        power_group=group,
        nodes=sorted(node for _, _, node in together),
        members=sum(1 for name in power_groups.values() if name == group),
        after=after,
        before=before,
        premises=list(_on_battery(after, before, outages)),
    )
