"""The same in few words: one line for people, and the one reason that other programs know, by tables."""

from __future__ import annotations

from diag.reset.correlate import ANY, Verdict, is_under, upwards
from diag.reset.tables import END_WORDS, EXPECTED, INITIATOR_WORDS, PANIC_KINDS
from diag.reset.window import Window
from diag.reset.words import Antecedent, Axis, Initiator, Termination

YES, NO, UNKNOWN = "yes", "no", "unknown"
NO_CODE = "UNKNOWN"
# The seven codes of the vendor's reporter 1.1.0; SUSPECTED is in their names, not in our claims. PLANNED is their word
# for whatever ended in good order: it is not said where nobody wanted it.
VENDOR = (
    (Axis.INITIATOR, Initiator.WATCHDOG, "WATCHDOG_RESET_SUSPECTED"),
    (Axis.TERMINATION, Termination.REBOOT, "PLANNED_REBOOT"),
    (Axis.TERMINATION, Termination.KEXEC, "PLANNED_REBOOT"),
    (Axis.TERMINATION, Termination.POWEROFF, "PLANNED_SHUTDOWN"),
    (Axis.TERMINATION, Termination.HALT, "PLANNED_SHUTDOWN"),
    (Axis.TERMINATION, "disorderly.panic", "KERNEL_PANIC_OR_OOPS"),
    (Axis.RESET_DOMAIN, "platform_reset.power_lost", "POWER_LOSS_OR_HARD_RESET_SUSPECTED"),
)
# Redfish ComputerSystem, property LastResetCause.
REDFISH = (
    (Axis.INITIATOR, Initiator.WATCHDOG, "WatchdogExpired"),
    (Axis.INITIATOR, Initiator.POLICY_THERMAL, "ThermalEvent"),
    (Axis.INITIATOR, "human_physical", "PowerButtonPress"),
    (Axis.TERMINATION, "disorderly.panic", "SystemCrash"),
    (Axis.RESET_DOMAIN, "platform_reset.power_lost", "PowerEvent"),
    (Axis.TERMINATION, Termination.REBOOT, "OSSoftRestart"),
)


def flat(window: Window, verdicts: dict[str, Verdict]) -> dict[str, str]:
    """The flat answer of a transition, as the document has it."""
    expected, vendor = _expected(verdicts[Axis.INITIATOR]), _by_table(VENDOR, verdicts, NO_CODE)
    return {
        "words": _words(verdicts),
        "expected": expected,
        "data_at_risk": _at_risk(window, verdicts[Axis.TERMINATION]),
        "vendor_reason": NO_CODE if expected == NO and vendor.startswith("PLANNED") else vendor,
        "redfish_last_reset_cause": _by_table(REDFISH, verdicts, "Unknown"),
    }


def _words(verdicts: dict[str, Verdict]) -> str:
    termination, initiator = verdicts[Axis.TERMINATION], verdicts[Axis.INITIATOR]
    words = _nearest(END_WORDS, termination.claim) or END_WORDS[ANY]
    panic = next((one.value for held in termination.held for one in held.premises if one.kind in PANIC_KINDS), None)
    if panic and is_under(termination.claim, "disorderly.panic"):
        words = f"{words}: {panic}"
    by_whom = _nearest(INITIATOR_WORDS, initiator.claim)
    return f"{words}; {by_whom}" if by_whom else words


def _expected(initiator: Verdict) -> str:
    """Whether somebody wanted it: only where that holds whoever of those still open it was."""
    told = {EXPECTED.get(leaf, UNKNOWN) for leaf in initiator.open}
    return told.pop() if len(told) == 1 else UNKNOWN


def _at_risk(window: Window, termination: Verdict) -> str:
    """Whether what was written last may be lost: always after a disorderly end.

    Not after an orderly one whose root file system was then found clean, if no service was killed on the way.
    """
    if is_under(termination.claim, "disorderly"):
        return YES
    is_clean = any(one.kind == "root_clean" for held in termination.held for one in held.premises)
    is_killed = any(one.kind == Antecedent.STOP_TIMEOUT for one in [*window.seen.values(), *window.earlier])
    return NO if is_under(termination.claim, "orderly") and is_clean and not is_killed else UNKNOWN


def _by_table(table: tuple[tuple[str, str, str], ...], verdicts: dict[str, Verdict], otherwise: str) -> str:
    return next((word for axis, path, word in table if is_under(verdicts[axis].claim, path)), otherwise)


def _nearest(table: dict[str, str], path: str) -> str | None:
    """The words of a path, or of the nearest branch above it."""
    return next((table[branch] for branch in upwards(path) if branch in table), None)
