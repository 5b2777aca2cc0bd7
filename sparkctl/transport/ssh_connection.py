"""asyncssh's client connection without the work that a fan-out does not need.

The class and the options it takes are public in asyncssh; that they still behave as used here is held by
tests/transport/test_tuned.py, which fails when a release of asyncssh changes them.
"""

import asyncio
import copy
from collections.abc import Callable, Sequence
from typing import Any

import asyncssh
from asyncssh.constants import MSG_IGNORE
from asyncssh.logging import SSHLogger

from sparkctl.transport.greeting import Greeting

# asyncssh handles some packets in tasks. The end of the stream waits for them, or the reason for it would be lost.
_TURNS = 8
_CIPHERS = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com")
_MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "umac-128-etm@openssh.com")


class _Silent(SSHLogger):
    """A logger that does not even format: asyncssh logs every packet and every step."""

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        pass

    def info(self, msg: object, *args: Any, **kwargs: Any) -> None:
        pass

    def debug1(self, msg: str, *args: Any, **kwargs: Any) -> None:
        pass

    def debug2(self, msg: str, *args: Any, **kwargs: Any) -> None:
        pass

    def get_child(self, child: str = "", context: str = "") -> SSHLogger:  # noqa: ARG002
        return self


_SILENT = _Silent()


class Connection(asyncssh.SSHClientConnection):
    """One connection. It shows the greeting what arrives, logs nothing, and sends no padding between packets.

    The empty MSG_IGNORE that asyncssh puts before each packet protects ciphers in CBC mode only (RFC 4251, section
    9.3.1), so it stays with those.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHClientConnectionOptions,
        greeting: Greeting,
        wait: str,
    ) -> None:
        super().__init__(loop, options, wait=wait)
        self._greeting = greeting

    @property
    def logger(self) -> SSHLogger:
        """The silent logger, also for channels and authentication."""
        return _SILENT

    def log_sent_packet(self, pkttype: int, pktid: int | None, packet: Any, note: str = "") -> None:
        """Log nothing."""

    def log_received_packet(self, pkttype: int, pktid: int | None, packet: Any, note: str = "") -> None:
        """Log nothing."""

    def send_packet(self, pkttype: int, *args: bytes, handler: Any = None) -> None:  # noqa: ARG002
        """Send a packet; the one that is only padding is sent where the cipher needs it."""
        if pkttype != MSG_IGNORE or str(self.get_extra_info("send_cipher", "")).endswith("-cbc"):
            super().send_packet(pkttype, *args, handler=self)

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        """Take in what arrived."""
        self._greeting.feed(data)
        super().data_received(data, datatype)

    def pause_writing(self) -> None:
        """The far side does not read: read nothing more from it, or our answers to its requests pile up here."""
        if isinstance(transport := self._transport, asyncio.Transport):
            transport.pause_reading()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if isinstance(transport := self._transport, asyncio.Transport):
            transport.resume_reading()

    def connection_lost(self, exc: Exception | None = None) -> None:
        """The stream is gone."""
        if not self.is_closed():
            _later(_TURNS, super().connection_lost, exc)

    def eof_received(self) -> None:
        """The stream has ended."""
        _later(_TURNS, super().eof_received)


def _later(turns: int, callback: Callable[..., Any], *args: Any) -> None:
    """Call back after so many turns of the event loop."""
    if turns == 0:
        callback(*args)
    else:
        asyncio.get_running_loop().call_soon(_later, turns - 1, callback, *args)


def prefer_cheap_algorithms(options: asyncssh.SSHClientConnectionOptions) -> None:
    """Put equally strong but cheaper algorithms first; where ssh_config names algorithms, its order stands.

    Nothing is added or left out but compression, so every server that could be reached still can.
    """
    config = options.config
    if config.get("Ciphers") is None:
        options.encryption_algs = _first(_CIPHERS, options.encryption_algs)
    if config.get("MACs") is None:
        options.mac_algs = _first(_MACS, options.mac_algs)
    if config.get("Compression") is None:
        options.compression_algs = [b"none"]


def _first(wanted: Sequence[str], known: Sequence[bytes]) -> list[bytes]:
    names = [name.encode("ascii") for name in wanted]
    return [name for name in names if name in known] + [name for name in known if name not in names]


def tailored(
    options: asyncssh.SSHClientConnectionOptions,
    *,
    client: asyncssh.SSHClient,
    host: str,
    host_key_alias: str,
    client_keys: list[asyncssh.SSHKeyPair] | None,
    server_host_key_algs: Sequence[str],
) -> asyncssh.SSHClientConnectionOptions:
    """Options of one connection, made from those that all nodes of its kind share.

    Preparing them anew costs as much as half a handshake. asyncssh is given no trusted keys: the client judges them.
    """
    made = copy.copy(options)
    made.protocol_factory = lambda: client
    made.host = host
    made.host_key_alias = host_key_alias
    made.client_keys = client_keys
    made.known_hosts = ([], [], [])
    made.server_host_key_algs = () if made.config.get("HostKeyAlgorithms") else list(server_host_key_algs)
    made.waiter = asyncio.get_running_loop().create_future()
    return made
