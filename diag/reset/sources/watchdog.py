"""The watchdogs: what they are, whether they are armed, and whether one says that it had reset the machine.

`bootstatus` is what the driver found when it was loaded. Nothing in it says of which boot it tells: a driver that is
not loaded leaves the mark for a later boot. Some drivers never set it, some firmware clears it first. So it proves
nothing by itself, and that it is 0 proves nothing at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.words import word
from diag.reset.evidence import Report, Seen, excerpt
from diag.reset.parts import Parts
from diag.reset.scope import Scope
from diag.reset.words import Source, SourceState

SECONDS = 3.0
ELEVATED: tuple[tuple[str, ...], ...] = ()
FOLDER = "/sys/class/watchdog"
NAME = re.compile(r"watchdog(\d{1,4})")
MOST, MAX_BYTES = 16, 4096
CARD_RESET = 0x20  # WDIOF_CARDRESET of include/uapi/linux/watchdog.h
MAX_STATUS = 2**32 - 1


@dataclass(frozen=True)
class Driver:
    """What is known of the bootstatus of the driver whose identity this is, and where that is from."""

    identity: str
    known: str
    source: str


DRIVERS = (
    Driver(
        "SBSA Generic Watchdog",
        "set where the second signal is still up when the driver loads, if no firmware cleared it before: on a GB10 "
        "it stayed 0 in a hang with this watchdog armed",
        "drivers/watchdog/sbsa_gwdt.c; a public report on a GB10",
    ),
    Driver(
        "i6300ESB timer",
        "set where the time-out flag stands when the driver loads, which then clears it",
        "drivers/watchdog/i6300esb.c; hw/watchdog/wdt_i6300esb.c of QEMU",
    ),
    Driver(
        "SP5100 TCO timer",
        "set where the fired flag stands when the driver loads, which then clears it",
        "drivers/watchdog/sp5100_tco.c",
    ),
    Driver("iTCO_wdt", "never set: the driver clears the flags and reports 0", "drivers/watchdog/iTCO_wdt.c"),
    Driver("Software Watchdog", "never set: nothing of it outlives the kernel", "drivers/watchdog/softdog.c"),
)


@dataclass(frozen=True)
class Watchdog:
    """One watchdog: `state` is `active` or `inactive`, `timeout` in seconds."""

    path: str
    identity: str | None
    state: str | None
    bootstatus: int | None
    timeout: int | None


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """What each says; facts `watchdog_identity`, `_state`, `_bootstatus` of the first that is armed, else of the first.

    Raises OSError or ValueError where none could be read.
    """
    if not machine.exists(FOLDER):
        raise FileNotFoundError(2, "No such folder", FOLDER)
    numbers = sorted(int(match[1]) for name in machine.names(FOLDER) if (match := NAME.fullmatch(name)))
    if not numbers:
        return Report(Source.WATCHDOG, SourceState.ABSENT, "the kernel drives no watchdog")
    parts = Parts(machine)
    found = [_watchdog(machine, parts, f"{FOLDER}/watchdog{number}") for number in numbers[:MOST]]
    state, detail = parts.state()
    if len(numbers) > MOST:
        state, detail = SourceState.PARTIAL, f"{len(numbers)} watchdogs are listed; the first {MOST} were read"
    told = next((one for one in found if one.state == "active"), found[0])
    facts = {
        "watchdog_identity": told.identity, "watchdog_state": told.state, "watchdog_bootstatus": told.bootstatus,
    }  # fmt: skip
    known = {key: value for key, value in facts.items() if value is not None}
    return Report(Source.WATCHDOG, state, detail, seen=tuple(filter(None, map(_fired, found))), facts=known)


def _watchdog(machine: Machine, parts: Parts, path: str) -> Watchdog:
    return Watchdog(
        path,
        parts.of(lambda: word(machine.read(f"{path}/identity", MAX_BYTES))),
        parts.of(lambda: word(machine.read(f"{path}/state", MAX_BYTES))),
        parts.of(lambda: _whole(machine, f"{path}/bootstatus")),
        parts.of(lambda: _whole(machine, f"{path}/timeout")),
    )


def _whole(machine: Machine, path: str) -> int:
    """A number of 32 bits; raises ValueError."""
    text = machine.read(path, MAX_BYTES)
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MAX_STATUS:
        raise ValueError(f"{path} holds no number of 32 bits")
    return int(text)


def _fired(one: Watchdog) -> Seen | None:
    """That it had reset the machine: when is not said, so it belongs to no boot."""
    if one.bootstatus is None or not one.bootstatus & CARD_RESET:
        return None
    identity = one.identity or "a watchdog without a name"
    known = next((driver.known for driver in DRIVERS if driver.identity == one.identity), "not known of this driver")
    armed = f"{one.state or 'state unknown'}, time-out {one.timeout or '?'} s"
    told = (
        f"{identity} ({armed}) has bootstatus {one.bootstatus}: a reset by the watchdog, in some boot. Of it: {known}"
    )
    return Seen(Source.WATCHDOG, "watchdog_fired", f"{one.path}/bootstatus", excerpt(told), value=identity)
