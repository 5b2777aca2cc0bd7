"""One TCP connection, with every way it can fail told apart."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Sequence

from sparkctl.model.durations import told_seconds
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.faults import from_socket
from sparkctl.transport.resolve import Address, resolve
from sparkctl.transport.seam import TransportError

# The part of the connect deadline after which a name counts as unresolved: a moment before the deadline itself, so that
# the record says that it was the name that brought no answer.
_NAME_SHARE = 0.9


async def dial(host: str, port: int, seconds: float) -> socket.socket:
    """A connected, non-blocking socket; raises TransportError.

    A name may have several addresses: each but the last gets its share of `seconds`, so that one that swallows packets
    does not hide the others. The caller holds the deadline for the whole.
    """
    addresses = await _addresses(host, port, seconds)
    failure: OSError = OSError("no address")
    for number, address in enumerate(addresses, 1):
        share = None if number == len(addresses) else seconds / len(addresses)
        try:
            return await _connect(address, share)
        except OSError as error:
            failure = error
    raise from_socket(failure, host, port)


async def _addresses(host: str, port: int, seconds: float) -> Sequence[Address]:
    """The addresses of a name. Only a name needs the resolver, and with it a thread."""
    try:
        with contextlib.suppress(ValueError):
            numeric = ipaddress.ip_address(host)
            if numeric.version == 4:
                return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
            if "%" not in host:
                return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        async with asyncio.timeout(seconds * _NAME_SHARE):
            return await resolve(host, port)
    except TimeoutError:
        raise _unanswered(host, seconds * _NAME_SHARE) from None
    except OSError as error:
        raise from_socket(error, host, port) from None
    except UnicodeError:
        raise from_socket(socket.gaierror(socket.EAI_NONAME, "no valid host name"), host, port) from None


def _unanswered(host: str, seconds: float) -> TransportError:
    return TransportError(
        Stage.CONNECT,
        Cause.NAME_NOT_RESOLVED,
        f"no name server answered for {host} within {told_seconds(seconds)}",
        hint="check the name servers that this machine asks, or give the node an address: `ssh: {host: ...}`",
        retryable=True,
    )


async def _connect(address: Address, seconds: float | None) -> socket.socket:
    family, kind, protocol, _, target = address
    sock = socket.socket(family, kind, protocol)
    with contextlib.ExitStack() as undo:
        undo.callback(sock.close)
        sock.setblocking(False)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, target)
        undo.pop_all()
    return sock
