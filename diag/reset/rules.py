"""The rules, as data: what must have been seen, what must not, and where it must have been looked for.

A token is `from:KIND` for a thing seen of the boot that ended, `to:KIND` for one of the boot after it. A rule holds
when each group of `required` has a token that was seen, no token of `forbidden` was, and each place of `coverage` was
read, without an entry missing: an absence counts only where it was looked for. What is taken away then weakens a
claim, or leaves none, wherever it can be noticed that it is gone; docs/reset-reason.md has where it can not.

No rule rests on the clock of the day, on a gap between boots, or on what could be left over from another boot.
`calibrated` names the recorded resets on which a rule was measured; one that has none asserts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from diag.reset.tables import PROVES
from diag.reset.words import Strength

END, TAIL, HEAD, WTMP, ROOT, RECORDS = "end", "tail", "head", "wtmp", "root", "records"
"""Where an absence was looked for: from a minute before the first step of the shutdown to the end (see END_S), from
as long before it as anything bears on it (see TAIL_S), the start of the next boot, wtmp, the root as that boot found
it, firmware memory that keeps records of panics. Without a step the end itself stands for it."""
SOON_S = 60.0  # a key, or heat, that sets a shutdown off does it within these seconds
NEAR_END = {
    "key_poweroff": SOON_S, "key_reboot": SOON_S, "heat_poweroff": SOON_S, "heat_reboot": SOON_S,
    "power_key": 300.0, "other_key": 300.0, "operator_command": 60.0, "thermal_critical": 600.0, "ups": 600.0,
}  # fmt: skip
"""Kinds that bear on the end only when they came within so many seconds before it, or before the shutdown began: a
desktop counts down for a minute after a key; the kernel gives an orderly power-off for heat its time."""
PLACES = (END, TAIL, HEAD, WTMP, ROOT, RECORDS)
END_S, TAIL_S = 60.0, max(NEAR_END.values())
ALL_STEPS = (
    "from:logind_verb", "from:logind_request", "from:targets_stopped", "from:final_target", "from:target_reboot",
    "from:target_poweroff", "from:target_halt", "from:target_kexec", "from:init_ends", "from:last_init",
    "from:journald_sigterm", "from:journal_stopped", "from:kernel_ends", "from:ctrl_alt_del", "from:soft_reboot",
)  # fmt: skip
# A request for kexec can end in an ordinary reset, when the next kernel does not start: it proves the branch only.
VERBS = ("reboot", "poweroff", "halt", "kexec")
TARGETS = ("from:target_reboot", "from:target_poweroff", "from:target_halt", "from:target_kexec")
PANICS = ("from:panic_record", "from:crash_dump", "from:kernel_panic", "from:fatal_words")
# A root file system that took no more writes looks afterwards as if the machine had been cut off, however it ended.
NO_WRITES = ("from:read_only", "to:root_errors")
KEYS_POWER = ("from:power_key", "from:other_key", "from:ups", "from:ctrl_alt_del", "from:sysrq")
KEYS_HEAT_POWER = (*KEYS_POWER, "from:thermal_critical")
SLEEP = ("from:hibernating", "to:hibernate_image")
LOST_WRITES = ("to:root_recovered",)
VM, VM_SERIES, PUBLIC = "resets of virtual machines", "series of resets of one machine", "public cases"
INDUCED = "resets induced by us, of User Mode Linux with systemd 252 and 254"
ORDERLY = ("claim:orderly.reboot", "claim:orderly.poweroff", "claim:orderly.halt", "claim:orderly")


@dataclass(frozen=True)
class Rule:
    """Named by axis, name and version, as proofs name it; `validity` says in words for which machines and why it holds.

    What is seen of `corroborating`, in another source than the other premises, makes the claim as strong as claims
    are, where the places of `strong_where` were looked at.
    """

    rule_id: str
    strength: str
    required: tuple[tuple[str, ...], ...]
    forbidden: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()
    corroborating: tuple[str, ...] = ()
    strong_where: tuple[str, ...] = ()
    validity: str = ""
    calibrated: tuple[str, ...] = ()

    @property
    def axis(self) -> str:
        """The axis on which it claims."""
        return self.rule_id.partition(".")[0]

    @property
    def path(self) -> str:
        """What it claims there."""
        return PROVES[self.rule_id]


def _orderly(verb: str, name: str, strength: str, *root: tuple[str, ...], told: str) -> Rule:
    target = f"from:target_{verb}"
    return Rule(
        name,
        strength,
        required=((target,), ("from:journal_stopped",), *root),
        forbidden=(
            *PANICS,
            *LOST_WRITES,
            *SLEEP,
            "from:kexec_tools",
            *(token for token in TARGETS if token != target),
        ),
        coverage=(END, HEAD, ROOT),
        # The shutdown that wtmp has was entered by the same systemd before its last target: it cannot err otherwise.
        corroborating=("to:root_clean",),
        # A panic after the journal was closed is told by its record only.
        strong_where=(RECORDS,),
        validity=f"systemd reached the last target of this verb and then had the journal closed; {told}",
        calibrated=(VM,),
    )


def _unmounted(verb: str) -> Rule:
    told = "the next boot found nothing to recover on the root file system"
    return _orderly(verb, f"termination.orderly_{verb}/3", Strength.S2, ("to:root_clean",), told=told)


def _in_journal(verb: str) -> Rule:
    """Of earlier ends: whether their root had to be recovered is not known any more."""
    told = "what became of the root file system afterwards is not known any more"
    return _orderly(verb, f"termination.orderly_{verb}_in_journal/1", Strength.S1, told=told)


def _power_key(verb: str) -> Rule:
    other = "poweroff" if verb == "reboot" else "reboot"
    return Rule(
        f"initiator.power_key_{verb}/2",
        Strength.S2,
        required=(("from:power_key",), (f"from:key_{verb}",), (f"from:verb_{verb}",)),
        forbidden=(f"from:verb_{other}", "from:operator_command", "from:thermal_critical", "from:ups"),
        coverage=(TAIL,),
        validity="the login manager saw the key pressed, said what it does about it, and did that within a minute",
        calibrated=(PUBLIC,),
    )


def _thermal(verb: str) -> Rule:
    other = "poweroff" if verb == "reboot" else "reboot"
    return Rule(
        f"initiator.thermal_{verb}/2",
        Strength.S2,
        required=((f"from:heat_{verb}",), (f"from:verb_{verb}", f"from:target_{verb}")),
        forbidden=(*PANICS, f"from:heat_{other}", f"from:verb_{other}", f"from:target_{other}", *KEYS_POWER),
        coverage=(TAIL,),
        validity="the kernel said that it does so for heat, and an orderly shutdown of that kind began within a minute",
        calibrated=(PUBLIC,),
    )


RULES: tuple[Rule, ...] = (
    *(_unmounted(verb) for verb in VERBS),
    *(_in_journal(verb) for verb in VERBS),
    Rule(
        "termination.forced/1", Strength.S2,
        required=(("from:init_ends",), ("from:journal_stopped",)),
        forbidden=(
            "from:logind_verb", "from:targets_stopped", "from:final_target", *TARGETS, "from:soft_reboot",
            "from:wtmp_shutdown", *PANICS, *LOST_WRITES, *SLEEP,
        ),
        coverage=(TAIL, HEAD, WTMP),
        validity="the first process ended without stopping a target, and no shutdown was entered in wtmp: a "
        "reboot that was forced",
        calibrated=(VM_SERIES,),
    ),
    Rule(
        "termination.panic/1", Strength.S2,
        required=(("from:panic_record", "from:kernel_panic", "from:fatal_words"),),
        corroborating=("to:journal_unclean", "to:root_recovered", "from:wtmp_no_shutdown"),
        validity="the kernel's own record of a panic: with messages of this very boot, or last in its "
        "journal",
        calibrated=(VM,),
    ),
    Rule(
        "termination.disorderly/1", Strength.S2,
        required=(("to:root_recovered",), ("from:wtmp_no_shutdown",)),
        forbidden=(*ALL_STEPS, *SLEEP, *NO_WRITES, "from:wtmp_shutdown"),
        coverage=(TAIL, HEAD, WTMP),
        corroborating=("to:journal_unclean",),
        validity="no step of a shutdown in the journal, none entered in wtmp, and the next boot had to recover "
        "the root file system: one that is unmounted, or made read-only before, needs no recovery",
        calibrated=(VM, VM_SERIES),
    ),
    Rule(
        "termination.disorderly_without_wtmp/1", Strength.S2,
        required=(("to:journal_unclean",), ("to:root_recovered",)),
        forbidden=(*ALL_STEPS, *SLEEP, *NO_WRITES, "from:wtmp_shutdown"),
        coverage=(TAIL, HEAD),
        validity="no step of a shutdown in the journal, and the next boot found both the journal and the root file "
        "system as one leaves them that is cut off",
        calibrated=(VM, VM_SERIES),
    ),
    Rule(
        "termination.disorderly_in_shutdown/1", Strength.S1,
        required=(("to:journal_unclean",), ("to:root_recovered",), ("from:logind_verb", "from:targets_stopped")),
        forbidden=(
            "from:journal_stopped", "from:journald_sigterm", "from:last_init", "from:init_ends", *TARGETS, *SLEEP,
            *NO_WRITES,
        ),
        coverage=(TAIL, HEAD),
        validity="a shutdown had begun but did not come to its end: the journal was never closed and the root file "
        "system had to be recovered",
        calibrated=(INDUCED,),
    ),
    Rule(
        "reset_domain.orderly/1", Strength.S2,
        required=(("claim:orderly.reboot", "claim:orderly.poweroff", "claim:orderly.halt"),),
        validity="these verbs end in the firmware, whatever became of the power",
        calibrated=(VM,),
    ),
    Rule(
        "reset_domain.panic/1", Strength.S1,
        required=(("claim:disorderly.panic",), ("to:command_line",)),
        forbidden=("to:crash_kernel", "from:crash_dump"),
        validity="from a panic a kernel gets out by a reset or into a crash kernel, whose command line "
        "says so; that of the boot that followed does not",
        calibrated=(VM,),
    ),
    Rule(
        "reset_domain.register/1", Strength.S2,
        required=(("to:reset_by_watchdog", "to:reset_by_software", "to:reset_by_error"),),
        validity="the reset register of AMD chip sets, which only a reset of the platform writes",
        calibrated=(PUBLIC,),
    ),
    Rule(
        "initiator.forced/1", Strength.S2,
        required=(("claim:disorderly.forced",),),
        forbidden=("from:ctrl_alt_del", "from:sysrq", "from:thermal_critical", "from:ups"),
        coverage=(TAIL,),
        validity="only a program can make the first process end without stopping a target, the keys aside",
        calibrated=(VM_SERIES,),
    ),
    Rule(
        "initiator.requested/1", Strength.S2,
        required=(ORDERLY, ("from:logind_verb",)),
        forbidden=KEYS_HEAT_POWER,
        coverage=(TAIL,),
        validity="a program asked the login manager for it, and neither a key, nor heat, nor a UPS is in the journal "
        "before",
        calibrated=(VM,),
    ),
    Rule(
        "initiator.operator/1", Strength.S2,
        required=(ORDERLY, ("from:operator_command",), ("from:logind_verb",)),
        forbidden=KEYS_HEAT_POWER,
        coverage=(TAIL,),
        validity="sudo logged the command that asks for it, within the minute before",
    ),
    _power_key("poweroff"),
    _power_key("reboot"),
    _thermal("poweroff"),
    _thermal("reboot"),
    Rule(
        "initiator.register_watchdog/1", Strength.S2,
        required=(("to:reset_by_watchdog",),),
        validity="the reset register of AMD chip sets, which the kernel reads and clears at every start",
        calibrated=(PUBLIC,),
    ),
    Rule(
        "initiator.register_error/1", Strength.S2,
        required=(("to:reset_by_error",),),
        validity="the reset register of AMD chip sets, which the kernel reads and clears at every start",
        calibrated=(PUBLIC,),
    ),
    Rule(
        "initiator.register_software/1", Strength.S2,
        required=(("to:reset_by_software",),),
        validity="the reset register of AMD chip sets, which the kernel reads and clears at every start",
        calibrated=(PUBLIC,),
    ),
)  # fmt: skip
