"""Do frames arrive damaged, or do links come and go?"""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.netdev import NET, Interface, interfaces
from diag.nodekit.problems import Unevaluated
from diag.nodekit.proc_files import uptime
from diag.nodekit.vocabulary import Comparison, Status, UnknownReason

CHECK = Check(title="Network errors and lost links")
DAMAGED = Threshold(
    Comparison.AT_LEAST,
    warn=0.01,
    provenance="judgement: IEEE 802.3 allows 10GBASE-T one damaged frame in tens of millions",
)
MIN_ERRORS = 100
FLAPS = Threshold(
    Comparison.AT_LEAST,
    warn=2.0,
    provenance="judgement: a link changes when it is plugged and at boot, not by the hour",
)
MIN_CHANGES = 10
HOUR = 3600.0


@dataclass(frozen=True)
class Ports:
    """The interfaces with hardware, and the seconds since boot over which they counted."""

    interfaces: tuple[Interface, ...]
    seconds: float


def observe(machine: Machine) -> Ports:
    return Ports(interfaces(machine), uptime(machine))


def evaluate(seen: Ports) -> Finding:
    counted = [one for one in seen.interfaces if len(one.counters) == 4]
    if not counted:
        raise Unevaluated(UnknownReason.PRECONDITION, f"no interface with hardware has counters in {NET}")
    flapping = max(counted, key=lambda one: _changes_per_hour(one, seen.seconds))
    rate = _changes_per_hour(flapping, seen.seconds)
    damaged = max(counted, key=_damaged_percent)
    readings = _readings(counted)
    by_errors = judged(
        DAMAGED,
        _damaged_percent(damaged),
        f"{damaged.name} counts {_errors(damaged)} damaged of {_frames(damaged)} frames since boot",
        unit="%",
        locator=f"{NET}/{damaged.name}/statistics"[:1000],
        action=f"Change the cable or transceiver of {damaged.name}, then the switch port; look at `ethtool -S`",
        readings=readings,
    )
    if by_errors.status != Status.PASS or FLAPS.judge(rate) == Status.PASS:
        return by_errors
    return judged(
        FLAPS,
        rate,
        f"The link of {flapping.name} changed {flapping.carrier_changes} times since boot, {rate:g} times an hour",
        unit="/h",
        locator=f"{NET}/{flapping.name}/carrier_changes"[:1000],
        action=f"Check the cable, the partner and power saving of {flapping.name}; Wi-Fi that roams does this",
        readings=readings,
    )


def _errors(one: Interface) -> int:
    return one.counters["rx_errors"] + one.counters["tx_errors"]


def _frames(one: Interface) -> int:
    return one.counters["rx_packets"] + one.counters["tx_packets"]


def _damaged_percent(one: Interface) -> float:
    errors = _errors(one)
    return round(100 * errors / (_frames(one) + errors), 4) if errors >= MIN_ERRORS else 0.0


def _changes_per_hour(one: Interface, seconds: float) -> float:
    changes = one.carrier_changes or 0
    return round(changes / max(seconds / HOUR, 1.0), 2) if changes >= MIN_CHANGES else 0.0


def _readings(counted: list[Interface]) -> tuple[Reading, ...]:
    readings = []
    for one in counted[:40]:
        readings.append(Reading(f"{one.name[:80]} errors", _errors(one), "1"))
        readings.append(Reading(f"{one.name[:80]} frames", _frames(one), "1"))
        readings.append(Reading(f"{one.name[:80]} carrier changes", one.carrier_changes, "1"))
    return tuple(readings)
