"""Many nodes behind one jump host: one connection carries them all, and its loss is theirs alone."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.inventory import Node
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Ended, Transport, TransportError
from tests.support.sshd import Sshd, _children, make_key
from tests.transport.test_other_servers import Everybody, serving
from tests.transport.wire import PATIENT, command, node, relay, reset, settings, tcp_server, wait_for_end

pytestmark = pytest.mark.slow

DEFAULT_STARTUPS = "10:30:100"
FLEET = 48


@pytest.fixture
def jump(folder: Path) -> Iterator[Sshd]:
    """A jump host with the limits that OpenSSH ships."""
    with Sshd(folder, addresses=["127.0.0.2"], max_startups=DEFAULT_STARTUPS) as running:
        yield running


async def answer(process: Any) -> None:
    """What a node does with a command: `sleep` never ends, anything else is echoed."""
    if process.command == "sleep":
        await asyncio.sleep(60)
    process.stdout.write(process.command.encode())
    process.exit(0)


def spec(jump: Sshd) -> str:
    return f"{jump.user}@{jump.host}:{jump.port}"


def fleet(gate: Sshd | str, port: int, size: int = FLEET, **ssh: Any) -> list[Node]:
    hop = spec(gate) if isinstance(gate, Sshd) else gate
    keys = [gate.user_key] if isinstance(gate, Sshd) else []
    wanted: dict[str, Any] = {"host": "127.0.0.1", "port": port, "jump": [hop], "identity_files": keys} | ssh
    return [node(**wanted).model_copy(update={"node_id": f"n{number}"}) for number in range(size)]


async def visit(transport: Transport, target: Node, word: str = "hello") -> Ended:
    session = await transport.connect(target, PATIENT)
    try:
        return await session.execute(command(word), 15)
    finally:
        await session.close()


@contextlib.asynccontextmanager
async def opened(stack: str, folder: Path, *pins: str) -> AsyncIterator[Transport]:
    transport = open_transport(stack, settings(folder, *pins))  # type: ignore[arg-type]
    try:
        yield transport
    finally:
        await transport.close()


def logins(server: Sshd) -> int:
    return server.log.count("Accepted publickey")


def connections(server: Sshd) -> int:
    """Connections that came after the probe of the fixture."""
    return len(re.findall(r"^Connection from", server.log, re.MULTILINE)) - 1


async def test_a_fleet_behind_a_jump_host_with_default_limits(stack: str, jump: Sshd, folder: Path) -> None:
    async with (
        serving(answer, Everybody) as (port, pin),
        opened(stack, folder, pin, jump.known_hosts_line()) as transport,
    ):
        ended = await asyncio.gather(*(visit(transport, target) for target in fleet(jump, port)))
        assert [(end.exit_status, end.stdout) for end in ended] == [(0, b"hello")] * FLEET
    assert connections(jump) == 1


async def test_closing_the_transport_leaves_the_jump_host(stack: str, jump: Sshd, folder: Path) -> None:
    async with serving(answer, Everybody) as (port, pin):
        async with opened(stack, folder, pin, jump.known_hosts_line()) as transport:
            await visit(transport, fleet(jump, port, 1)[0])
            assert "Closing connection" not in jump.log
            assert "Connection closed" not in jump.log
        async with asyncio.timeout(5):
            while not re.search("Connection (closed|reset)|Disconnected|Close session", jump.log):
                await asyncio.sleep(0.02)


async def test_a_node_that_is_left_leaves_its_neighbours(stack: str, jump: Sshd, folder: Path) -> None:
    """Deadline, cancellation and flood of one node take its channel, not the connection that all share."""
    async with (
        serving(answer, Everybody) as (port, pin),
        opened(stack, folder, pin, jump.known_hosts_line()) as transport,
    ):
        hanging, cancelled, *others = fleet(jump, port, 6)
        session = await transport.connect(hanging, PATIENT)
        with pytest.raises(TransportError) as caught:
            await session.execute(command("sleep"), 0.3)
        await session.close()
        task = asyncio.create_task(visit(transport, cancelled, "sleep"))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended = await asyncio.gather(*(visit(transport, target) for target in others))
    assert (caught.value.stage, caught.value.cause) == (Stage.RUN, Cause.TIMEOUT)
    assert [end.stdout for end in ended] == [b"hello"] * 4
    assert connections(jump) == 1


async def test_who_gives_up_first_does_not_stop_the_opening(stack: str, jump: Sshd, folder: Path) -> None:
    async with (
        serving(answer, Everybody) as (port, pin),
        opened(stack, folder, pin, jump.known_hosts_line()) as transport,
    ):
        first, second = fleet(jump, port, 2)
        task = asyncio.create_task(transport.connect(first, PATIENT))
        waiting = asyncio.create_task(visit(transport, second))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        assert (await waiting).stdout == b"hello"
        with pytest.raises(asyncio.CancelledError):
            await task
    assert connections(jump) == 1


async def test_a_lost_jump_host_fails_its_nodes_alone_and_is_opened_once_again(
    stack: str, jump: Sshd, folder: Path
) -> None:
    """The process on the jump host dies in the midst of the commands; the direct nodes do not notice."""
    async with (
        serving(answer, Everybody) as (port, pin),
        opened(stack, folder, pin, jump.known_hosts_line()) as transport,
    ):
        behind = fleet(jump, port, 12)
        direct = [node(host="127.0.0.1", port=port).model_copy(update={"node_id": f"d{n}"}) for n in range(3)]
        sessions = [await transport.connect(target, PATIENT) for target in [*behind, *direct]]
        running = [asyncio.create_task(each.execute(command("sleep"), 30)) for each in sessions[:12]]
        await asyncio.sleep(0.3)
        assert jump._process is not None
        for pid in list(_children(jump._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        failures = await asyncio.gather(*running, return_exceptions=True)
        for failure in failures:
            assert isinstance(failure, TransportError)
            assert (failure.stage, failure.cause, failure.retryable) == (Stage.RUN, Cause.JUMP_HOST, False)
            assert spec(jump) in failure.message
        for session in sessions[12:]:
            assert (await session.execute(command("hello"), 10)).stdout == b"hello"
        for session in sessions:
            await session.close()
        ended = await asyncio.gather(*(visit(transport, target) for target in behind))
        assert [end.stdout for end in ended] == [b"hello"] * 12
    assert logins(jump) == 2


async def test_a_jump_host_that_drops_the_connection_is_asked_once_by_all(stack: str, folder: Path) -> None:
    callers: list[socket.socket] = []

    def drop(sock: socket.socket) -> None:
        callers.append(sock)
        reset(sock)

    with tcp_server(drop) as port:
        async with opened(stack, folder) as transport:
            wanted = fleet(f"127.0.0.1:{port}", 9, 30)
            failures = await asyncio.gather(*(visit(transport, each) for each in wanted), return_exceptions=True)
            for failure in failures:
                assert isinstance(failure, TransportError)
                assert (failure.stage, failure.cause, failure.retryable) == (Stage.CONNECT, Cause.JUMP_HOST, True)
                assert failure.pause_s is not None
                assert failure.pause_s > 0
            assert len(callers) == 1


async def test_a_jump_host_that_stays_away_is_given_up_for_a_while(
    stack: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparkctl.transport.jumps._BETWEEN_S", 0.05)
    monkeypatch.setattr("sparkctl.transport.faults._CLOSED_PAUSE_S", 0.05)
    callers: list[socket.socket] = []

    def drop(sock: socket.socket) -> None:
        callers.append(sock)
        reset(sock)

    with tcp_server(drop) as port:
        async with opened(stack, folder) as transport:
            retryable = []
            for target in fleet(f"127.0.0.1:{port}", 9, 8):
                with pytest.raises(TransportError) as caught:
                    await visit(transport, target)
                assert caught.value.cause is Cause.JUMP_HOST
                retryable.append(caught.value.retryable)
    assert retryable == [True] * 3 + [False] * 5
    assert len(callers) == 3


async def test_a_jump_host_that_falls_silent_fails_its_nodes(
    jump: Sshd, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sparkctl.transport.ssh._ALIVE_S", 0.2)
    silent = threading.Event()
    with relay(jump, lambda seen: len(seen) if silent.is_set() else -1, wait_for_end) as entry:
        pin = f"[127.0.0.1]:{entry} {jump.known_hosts_line().split(' ', 1)[1]}"
        async with (
            serving(answer, Everybody) as (port, node_pin),
            opened("asyncssh", folder, pin, node_pin) as transport,
        ):
            hop = f"{jump.user}@127.0.0.1:{entry}"
            target = fleet(hop, port, 1, identity_files=[jump.user_key])[0]
            session = await transport.connect(target, PATIENT)
            assert (await session.execute(command("hello"), 10)).stdout == b"hello"
            silent.set()
            with pytest.raises(TransportError) as caught:
                await session.execute(command("sleep"), 20)
            await session.close()
    assert (caught.value.stage, caught.value.cause) == (Stage.RUN, Cause.JUMP_HOST)


async def test_a_chain_shares_its_first_part(stack: str, jump: Sshd, folder: Path) -> None:
    with Sshd(folder, addresses=["127.0.0.3"], max_startups=DEFAULT_STARTUPS) as second:
        async with (
            serving(answer, Everybody) as (port, pin),
            opened(stack, folder, pin, jump.known_hosts_line(), second.known_hosts_line()) as transport,
        ):
            chain = [spec(jump), spec(second)]
            wanted = fleet(jump, port, 6, jump=chain, identity_files=[jump.user_key, second.user_key])
            short = fleet(jump, port, 6, identity_files=[jump.user_key, second.user_key])
            short = [target.model_copy(update={"node_id": f"s{target.node_id}"}) for target in short]
            ended = await asyncio.gather(*(visit(transport, target) for target in [*wanted, *short]))
            assert [end.stdout for end in ended] == [b"hello"] * 12
        assert (connections(jump), connections(second)) == (1, 1)


async def test_a_jump_host_at_its_limit_is_named(stack: str, folder: Path) -> None:
    with Sshd(folder, max_startups="1") as jump, contextlib.ExitStack() as held:
        said = b""
        while not said.startswith(b"SSH-"):
            said = held.enter_context(socket.create_connection((jump.host, jump.port))).recv(10)
        async with opened(stack, folder, jump.known_hosts_line()) as transport:
            with pytest.raises(TransportError) as caught:
                await visit(transport, fleet(jump, 9, 1)[0])
    assert (caught.value.cause, caught.value.retryable, caught.value.pause_s) == (Cause.JUMP_HOST, True, 1.0)
    assert "Exceeded MaxStartups" in caught.value.message
    assert spec(jump) in caught.value.message


async def test_a_jump_host_that_denies_is_not_asked_again(stack: str, jump: Sshd, folder: Path) -> None:
    async with opened(stack, folder, jump.known_hosts_line()) as transport:
        wanted = fleet(jump, 9, 5, identity_files=[make_key(folder / "other")])
        for target in wanted:
            with pytest.raises(TransportError) as caught:
                await visit(transport, target)
            assert (caught.value.cause, caught.value.retryable) == (Cause.JUMP_HOST, False)
            assert "denied access" in caught.value.message
    assert connections(jump) == 1


async def test_the_warning_of_a_jump_host_is_given_once(stack: str, jump: Sshd, folder: Path) -> None:
    async with serving(answer, Everybody) as (port, pin), opened(stack, folder, pin) as transport:
        wanted = fleet(jump, port, 4, host_key_policy="accept-new")
        sessions = await asyncio.gather(*(transport.connect(target, PATIENT) for target in wanted))
        for session in sessions:
            await session.close()
    warnings = [warning for session in sessions for warning in session.warnings]
    assert len(warnings) == 1
    assert f"[{jump.host}]:{jump.port}" in warnings[0]
