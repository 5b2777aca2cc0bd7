"""Which ports are open, from /proc/net, and to which programs they belong, from `ss` (root only).

Formats: proc(5) for /proc/net/tcp (addresses are 32-bit words in the byte order of the machine, here little-endian;
state 0A listens, an unconnected UDP socket has 07), ss(8).
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from diag.nodekit.machine import Machine

PROC_NET = "/proc/net"
SS = ("/usr/bin/ss", "-H", "-lntup")
PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
WAITING = {"tcp": "0A", "udp": "07"}
MAX_TABLE = 4 * 1024 * 1024
MAX_NAMES = 16
_PROGRAM = re.compile(r'\("([^"]{1,120})",pid=')


@dataclass(frozen=True)
class Listener:
    """An open port. `address` as `0.0.0.0` or `[::]`; `uid` is who opened it."""

    protocol: str
    address: str
    port: int
    uid: int

    @property
    def name(self) -> str:
        """`tcp 0.0.0.0:22`."""
        return f"{self.protocol} {self.address}:{self.port}"


def listeners(machine: Machine) -> tuple[Listener, ...]:
    """Every open port of this network namespace; raises OSError, ValueError."""
    found: dict[str, Listener] = {}
    for protocol in WAITING:
        tables = (machine.read_bytes(f"{PROC_NET}/{protocol}", MAX_TABLE), _of_ipv6(machine, protocol))
        for table in tables:
            for listener in parse_table(protocol, table.decode("ascii", "replace")):
                found.setdefault(listener.name, listener)
    return tuple(found.values())


def parse_table(protocol: str, text: str) -> tuple[Listener, ...]:
    """The rows that wait for a peer; raises ValueError for what is no such table."""
    lines = text.splitlines()
    if lines and "local_address" not in lines[0]:
        raise ValueError(f"{PROC_NET}/{protocol} is not a table of sockets")
    rows = (line.split() for line in lines[1:])
    return tuple(_listener(protocol, row) for row in rows if len(row) > 9 and row[3] == WAITING[protocol])


def ephemeral(machine: Machine) -> range:
    """The ports that the kernel hands out by itself; raises OSError, ValueError."""
    low, high = (int(word) for word in machine.read(PORT_RANGE).split())
    return range(low, high + 1)


def parse_ss(text: str) -> dict[str, list[str]]:
    """Names of programs by port, as `Listener.name` names it."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        fields = line.split(None, 6)
        if len(fields) == 7 and fields[0] in WAITING:
            address, _, port = fields[4].rpartition(":")
            # `*` is any address of both families, which /proc lists as [::]; `%lo` binds to an interface.
            whole = "[::]" if address == "*" else re.sub(r"%[^\]]*", "", address)
            found.setdefault(f"{fields[0]} {whole}:{port}", set()).update(_PROGRAM.findall(fields[6]))
    return {name: sorted(programs)[:MAX_NAMES] for name, programs in found.items()}


def _of_ipv6(machine: Machine, protocol: str) -> bytes:
    """The table of IPv6, empty where the kernel has none."""
    try:
        return machine.read_bytes(f"{PROC_NET}/{protocol}6", MAX_TABLE)
    except FileNotFoundError:
        return b""


def _listener(protocol: str, row: list[str]) -> Listener:
    address, _, port = row[1].partition(":")
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    packed = b"".join(words)
    if len(packed) == 4:
        shown = socket.inet_ntop(socket.AF_INET, packed)
    elif len(packed) == 16:
        shown = f"[{socket.inet_ntop(socket.AF_INET6, packed)}]"
    else:
        raise ValueError(f"{row[1][:60]} is not an address")
    return Listener(protocol, shown, int(port, 16), int(row[7]))
