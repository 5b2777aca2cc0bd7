"""Nodes in network namespaces of their own, and what can be done to the wire that leads there.

    with Namespace() as node: ...     # node.address; node.cut() and node.heal(); node.program(tmp_path) runs sshd there

Nothing outlives the `with`: a namespace takes its end of the wire with it, and the wire goes as a whole.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.chaos.relay import Relay
from tests.support.sshd import Sshd, require_sshd

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def run(*argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One command of iproute2."""
    return subprocess.run(argv, check=check, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)


def require_namespaces() -> None:
    """Skip, with the reason, where no network namespace can be made."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the package iproute2")
    name = f"spk{secrets.token_hex(4)}"
    tried = run("ip", "netns", "add", name, check=False)
    run("ip", "netns", "del", name, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no network namespaces here (CAP_NET_ADMIN and CAP_SYS_ADMIN are needed): {tried.stderr.strip()}")


class Namespace:
    """One namespace with a wire to ours. `impaired` is (seconds of delay, share lost) of what the node sends.

    The kernel's netem impairs the wire where it has it; elsewhere the wire is a pair of tun devices with a relay
    between them that holds back and drops packets.
    """

    def __init__(self, impaired: tuple[float, float] | None = None) -> None:
        mark = secrets.token_hex(4)
        self.name, self._ours, self._theirs = f"spk{mark}", f"spk{mark}a", f"spk{mark}b"
        block = secrets.randbelow(2**14) * 4  # 198.18.0.0/15 is set aside for tests (RFC 2544)
        self.near, self.address = (f"198.18.{block // 256}.{block % 256 + host}" for host in (1, 2))
        self._impaired = impaired
        self._undo = contextlib.ExitStack()
        self.relay: Relay | None = None

    def __enter__(self) -> Self:
        require_namespaces()
        with contextlib.ExitStack() as undo:
            run("ip", "netns", "add", self.name)
            undo.callback(run, "ip", "netns", "del", self.name, check=False)
            self._lay(undo)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    def cut(self) -> None:
        """Take the node's end of the wire down: nothing comes through and nobody is told."""
        self._inside("ip", "link", "set", self._theirs, "down")

    def heal(self) -> None:
        """Take it up again."""
        self._inside("ip", "link", "set", self._theirs, "up")

    def program(self, folder: Path) -> str:
        """A program that is sshd in this namespace."""
        script = folder / f"sshd-in-{self.name}"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {require_sshd()} "$@"\n')
        script.chmod(0o755)
        return str(script)

    def impairment(self) -> str:
        """What impairs the wire, as the kernel or the relay says."""
        if self.relay is not None:
            return f"relay, {self.relay.dropped} dropped"
        return self._inside("tc", "qdisc", "show", "dev", self._theirs).stdout

    def _lay(self, undo: contextlib.ExitStack) -> None:
        self._veth(undo)
        if self._impaired is not None and not self._netem(*self._impaired):
            run("ip", "link", "del", self._ours)
            self._tun(undo, *self._impaired)
        self._bring_up()

    def _veth(self, undo: contextlib.ExitStack) -> None:
        run("ip", "link", "add", self._ours, "type", "veth", "peer", "name", self._theirs)
        undo.callback(run, "ip", "link", "del", self._ours, check=False)
        run("ip", "link", "set", self._theirs, "netns", self.name)

    def _netem(self, delay_s: float, lost: float) -> bool:
        wanted = ("netem", "delay", f"{delay_s * 1000:g}ms", "loss", f"{lost * 100:g}%")
        return self._inside("tc", "qdisc", "add", "dev", self._theirs, "root", *wanted, check=False).returncode == 0

    def _tun(self, undo: contextlib.ExitStack, delay_s: float, lost: float) -> None:
        if not Path("/dev/net/tun").exists():
            pytest.skip("nothing here can delay packets: the kernel has neither netem nor /dev/net/tun")
        ours, theirs = (undo.enter_context(_tun_device(name)) for name in (self._ours, self._theirs))
        run("ip", "link", "set", self._theirs, "netns", self.name)
        self.relay = undo.enter_context(Relay(ours, theirs, delay_s=delay_s, lost=lost))

    def _bring_up(self) -> None:
        run("ip", "address", "add", f"{self.near}/30", "dev", self._ours)
        run("ip", "link", "set", self._ours, "up")
        self._inside("ip", "address", "add", f"{self.address}/30", "dev", self._theirs)
        self._inside("ip", "link", "set", "lo", "up")
        self._inside("ip", "link", "set", self._theirs, "up")

    def _inside(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("ip", "netns", "exec", self.name, *argv, check=check)


class NodeSshd(Sshd):
    """An sshd inside a namespace; the other parameters are those of Sshd."""

    def __init__(self, folder: Path, node: Namespace, extra: tuple[str, ...] = ()) -> None:
        super().__init__(folder, addresses=(node.address,), extra=extra)
        self.program = node.program(folder)
        self.host = "127.0.0.1"  # where a free port is looked for; any port is free in a new namespace


@contextlib.contextmanager
def _tun_device(name: str) -> Iterator[int]:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
        yield descriptor
    finally:
        os.close(descriptor)  # which also removes the device
