"""What the transport tests share: nodes, settings, and servers that misbehave on purpose."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sparkctl.model.inventory import Node, SshSettings
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Command, Deadlines, Ended, Session
from sparkctl.transport.settings import TransportSettings
from tests.support.sshd import Sshd

PATIENT = Deadlines(connect_s=10, host_key_s=10, authenticate_s=10, run_s=10)
_NEWKEYS = 21


def node(server: Sshd | None = None, **ssh: Any) -> Node:
    """A node at the server, reached with its key; keyword arguments are further settings of `ssh`."""
    wanted: dict[str, Any] = {"agent": False}
    if server is not None:
        wanted |= {"host": server.host, "port": server.port, "user": server.user, "identity_files": [server.user_key]}
    wanted |= ssh
    return Node(node_id="spark01", ssh=SshSettings(**wanted), origin="fleet.yaml:1")


def settings(folder: Path, *pinned: str, **more: Any) -> TransportSettings:
    """Settings whose pin file holds the given lines, and nothing else unless asked for."""
    pins = folder / "pins"
    pins.write_text("".join(pinned))
    return TransportSettings(pins_file=pins, **more)


def command(*argv: str, stdin: bytes = b"", limit: int = 65536) -> Command:
    """A command with the same limit on both streams."""
    return Command(argv=argv, stdin=stdin, stdout_limit=limit, stderr_limit=limit)


@contextlib.asynccontextmanager
async def session(name: Any, options: TransportSettings, target: Node, deadlines: Deadlines = PATIENT) -> Any:
    """A connected session of the named transport."""
    transport = open_transport(name, options)
    try:
        opened: Session = await transport.connect(target, deadlines)
        try:
            yield opened
        finally:
            await opened.close()
    finally:
        await transport.close()


async def run(name: Any, options: TransportSettings, target: Node, wanted: Command, seconds: float = 10) -> Ended:
    """Connect, run one command, close."""
    async with session(name, options, target) as opened:
        ended: Ended = await opened.execute(wanted, seconds)
        return ended


def reset(sock: socket.socket) -> None:
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RD)
    sock.close()


@contextlib.contextmanager
def tcp_server(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that calls `handle` for each connection in a thread; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    clients: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                clients.append(client)
                threading.Thread(target=guarded, args=(client,), daemon=True).start()

    def guarded(client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            handle(client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()


def wait_for_end(sock: socket.socket) -> None:
    """Read until the far side goes away."""
    while sock.recv(65536):
        pass


def carry(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what arrives until either side is closed, here or there."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def relay(server: Sshd, until: Callable[[bytes], int], end: Callable[[socket.socket], None]) -> Any:
    """A server that passes everything on to `server`, until `until(all that the server sent)` gives a length: that
    much is still passed on, then `end` is called with the client's socket.
    """

    def handle(client: socket.socket) -> None:
        with socket.create_connection((server.host, server.port)) as upstream:
            threading.Thread(target=carry, args=(client, upstream), daemon=True).start()
            seen, passed = b"", 0
            while data := upstream.recv(65536):
                seen += data
                stop = until(seen)
                client.sendall(seen[passed : stop if stop >= 0 else len(seen)])
                passed = len(seen)
                if stop >= 0:
                    end(client)
                    return

    return tcp_server(handle)


def after_newkeys(seen: bytes) -> int:
    """Where the server's last packet in the clear ends, or -1 when it has not arrived."""
    position = seen.find(b"\n") + 1
    while position and position + 6 <= len(seen):
        length = int.from_bytes(seen[position : position + 4], "big")
        kind = seen[position + 5]
        position += 4 + length
        if position > len(seen):
            return -1
        if kind == _NEWKEYS:
            return position
    return -1


def after_kexinit(seen: bytes) -> int:
    """Where the server's first packet ends, or -1."""
    position = seen.find(b"\n") + 1
    if not position or position + 6 > len(seen):
        return -1
    end = position + 4 + int.from_bytes(seen[position : position + 4], "big")
    return end if end <= len(seen) else -1
