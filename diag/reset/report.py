"""Put windows and verdicts into the document that goes out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from diag.nodekit.printable import age, printable
from diag.reset.advice import arm_now, unknown_reasons, would_decide
from diag.reset.answer import flat
from diag.reset.correlate import Held, Verdict, correlate
from diag.reset.evidence import Report, Seen
from diag.reset.window import Window, windows
from diag.reset.witnesses import empty
from diag.reset.words import Antecedent, Source

Document = dict[str, Any]
ANTECEDENTS = frozenset(value for name, value in vars(Antecedent).items() if not name.startswith("_"))
SAME_THING = {"kernel_panic": Antecedent.PANIC, "panic_record": Antecedent.PANIC, "oops_record": Antecedent.OOPS,
              "ups": Antecedent.ON_BATTERY}  # fmt: skip
LOOSE_SOURCES = (Source.PSTORE, Source.WATCHDOG, Source.KDUMP, Source.FIRMWARE, Source.PACKAGES)
MOST_LOOSE = 4  # of each source
DONE = "success"  # a firmware update that went well, some time ago


class Observations:
    """Things seen, numbered as proofs need them."""

    def __init__(self) -> None:
        self._ids: dict[Seen, str] = {}

    def id_of(self, one: Seen) -> str:
        """The id of a thing seen."""
        return self._ids.setdefault(one, f"o{len(self._ids) + 1}")

    def documents(self) -> list[Document]:
        """All of them, in the order of their ids."""
        return [
            {
                "id": name, "source": one.source, "kind": printable(one.kind, 120), "boot_id": one.boot_id,
                "at_s": None if one.at_s is None else round(one.at_s, 6), "locator": printable(one.locator, 300),
                "excerpt": printable(one.excerpt, 300), "value": printable(one.value, 120) if one.value else None,
            }
            for one, name in self._ids.items()
        ]  # fmt: skip


def document(reports: Sequence[Report], current: str | None, back: int | None) -> Document:
    """The data of the envelope."""
    witnesses = empty()
    for report in reports:
        witnesses |= {key: value for key, value in report.facts.items() if key in witnesses}
    witnesses["boot_id"] = witnesses["boot_id"] or current
    observations = Observations()
    found = [_transition(window, observations, witnesses) for window in windows(reports, current, back)]
    return {
        "transitions": found,
        "observations": observations.documents(),
        "sources": [
            {"source": report.source, "state": report.state, "detail": report.detail and printable(report.detail, 300)}
            for report in reports
        ],
        "witnesses": witnesses,
    }  # fmt: skip


def _transition(window: Window, observations: Observations, witnesses: Document) -> Document:
    verdicts = correlate(window)
    return {
        "index": window.index,
        "from_boot_id": window.from_boot.boot_id if window.from_boot else None,
        "to_boot_id": window.to_boot_id,
        "claims": {axis: verdict.claim for axis, verdict in verdicts.items()},
        "open": {axis: list(verdict.open) for axis, verdict in verdicts.items()},
        "strength": {axis: verdict.strength for axis, verdict in verdicts.items()},
        "flat": flat(window, verdicts),
        "antecedents": list(_antecedents(window, observations)),
        "unknown_reasons": unknown_reasons(window, verdicts),
        "conflicts": [_conflict(verdict) for verdict in verdicts.values() if verdict.conflict],
        "proof": [_proof(held, observations) for verdict in verdicts.values() for held in verdict.held],
        "window": _times(window),
        "would_decide": would_decide(window, verdicts),
        "arm_now": arm_now(witnesses) if window.index == 0 else [],
    }


def _proof(held: Held, observations: Observations) -> Document:
    return {
        "axis": held.rule.axis,
        "path": held.rule.path,
        "rule": held.rule.rule_id,
        "strength": held.strength,
        "premises": [observations.id_of(one) for one in held.premises],
        "absent": list(held.rule.forbidden),
    }


def _conflict(verdict: Verdict) -> Document:
    return {
        "axis": verdict.axis,
        "paths": sorted({held.rule.path for held in verdict.conflict}),
        "rules": sorted({held.rule.rule_id for held in verdict.conflict}),
    }


def _antecedents(window: Window, observations: Observations) -> Iterator[Document]:
    """What came before the end, the nearest to it first; then what belongs to no boot that is known."""
    before, loose = [], []
    for token, one in [*window.seen.items(), *((f"from:{one.kind}", one) for one in window.earlier)]:
        kind = SAME_THING.get(one.kind, one.kind)
        if kind in ANTECEDENTS and (token.startswith("from:") or kind == Antecedent.FIRMWARE_ERROR_RECORD):
            before.append((kind, one))
    for source in LOOSE_SOURCES if window.index == 0 else ():
        stale = source in (Source.PSTORE, Source.KDUMP)
        found = [one for one in window.loose if one.source == source and one.value != DONE][:MOST_LOOSE]
        loose += [(Antecedent.UNBOUND_RECORD if stale else SAME_THING.get(one.kind, one.kind), one) for one in found]
    end = window.last_sign_s
    before.sort(key=lambda pair: -(pair[1].at_s or 0.0))
    for kind, one in before + [(kind, one) for kind, one in loose if kind in ANTECEDENTS]:
        distance = _distance(one, end, window)
        yield {
            "kind": kind,
            "summary": _summary(kind, one, distance),
            "count": one.count,
            "before_end_s": distance,
            "observations": [observations.id_of(one)],
        }


def _distance(one: Seen, end: float | None, window: Window) -> float | None:
    ours = window.from_boot is not None and one.boot_id == window.from_boot.boot_id
    return round(max(0.0, end - one.at_s), 3) if ours and end is not None and one.at_s is not None else None


def _summary(kind: str, one: Seen, distance: float | None) -> str:
    often = f" ({one.count} times)" if one.count > 1 and one.source == Source.JOURNAL else ""
    when = f", {age(distance)} before the last sign of life" if distance is not None else ""
    unbound = ", of a boot that cannot be told" if one.boot_id is None else ""
    return printable(f"{kind.replace('_', ' ')}{often}{when}{unbound}: {one.excerpt}", 500)


def _times(window: Window) -> Document:
    """The gap is by the clock of the day, and only where that clock was set alike in both boots."""
    before, after = window.from_boot, window.to_boot
    gap = None
    if (
        before
        and after
        and before.last_real is not None
        and after.starts
        and len(before.starts) == len(after.starts) == 1
    ):
        gap = round(after.starts[0] - before.last_real, 3)
    last = window.last_sign_s
    return {"last_sign_s": None if last is None else round(last, 6), "gap_s": gap}
