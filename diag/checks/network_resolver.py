"""Does the node have a name server to ask? Nothing is looked up: the check sends no packet."""

from __future__ import annotations

from dataclasses import dataclass

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="Name servers")
RESOLV_CONF = "/etc/resolv.conf"
UPSTREAM = "/run/systemd/resolve/resolv.conf"
STUBS = frozenset({"127.0.0.53", "127.0.0.54"})  # systemd-resolved itself, which asks the servers in UPSTREAM
SERVERS = Threshold(
    Comparison.BELOW, warn=1, provenance="resolv.conf(5): without a nameserver line only this machine is asked"
)


@dataclass(frozen=True)
class Resolver:
    """`listed` are the servers programs ask (None: the file is missing), `upstream` those systemd-resolved asks."""

    listed: tuple[str, ...] | None
    upstream: tuple[str, ...]

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers that are asked in the end."""
        listed = self.listed or ()
        direct = tuple(server for server in listed if server not in STUBS)
        return direct + (self.upstream if len(direct) < len(listed) else ())


def observe(machine: Machine) -> Resolver:
    text = machine.read_or_none(RESOLV_CONF)
    if text is not None and "\x00" in text:
        raise ValueError(f"{RESOLV_CONF} is not text")
    listed = None if text is None else _servers(text)
    # On another resolver's machine the file of systemd-resolved is absent, and nothing is missing.
    return Resolver(listed, _servers(machine.read_or_none(UPSTREAM) or "") if STUBS & set(listed or ()) else ())


def evaluate(seen: Resolver) -> Finding:
    if seen.listed is None:
        summary = f"{RESOLV_CONF} is missing, or a link to a file that is: no name can be looked up"
    elif not seen.listed:
        summary = f"{RESOLV_CONF} names no name server"
    elif not seen.servers:
        summary = "systemd-resolved has no name server to ask"
    else:
        summary = f"Names are looked up at {', '.join(seen.servers[:5])}"
    return judged(
        SERVERS,
        len(seen.servers),
        summary,
        unit="1",
        locator=RESOLV_CONF,
        action="Look at `resolvectl status`, at DHCP and at netplan; a closed network that uses /etc/hosts alone can "
        "leave it so",
        readings=tuple(Reading("nameserver", server[:120]) for server in seen.servers[:20]),
    )


def _servers(text: str) -> tuple[str, ...]:
    rows = (line.split() for line in text.splitlines())
    return tuple(row[1] for row in rows if len(row) > 1 and row[0] == "nameserver")
