"""What the labels of the collected reset cases say on each axis of a claim, for scoring only.

A label is a word for an end ("watchdog"), a claim is a path on one of three axes. Each row gives the paths that are
true under a label; None means that the label says nothing about that axis. Why the rows of LABELS are as they are:

- `clean_reboot`: somebody asked for a restart, and it ended in good order; by way of the firmware or of kexec, since
  the collection has no other word for that. A restart keeps the power. A person or a service is behind the request.
- `clean_poweroff`: in good order, asked for by a person, a service (a low battery, too) or the power key. Whether the
  machine was without power afterwards, and how long, the word does not say; that the platform was reset, it does.
- `kernel_panic`: the word does not say whether the kernel restarted, went through a crash kernel or stood there, and so
  not how far the reset reached. It was set off by the policy of the kernel, by whoever asked for a crash (sysrq), or by
  the hardware whose error the kernel could not survive.
- `watchdog`: one fires because nothing feeds it any more: the system hung, or panicked and hung, or only what feeds the
  watchdog died and all else ran on. It resets by a reset line or by way of the power controller, which cuts it briefly.
- `thermal_shutdown`: the kernel shuts down in good order, or by force when that takes too long; a trip in hardware
  gives no warning. Some machines stay off after it, some do not.
- `power_loss`: nothing is written in such a moment. Who cut it, the word does not say beyond: not the node itself.
- `hardware_error`: the machine stopped, hung or panicked of it. What reset it then may be the hardware, a watchdog, or
  the panic's policy. How far that reached is not said.
- `oom_freeze`: the machine hung for want of memory. Who reset it, and how, is not said.
- `firmware_update`: a restart (or power-off) in good order, asked for so that the firmware can be written; the firmware
  may reset the machine again after it wrote.
- `gpu_failure`: names what failed while the machine ran, not how the boot ended.
- `unknown`: nothing is supported by the evidence.

BY_FAULT does the same for the words of resets that were induced in virtual machines, where the fault itself is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sparkctl.model.reset_words import Axis, Initiator, ResetDomain, Termination

FIRM = 0.7
"""From this confidence on, a label stands alone: what else would be acceptable is then no truth."""

Paths = tuple[str, ...]
Row = Mapping[Axis, Paths | None]

_PANICS = (Termination.PANIC_REBOOT, Termination.PANIC_KDUMP, Termination.PANIC_HANG)
_POWER_LOST = (ResetDomain.POWER_LOST_BRIEF, ResetDomain.POWER_LOST_SUSTAINED)
_PLATFORM = (ResetDomain.POWER_KEPT, *_POWER_LOST)
_ASKED = (Initiator.OPERATOR, Initiator.SERVICE)
_SUPPLY = (Initiator.MAINS, Initiator.ADAPTER, Initiator.UNPLUGGED)
_KEPT = (ResetDomain.POWER_KEPT,)


class Label(StrEnum):
    """The labels of the collection."""

    CLEAN_REBOOT = "clean_reboot"
    CLEAN_POWEROFF = "clean_poweroff"
    KERNEL_PANIC = "kernel_panic"
    WATCHDOG = "watchdog"
    THERMAL_SHUTDOWN = "thermal_shutdown"
    POWER_LOSS = "power_loss"
    HARDWARE_ERROR = "hardware_error"
    OOM_FREEZE = "oom_freeze"
    FIRMWARE_UPDATE = "firmware_update"
    GPU_FAILURE = "gpu_failure"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What the truth of an axis rests on: the label, what the reporter says (or would also do), or nothing."""

    LABEL = "label"
    REPORTER = "reporter"
    NONE = "none"


def _row(termination: Paths | None, reset_domain: Paths | None, initiator: Paths | None) -> Row:
    return {Axis.TERMINATION: termination, Axis.RESET_DOMAIN: reset_domain, Axis.INITIATOR: initiator}


LABELS: Mapping[Label, Row] = {
    Label.CLEAN_REBOOT: _row((Termination.REBOOT, Termination.KEXEC), (*_KEPT, ResetDomain.KEXEC), _ASKED),
    Label.CLEAN_POWEROFF: _row((Termination.POWEROFF,), _PLATFORM, (*_ASKED, Initiator.POWER_BUTTON)),
    Label.KERNEL_PANIC: _row(_PANICS, None, (Initiator.POLICY_PANIC, *_ASKED, Initiator.HARDWARE_ERROR)),
    Label.WATCHDOG: _row(
        (Termination.HANG, Termination.SILENT, Termination.PANIC_HANG),
        (*_KEPT, ResetDomain.POWER_LOST_BRIEF),
        (Initiator.WATCHDOG,),
    ),
    Label.THERMAL_SHUTDOWN: _row(
        (Termination.POWEROFF, Termination.FORCED, Termination.SILENT),
        _PLATFORM,
        (Initiator.POLICY_THERMAL, Initiator.THERMAL_TRIP),
    ),
    Label.POWER_LOSS: _row((Termination.SILENT,), _POWER_LOST, _SUPPLY),
    Label.HARDWARE_ERROR: _row(
        (Termination.SILENT, Termination.HANG, *_PANICS),
        None,
        (Initiator.HARDWARE_ERROR, Initiator.WATCHDOG, Initiator.POLICY_PANIC),
    ),
    Label.OOM_FREEZE: _row((Termination.HANG, Termination.SILENT), None, None),
    Label.FIRMWARE_UPDATE: _row(
        (Termination.REBOOT, Termination.POWEROFF), _PLATFORM, (Initiator.FIRMWARE, *_ASKED)
    ),
    Label.GPU_FAILURE: _row(None, None, None),
    Label.UNKNOWN: _row(None, None, None),
}  # fmt: skip
"""What is true on each axis under a label."""

_CLEAN_REBOOT = _row((Termination.REBOOT,), _KEPT, _ASKED)
_FORCED = _row((Termination.FORCED,), _KEPT, _ASKED)

BY_FAULT: Mapping[str, Row] = {
    "reboot_clean": _CLEAN_REBOOT,
    "reboot_clean_hung_stop": _CLEAN_REBOOT,
    "shutdown_timed_msg": _CLEAN_REBOOT,
    "oom_kill_then_reboot": _CLEAN_REBOOT,
    # Powered off is without power until somebody switches it on; where a host keeps the standby rail, it is not.
    "poweroff_clean": _row((Termination.POWEROFF,), _PLATFORM, _ASKED),
    # sysrq c: whoever wrote the letter asked for it, the kernel's policy ended it.
    "panic": _row(_PANICS, None, (Initiator.POLICY_PANIC, *_ASKED)),
    "reboot_force": _FORCED,
    "reboot_force_nosync": _FORCED,
    "sysrq_reboot": _FORCED,
    "power_loss": _row((Termination.SILENT,), _POWER_LOST, _SUPPLY),
    "reset_button": _row((Termination.SILENT,), _KEPT, (Initiator.RESET_BUTTON,)),
    "hang_reset": _row((Termination.HANG,), _KEPT, (Initiator.RESET_BUTTON,)),
    "watchdog_reset": _row((Termination.HANG, Termination.SILENT), _KEPT, (Initiator.WATCHDOG,)),
}
"""What is true on each axis after a fault that was induced."""

SAME_KERNEL = frozenset({"soft_reboot"})
"""Ends of user space only: the kernel and its boot id go on, so that there is no transition to be judged."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The paths that are true of one axis, and what that rests on; no paths where nothing is known."""

    paths: Paths
    basis: Basis


def truth_of(label: Label, confidence: float, acceptable: Sequence[Label], reporter: Label) -> dict[Axis, Truth]:
    """What is true of a case on each axis.

    A firm label (see FIRM) stands alone where it says something; where it says nothing, the reporter's word is taken.
    Under `unknown` or a label that is not firm, what is also acceptable and what the reporter says are truths, too.
    """
    loose = label is Label.UNKNOWN or confidence < FIRM
    others = [*acceptable, reporter] if loose else []
    return {axis: _truth(axis, label, others, reporter) for axis in Axis}


def _truth(axis: Axis, label: Label, others: Sequence[Label], reporter: Label) -> Truth:
    own, beside = LABELS[label][axis], _union(axis, others)
    if own is not None:
        return Truth(tuple(dict.fromkeys((*own, *beside))), Basis.LABEL)
    told = beside or _union(axis, [reporter])
    return Truth(told, Basis.REPORTER if told else Basis.NONE)


def _union(axis: Axis, labels: Sequence[Label]) -> Paths:
    return tuple(dict.fromkeys(path for label in labels for path in LABELS[label][axis] or ()))
