"""The same in few words: one line for people, and the one reason that other programs know, by tables."""

from __future__ import annotations

from diag.reset.correlate import ANY, Verdict, is_under, upwards
from diag.reset.words import Axis, Initiator, Termination

YES, NO, UNKNOWN = "yes", "no", "unknown"
WORDS = {
    Termination.REBOOT: "Restarted in good order",
    Termination.POWEROFF: "Powered off in good order",
    Termination.HALT: "Halted in good order",
    Termination.KEXEC: "Went over to another kernel in good order",
    "orderly": "Shut down in good order",
    Termination.FORCED: "Restarted by software without stopping the services",
    "disorderly.panic": "The kernel panicked",
    "disorderly": "Ended without a shutdown",
    ANY: "How it ended cannot be told",
}
INITIATORS = {
    "os.operator": "an operator asked for it",
    "os": "a program on the node asked for it",
    "human_physical": "the power key was pressed",
    Initiator.POLICY_THERMAL: "the kernel shut it down for heat",
    Initiator.WATCHDOG: "the hardware watchdog expired",
    Initiator.HARDWARE_ERROR: "the hardware reported an error that it could not correct",
}
# The seven codes of the vendor's reporter 1.1.0; SUSPECTED is in their names, not in our claims.
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


def flat(verdicts: dict[str, Verdict]) -> dict[str, str]:
    """The flat answer of a transition, as the document has it."""
    return {
        "words": _words(verdicts),
        "expected": _expected(verdicts[Axis.TERMINATION].claim, verdicts[Axis.INITIATOR].claim),
        "data_at_risk": _at_risk(verdicts[Axis.TERMINATION].claim),
        "vendor_reason": _by_table(VENDOR, verdicts, "UNKNOWN"),
        "redfish_last_reset_cause": _by_table(REDFISH, verdicts, "Unknown"),
    }


def _words(verdicts: dict[str, Verdict]) -> str:
    termination, initiator = verdicts[Axis.TERMINATION], verdicts[Axis.INITIATOR]
    words = _nearest(WORDS, termination.claim) or WORDS[ANY]
    panic = next((one.value for held in termination.held for one in held.premises if one.kind in _PANICS), None)
    if panic and is_under(termination.claim, "disorderly.panic"):
        words = f"{words}: {panic}"
    by_whom = _nearest(INITIATORS, initiator.claim)
    return f"{words}; {by_whom}" if by_whom else words


_PANICS = ("panic_record", "kernel_panic", "fatal_words")


def _expected(termination: str, initiator: str) -> str:
    """Whether somebody wanted it: a shutdown that a program or a person asked for; a crash is not."""
    if is_under(termination, "orderly"):
        return NO if is_under(initiator, "os.kernel_policy") else YES if is_under(initiator, "os") else UNKNOWN
    return NO if is_under(termination, "disorderly.panic") else UNKNOWN


def _at_risk(termination: str) -> str:
    """Whether what was written last may be lost: not after an orderly end, always after a disorderly one."""
    return NO if is_under(termination, "orderly") else YES if is_under(termination, "disorderly") else UNKNOWN


def _by_table(table: tuple[tuple[str, str, str], ...], verdicts: dict[str, Verdict], otherwise: str) -> str:
    return next((word for axis, path, word in table if is_under(verdicts[axis].claim, path)), otherwise)


def _nearest(table: dict[str, str], path: str) -> str | None:
    """The words of a path, or of the nearest branch above it."""
    return next((table[branch] for branch in upwards(path) if branch in table), None)
