"""Why an axis is not known better, what would have decided it, and what to arm so that the next one can be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diag.reset.correlate import ANY, LEAVES, Hindered, Verdict, claims_in, hindered, is_under
from diag.reset.window import Window
from diag.reset.words import Axis, UnknownCause

DETAIL = {
    "disorderly": "power loss, a reset line, a hang, a watchdog and a forced restart all look like this from inside",
    "disorderly.panic": "whether it then restarted by itself, by a crash kernel, or stood until it was reset",
    "orderly": "a request for another kernel can end in an ordinary restart",
    "os": "which program asked is not logged",
    "platform_reset": "nothing on the node tells whether the power was kept",
}

BEGUN = "termination.disorderly_in_shutdown/1"
IN_SHUTDOWN = "a hang in it, power loss, a reset line and a watchdog all look alike then"
MOST_NEAR, QUOTED = 3, 90


def unknown_reasons(window: Window, verdicts: dict[str, Verdict]) -> list[dict[str, Any]]:
    """A reason for each axis whose claim is no leaf."""
    return [reason for axis, verdict in verdicts.items() for reason in _reasons(axis, verdict, window, verdicts)]


def _reasons(axis: str, verdict: Verdict, window: Window, verdicts: dict[str, Verdict]) -> Iterator[dict[str, Any]]:
    if verdict.claim in LEAVES[axis]:
        return
    if verdict.conflict:
        yield _reason(axis, UnknownCause.EVIDENCE_CONFLICTS, "two rules that hold cannot both be true")
        return
    if verdict.claim != ANY:
        begun = next((held.premises[-1] for held in verdict.held if held.rule.rule_id == BEGUN), None)
        words = f"a shutdown had begun (“{begun.excerpt[:QUOTED]}”), and {IN_SHUTDOWN}" if begun else None
        yield _reason(axis, UnknownCause.INDISTINGUISHABLE, words or DETAIL.get(verdict.claim))
        return
    if axis == Axis.INITIATOR and is_under(verdicts[Axis.TERMINATION].claim, "orderly"):
        yield _reason(axis, UnknownCause.REQUESTER_NOT_LOGGED, "the journal does not say who asked for it")
        return
    if window.from_boot is not None:
        others = {name: one for name, one in verdicts.items() if name != axis}
        near = {_hindrance(one, window): None for one in hindered(axis, window, claims_in(others))}
        yield from (_reason(axis, cause, detail) for cause, detail in list(near)[:MOST_NEAR])
        if near:
            return
    is_first = axis == Axis.TERMINATION or window.from_boot is None
    causes = window.causes if is_first else ()
    for cause, detail in causes:
        yield _reason(axis, cause, detail)
    if not causes:
        yield _reason(axis, UnknownCause.NO_WITNESS, "nothing that was read bears on it")


def _hindrance(one: Hindered, window: Window) -> tuple[str, str]:
    """What stands against a rule: first what was seen, with its own words, else where nobody could look."""
    if not one.against:
        return window.uncovered.get(one.places[0], (UnknownCause.NOT_COLLECTED, "not all that bears on it was read"))
    words = f"“{one.against[0].excerpt[:QUOTED]}” speaks against {one.rule.path}"
    if one.required:
        words = (
            f"“{one.required[0].excerpt[:QUOTED]}” speaks for {one.rule.path}, {words.removesuffix(one.rule.path)}it"
        )
    return UnknownCause.EVIDENCE_CONFLICTS, words


def _reason(axis: str, cause: str, detail: str | None) -> dict[str, Any]:
    return {"axis": axis, "cause": cause, "detail": detail}


def would_decide(window: Window, verdicts: dict[str, Verdict]) -> list[str]:
    """What, had it been there, would have told more of this transition."""
    termination, domain = verdicts[Axis.TERMINATION].claim, verdicts[Axis.RESET_DOMAIN].claim
    causes = {cause for cause, _ in window.causes}
    found = []
    if causes & {UnknownCause.JOURNAL_MISSING, UnknownCause.JOURNAL_VOLATILE, UnknownCause.JOURNAL_LOST_BOOT}:
        found.append("a journal of that boot that is kept on disk")
    if UnknownCause.JOURNAL_NOT_PERMITTED in causes:
        found.append("the right to read the system journal (group systemd-journal or adm, or --elevation)")
    if termination in (ANY, "disorderly"):
        found.append("kernel messages sent off the node (netconsole, remote syslog): the last seconds are not on disk")
        found.append("a panic record in pstore: with one armed, its absence would speak against a panic")
    if termination in (ANY, "disorderly") or domain in (ANY, "platform_reset"):
        found.append("a log of the power outlet or of the UPS for that time, or neighbours on the same one")
        found.append("counters of the drive (unsafe shutdowns, power cycles) from a visit before and one after")
        found.append("the reset counter of the TPM from a visit before and one after")
    if verdicts[Axis.INITIATOR].claim in (ANY, "os") and is_under(termination, "orderly"):
        found.append("who ran the command: sudo or auditd in the journal of that boot")
    return found


def arm_now(witnesses: dict[str, Any]) -> list[str]:
    """What to set on the node now; only for what was read and found wanting."""
    found = []
    if witnesses.get("journal_persistent") is False:
        found.append("keep the journal: mkdir -p /var/log/journal && systemctl restart systemd-journald")
    if witnesses.get("pstore_backend") in ("", "(null)", "none"):
        found.append("let panics leave a record: modprobe efi_pstore, and load it at boot")
    if witnesses.get("panic_timeout_s") == 0:
        found.append(
            "let a panic restart the node by itself: kernel.panic=60 in a file in /etc/sysctl.d, then sysctl --system"
        )
    if witnesses.get("watchdog_state") == "inactive":
        found.append(
            "arm the watchdog: RuntimeWatchdogSec=60 in /etc/systemd/system.conf, then systemctl daemon-reexec"
        )
    return found
