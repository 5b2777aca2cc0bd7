"""Getting to a node: each way it can fail has a stage, a cause, and a word on whether trying again could help."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Deadlines, TransportError
from tests.support.corpus import THOROUGH
from tests.support.sshd import Sshd, free_port
from tests.transport.wire import (
    PATIENT,
    after_kexinit,
    after_newkeys,
    node,
    relay,
    reset,
    session,
    settings,
    tcp_server,
    wait_for_end,
)

VERSION = b"SSH-2.0-OpenSSH_9.2\r\n"


async def fail(
    stack: str, folder: Path, port: int, *pinned: str, deadlines: Deadlines = PATIENT, **ssh: Any
) -> TransportError:
    """Connect to a port of 127.0.0.1 in vain; how it failed."""
    options = settings(folder, *pinned)
    with pytest.raises(TransportError) as caught:
        async with session(stack, options, node(host="127.0.0.1", port=port, **ssh), deadlines):
            pass
    return caught.value


def moved(server: Sshd, port: int) -> str:
    """The pin of a server, for another port."""
    return f"[127.0.0.1]:{port} " + server.known_hosts_line().split(" ", 1)[1]


async def test_stages_are_timed_and_the_host_key_is_named(stack: str, server: Sshd, folder: Path) -> None:
    async with session(stack, settings(folder, server.known_hosts_line()), node(server)) as opened:
        assert list(opened.stages_ms) == [Stage.CONNECT, Stage.HOST_KEY, Stage.AUTHENTICATE]
        assert opened.host_key.startswith("SHA256:")
        assert opened.warnings == []


async def test_refused(stack: str, folder: Path) -> None:
    error = await fail(stack, folder, free_port())
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.CONNECTION_REFUSED, True)


async def test_name_not_resolved(stack: str, folder: Path) -> None:
    with pytest.raises(TransportError) as caught:
        async with session(stack, settings(folder), node(host="spark01.invalid")):
            pass
    assert (caught.value.stage, caught.value.cause) == (Stage.CONNECT, Cause.NAME_NOT_RESOLVED)
    assert "spark01.invalid" in caught.value.message


async def test_an_address_does_not_wait_for_the_resolver(
    stack: str, server: Sshd, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = socket.getaddrinfo

    def unanswered(*arguments: Any, **more: Any) -> Any:
        assert more.get("flags", 0) & socket.AI_NUMERICHOST, "the resolver was asked"
        return system(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", unanswered)
    async with session(stack, settings(folder, server.known_hosts_line()), node(server)) as opened:
        assert opened.host_key is not None


def says_nothing(sock: socket.socket) -> None:
    wait_for_end(sock)


def says_its_version(sock: socket.socket) -> None:
    sock.sendall(VERSION)
    wait_for_end(sock)


def drips(sock: socket.socket) -> None:
    while True:
        sock.sendall(b".")
        time.sleep(0.1)


@pytest.mark.parametrize("handle", [says_nothing, says_its_version, drips])
async def test_stalling_before_the_key_exchange(
    stack: str, folder: Path, handle: Callable[[socket.socket], None]
) -> None:
    with tcp_server(handle) as port:
        error = await fail(stack, folder, port, deadlines=replace(PATIENT, connect_s=0.4))
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.TIMEOUT, True)


async def test_stalling_in_the_key_exchange(stack: str, server: Sshd, folder: Path) -> None:
    with relay(server, after_kexinit, wait_for_end) as port:
        error = await fail(stack, folder, port, moved(server, port), deadlines=replace(PATIENT, host_key_s=0.4))
    assert (error.stage, error.cause, error.retryable) == (Stage.HOST_KEY, Cause.TIMEOUT, False)


async def test_stalling_after_the_key_exchange(stack: str, server: Sshd, folder: Path) -> None:
    with relay(server, after_newkeys, wait_for_end) as port:
        pin, brief = moved(server, port), replace(PATIENT, authenticate_s=0.4)
        error = await fail(stack, folder, port, pin, deadlines=brief, identity_files=[server.user_key])
    assert (error.stage, error.cause, error.retryable) == (Stage.AUTHENTICATE, Cause.TIMEOUT, False)


def closes(sock: socket.socket) -> None:
    sock.recv(10)
    sock.close()


def resets_after_version(sock: socket.socket) -> None:
    sock.sendall(VERSION)
    sock.recv(10)
    reset(sock)


@pytest.mark.parametrize("handle", [closes, resets_after_version])
async def test_closing_before_authentication_may_pass(
    stack: str, folder: Path, handle: Callable[[socket.socket], None]
) -> None:
    with tcp_server(handle) as port:
        error = await fail(stack, folder, port)
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.CONNECTION_LOST, True)
    assert error.pause_s == 1.0
    assert "MaxStartups" in (error.hint or "")


async def test_a_reset_in_the_key_exchange_may_pass(stack: str, server: Sshd, folder: Path) -> None:
    with relay(server, after_kexinit, reset) as port:
        error = await fail(stack, folder, port, moved(server, port))
    # the reset may overtake the packet that begins the key exchange
    assert error.stage in (Stage.CONNECT, Stage.HOST_KEY)
    assert (error.cause, error.retryable) == (Cause.CONNECTION_LOST, True)


async def test_a_reset_in_authentication_is_final(stack: str, folder: Path) -> None:
    """The banner comes with the server's first word on authentication; the relay resets in the midst of it."""
    (folder / "banner").write_text("x" * 3000)

    def in_banner(seen: bytes) -> int:
        end = after_newkeys(seen)
        return end if 0 <= end < len(seen) - 2000 else -1

    with (
        Sshd(folder, extra=[f"Banner {folder / 'banner'}"]) as server,
        relay(server, in_banner, reset) as port,
    ):
        error = await fail(stack, folder, port, moved(server, port), identity_files=[server.user_key])
    assert (error.stage, error.cause, error.retryable) == (Stage.AUTHENTICATE, Cause.CONNECTION_LOST, False)


async def test_more_connections_than_the_server_takes_may_pass(stack: str, folder: Path) -> None:
    with Sshd(folder, max_startups="1") as server, contextlib.ExitStack() as held:
        said = b""
        while not said.startswith(b"SSH-"):
            said = held.enter_context(socket.create_connection((server.host, server.port))).recv(10)
        error = await fail(stack, folder, server.port, server.known_hosts_line())
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.THROTTLED, True)
    assert "MaxStartups" in error.message
    assert "fewer nodes" in (error.hint or "")
    assert error.pause_s == 1.0


def penalises(sock: socket.socket) -> None:
    sock.sendall(b"Not allowed at this time\r\n")
    sock.close()


async def test_a_source_that_sshd_penalises_is_to_wait(stack: str, folder: Path) -> None:
    with tcp_server(penalises) as port:
        error = await fail(stack, folder, port)
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.THROTTLED, True)
    assert error.pause_s == 15.0
    assert "PerSourcePenalties" in (error.hint or "")


def speaks_http(sock: socket.socket) -> None:
    sock.recv(10)
    sock.sendall(b"HTTP/1.1 400 Bad\x1b[31m Request\r\nServer: x\r\n\r\n")
    sock.shutdown(socket.SHUT_WR)


def speaks_old_ssh(sock: socket.socket) -> None:
    sock.sendall(b"SSH-1.5-old\r\n")
    wait_for_end(sock)


def floods(sock: socket.socket) -> None:
    while True:
        sock.sendall(b"\0" * 65536)


@pytest.mark.parametrize("handle", [speaks_http, speaks_old_ssh])
async def test_something_else_answers(stack: str, folder: Path, handle: Callable[[socket.socket], None]) -> None:
    with tcp_server(handle) as port:
        error = await fail(stack, folder, port)
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.NOT_SSH, False)
    assert "HTTP" in error.message or "SSH-1.5" in error.message
    assert error.message.isprintable()


async def test_a_flood_in_place_of_a_version_ends_within_the_deadline(stack: str, folder: Path) -> None:
    with tcp_server(floods) as port:
        error = await fail(stack, folder, port, deadlines=replace(PATIENT, connect_s=0.4))
    assert error.stage is Stage.CONNECT
    assert error.cause in (Cause.NOT_SSH, Cause.TIMEOUT)


async def test_garbage_in_place_of_the_key_exchange(stack: str, folder: Path) -> None:
    def garbage(sock: socket.socket) -> None:
        sock.sendall(VERSION + b"\0\0\0\x0c\x04" + b"\x63" * 11 + b"\xff" * 600)
        wait_for_end(sock)

    with tcp_server(garbage) as port:
        error = await fail(stack, folder, port)
    assert (error.stage, error.cause, error.retryable) == (Stage.HOST_KEY, Cause.PROTOCOL_ERROR, False)


async def test_no_common_algorithm(stack: str, folder: Path) -> None:
    with Sshd(folder, extra=["KexAlgorithms sntrup761x25519-sha512@openssh.com", "Ciphers 3des-cbc"]) as server:
        error = await fail(stack, folder, server.port, server.known_hosts_line())
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.NO_COMMON_ALGORITHM, False)


async def test_cancelling_a_connection_closes_its_socket(stack: str, folder: Path) -> None:
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch(sock: socket.socket) -> None:
        try:
            wait_for_end(sock)
        finally:
            loop.call_soon_threadsafe(closed.set)

    with tcp_server(watch) as port:
        transport = open_transport(stack, settings(folder))  # type: ignore[arg-type]
        task = asyncio.create_task(transport.connect(node(host="127.0.0.1", port=port), PATIENT))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await closed.wait()
        await transport.close()


async def test_the_libraries_print_nothing(stack: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with tcp_server(resets_after_version) as port:
        await fail(stack, folder, port)
    assert capfd.readouterr() == ("", "")


HUNG = 300 if THOROUGH else 60
"""More than the threads that asyncio has for what waits: 32 at most."""


async def test_many_nodes_that_hang_do_not_keep_another_from_its_turn(stack: Any, server: Sshd, folder: Path) -> None:
    reached = threading.Semaphore(0)

    def hang(sock: socket.socket) -> None:
        reached.release()
        wait_for_end(sock)

    transport = open_transport(stack, settings(folder, server.known_hosts_line()))
    with tcp_server(hang) as port:
        silent = node(host="127.0.0.1", port=port)
        hung = [asyncio.create_task(transport.connect(silent, replace(PATIENT, connect_s=60))) for _ in range(HUNG)]
        try:
            for _ in hung:
                assert await asyncio.to_thread(reached.acquire, timeout=20)
            opened = await transport.connect(node(server), PATIENT)
            await opened.close()
            assert not any(task.done() for task in hung)
        finally:
            for task in hung:
                task.cancel()
            await asyncio.gather(*hung, return_exceptions=True)
            await transport.close()
