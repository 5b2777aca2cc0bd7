"""What each rule proves, and what claims are called in words; `diag/reset/tables.py` is generated from this file.

A rule is named by axis, name and version: one that comes to prove something else gets another version.
"""

PROVES: dict[str, str] = {
    "termination.orderly_reboot/3": "orderly.reboot",
    "termination.orderly_poweroff/3": "orderly.poweroff",
    "termination.orderly_halt/3": "orderly.halt",
    "termination.orderly_kexec/3": "orderly",
    "termination.orderly_reboot_in_journal/1": "orderly.reboot",
    "termination.orderly_poweroff_in_journal/1": "orderly.poweroff",
    "termination.orderly_halt_in_journal/1": "orderly.halt",
    "termination.orderly_kexec_in_journal/1": "orderly",
    "termination.forced/1": "disorderly.forced",
    "termination.panic/1": "disorderly.panic",
    "termination.disorderly/1": "disorderly",
    "termination.disorderly_without_wtmp/1": "disorderly",
    "termination.disorderly_in_shutdown/1": "disorderly",
    "reset_domain.orderly/1": "platform_reset",
    "reset_domain.panic/1": "platform_reset",
    "reset_domain.register/1": "platform_reset",
    "initiator.forced/1": "os",
    "initiator.requested/1": "os",
    "initiator.operator/1": "os.operator",
    "initiator.power_key_poweroff/2": "human_physical",
    "initiator.power_key_reboot/2": "human_physical",
    "initiator.thermal_poweroff/2": "os.kernel_policy.thermal",
    "initiator.thermal_reboot/2": "os.kernel_policy.thermal",
    "initiator.register_watchdog/1": "hardware.watchdog",
    "initiator.register_error/1": "hardware.error",
    "initiator.register_software/1": "os",
}
"""The path that each rule proves on the axis that it is named after."""

END_WORDS: dict[str, str] = {
    "orderly.reboot": "Restarted in good order",
    "orderly.poweroff": "Powered off in good order",
    "orderly.halt": "Halted in good order",
    "orderly.kexec": "Went over to another kernel in good order",
    "orderly": "Shut down in good order",
    "disorderly.forced": "Ended by software, without stopping the services",
    "disorderly.panic": "The kernel panicked",
    "disorderly": "Ended without a completed shutdown",
    "any": "How it ended cannot be told",
}
"""How it ended, by a claim or the nearest branch above it."""

INITIATOR_WORDS: dict[str, str] = {
    "os.operator": "an operator asked for it",
    "os": "a program on the node asked for it",
    "human_physical": "the power key was pressed",
    "os.kernel_policy.thermal": "the kernel shut it down for heat",
    "hardware.watchdog": "the hardware watchdog expired",
    "hardware.error": "the hardware reported an error that it could not correct",
}
"""Who or what set it off, likewise; what is not here is not put in words."""

PANIC_KINDS: dict[str, str] = {
    "panic_record": "a record of firmware memory",
    "kernel_panic": "the last line of the journal",
    "fatal_words": "the same where the line itself is missing",
}
"""The kinds of observations that have a panic in the kernel's own words, and where those are from."""

EXPECTED: dict[str, str] = {
    "os.operator": "yes",
    "human_physical.power_button": "yes",
    "os.kernel_policy.panic": "no",
    "os.kernel_policy.thermal": "no",
    "hardware.watchdog": "no",
    "hardware.thermal_trip": "no",
    "hardware.error": "no",
    "supply.mains": "no",
    "supply.adapter": "no",
}
"""Whether somebody wanted an end, by the leaf of who set it off; of what is not here (a service: an upgrade does, a
daemon that watches the temperature does not) it cannot be said. It is said only where every open leaf says the same."""
