"""When boots of nodes ended, by the bastion's own contacts, and what is claimed of each end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sparkctl.model.contacts import Contacts
from sparkctl.model.node_page import MOST_ENDS, PageEnd
from sparkctl.model.printable import clip
from sparkctl.model.reset import ResetEnvelope, Transition
from sparkctl.model.reset_from_here import MOST_UPTIME_S
from sparkctl.model.reset_report import kind_of
from sparkctl.model.reset_tree import strength_of
from sparkctl.model.reset_words import ANY, Axis
from sparkctl.model.run import RunRecord
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store

NOT_ASKED = "how it ended was never asked: sparkctl reset-reason"
_OLDER = 8  # answers of a node that are looked at for an end that the newest one does not tell of
_WORDS = 300


def ends_of(
    store: Store, node: str, newest: RunRecord | None, contacts: Sequence[Contacts], since: datetime
) -> list[PageEnd]:
    """The ends of boots of a node since a moment, the newest first, by what was heard from it and what it answered.

    An end of which no moment is known is told where it is that of the newest boot.
    """
    known = {each.boot_id: each for each in contacts}
    heard = {(one.boot_id, after.boot_id) for one, after in pairwise(contacts) if after.first_at >= since}
    told: dict[str, PageEnd] = {}
    for record in _answers(store, node, newest, {boot for boot, _ in heard}):
        for end in _claimed(node, record, known):
            key = end.from_boot_id or f"before {end.to_boot_id}"
            if key not in told and _is_late(end, since):
                told[key] = end
    found = [*told.values(), *_unasked(node, contacts, told.keys(), since)]
    found.sort(key=_moment, reverse=True)
    return found[:MOST_ENDS]


def _moment(end: PageEnd) -> tuple[bool, float]:
    """What is newest comes first; an end that nobody can date is that of the newest boot."""
    at = end.before or end.after
    return at is None, at.timestamp() if at else 0.0


def _is_late(end: PageEnd, since: datetime) -> bool:
    at = end.before or end.after
    return at is None or at >= since


def _answers(store: Store, node: str, newest: RunRecord | None, heard: set[str]) -> Iterator[RunRecord]:
    """The newest answer and, where boots ended that it does not tell of, older ones."""
    if newest is None:
        return
    yield newest
    envelope = newest.envelope
    data = envelope.data if isinstance(envelope, ResetEnvelope) else None
    if heard - {one.from_boot_id for one in data.transitions} if data else heard:
        for record in store.last_records(node, RunKind.RESET, _OLDER):
            if record.run_id != newest.run_id:
                yield record


def _claimed(node: str, record: RunRecord, known: Mapping[str, Contacts]) -> Iterator[PageEnd]:
    data = record.envelope.data if isinstance(record.envelope, ResetEnvelope) else None
    for one in data.transitions if data else ():
        began = _began(record, one) if data and one.to_boot_id == data.witnesses.boot_id else None
        before, after = known.get(one.from_boot_id or ""), known.get(one.to_boot_id or "")
        ended_by = [moment for moment in (began, after.first_at if after else None) if moment is not None]
        untold = one.claims.termination == ANY
        yield PageEnd(
            node=node,
            from_boot_id=one.from_boot_id,
            to_boot_id=one.to_boot_id,
            told="cannot_be_known" if untold else "claimed",
            kind=kind_of(one.claims, one.flat.expected),
            words=clip(_why_not(one) if untold else one.flat.words, _WORDS),
            claim=None if untold else f"{one.claims.termination}, {strength_of(one, Axis.TERMINATION).value}",
            after=before.last_at if before else None,
            before=min(ended_by, default=None),
            passed_over=one.from_boot_id is None or one.to_boot_id is None,
        )


def _began(record: RunRecord, one: Transition) -> datetime | None:
    """When the boot began that answered, by the bastion's clock; None where it does not say how long it is up."""
    data = record.envelope.data if isinstance(record.envelope, ResetEnvelope) else None
    uptime = data.witnesses.uptime_s if data else None
    if one.index != 0 or uptime is None or uptime > MOST_UPTIME_S:
        return None
    return record.ts - timedelta(seconds=uptime)


def _why_not(one: Transition) -> str:
    why = next((each for each in one.unknown_reasons if each.axis is Axis.TERMINATION), None)
    if why is None:
        return "cannot be known: nothing entails how it ended"
    cause = why.cause.value.replace("_", " ")
    return f"cannot be known: {cause}" + (f", {why.detail}" if why.detail else "")


def _unasked(node: str, contacts: Sequence[Contacts], told: Iterable[str], since: datetime) -> Iterator[PageEnd]:
    """Ends that were seen from here alone: another boot answered."""
    known = set(told)
    for one, after in pairwise(contacts):
        if after.first_at >= since and one.boot_id not in known:
            yield PageEnd(
                node=node,
                from_boot_id=one.boot_id,
                to_boot_id=after.boot_id,
                told="not_asked",
                kind=None,
                words=NOT_ASKED,
                claim=None,
                after=one.last_at,
                before=after.first_at,
                passed_over=True,
            )
