"""A farm of simulated nodes: one asyncssh server that answers on every loopback address, cheaper than sshd.

    python -m tests.bench.farm PORT HOST_KEY AUTHORIZED_KEYS DOCUMENT

It runs nothing. To `sh -s` it prints what `probe.sh` would; to the command line that starts sparkctl's program it takes
the announced bytes and prints the recorded document, framed for the nonce and the program digest that the line bears.
"""

import asyncio
import contextlib
import hashlib
import re
import resource
import shlex
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncssh

NO_PROGRAM = b"0" * 64  # stands in the recorded document for the digest of the program
_CHUNK = 65536
# What OpenSSH 9.6 offers of what asyncssh knows. Every client here can choose the first, and so all do the same work.
_KEY_EXCHANGES = [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
]


@dataclass(frozen=True)
class Order:
    """What the command line of the first stage says: bytes to read, the program's digest, the nonce."""

    stdin_bytes: int
    program: str
    nonce: str

    @classmethod
    def read(cls, command: str) -> "Order | None":
        """The order in a command line, or None when it holds none. The digest is the last of those on the line."""
        words = shlex.split(command)
        sizes = [int(word) for word in words if word.isdecimal()]
        digests = [word for word in words if re.fullmatch("[0-9a-f]{64}", word)]
        nonces = [word for word in words if re.fullmatch("[0-9a-f]{32}", word)]
        return cls(sizes[0], digests[-1], nonces[0]) if sizes and digests and nonces else None


class Farm:
    """Answers commands."""

    def __init__(self, document: bytes) -> None:
        self._recorded = document
        self._documents: dict[str, bytes] = {}

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Answer one command."""
        command = process.command or ""
        with contextlib.suppress(asyncio.IncompleteReadError, asyncssh.Error, OSError):
            if command == "sh -s":
                await self._take_script(process)
                process.stdout.write(probe_answer(process.get_extra_info("sockname")[0]))
                process.exit(0)
            elif order := Order.read(command):
                await process.stdin.readexactly(order.stdin_bytes)
                process.stdout.write(self._framed(order))
                process.exit(0)
            else:
                process.stderr.write(b"the farm knows no such command\n")
                process.exit(127)

    @staticmethod
    async def _take_script(process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Read to the end of the script; some clients never close its stream."""
        script = b""
        while not script.endswith(b"exit 0\n"):
            part = await process.stdin.read(_CHUNK)
            if not part:
                return
            script += part

    def _framed(self, order: Order) -> bytes:
        rest = self._documents.get(order.program)
        if rest is None:
            document = self._recorded.replace(NO_PROGRAM, order.program.encode())
            rest = f"{len(document)} {hashlib.sha256(document).hexdigest()}\n".encode() + document + b"\n"
            self._documents[order.program] = rest
        return b"sparkctl-frame/1 " + order.nonce.encode() + b" " + rest


def probe_answer(address: str) -> bytes:
    """What `probe.sh` prints on a node of this address."""
    row = '{{"drive":{},"model":"SIMULATED DRIVE","temperature_c":{},"wear_percent":{},"media_errors":0}}'
    drives = ",".join(row.format(n, 30 + n % 9, n % 7) for n in range(46))
    return f'{{"node":"{address}","drives":[{drives}],"end":"END-{address}"}}\n'.encode("ascii")


def loopback_listener(port: int) -> socket.socket:
    """A socket that answers on all of 127/8, and on nothing else."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    listener.bind(("0.0.0.0", port))
    return listener


async def main() -> None:
    """Serve until a termination signal."""
    port, host_key, authorized, document = sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    farm = Farm(Path(document).read_bytes())
    async with asyncssh.listen(
        sock=loopback_listener(int(port)),
        backlog=4096,
        server_host_keys=[host_key],
        authorized_client_keys=authorized,
        kex_algs=_KEY_EXCHANGES,
        process_factory=farm.serve,
        encoding=None,
        line_editor=False,
        login_timeout=120,
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
