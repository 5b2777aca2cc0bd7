"""ssh_config and jump hosts: what the inventory says wins, and a hop that fails is not the node that fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.vocabulary import REFUSALS, Cause, Stage
from sparkctl.transport.fetch import fetch_host_key
from sparkctl.transport.route import Router
from sparkctl.transport.seam import TransportError
from tests.support.sshd import Sshd, fingerprint, free_port, make_key
from tests.transport.wire import PATIENT, command, node, run, session, settings


@pytest.fixture(scope="module")
def jump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("jump"), addresses=["127.0.0.2"]) as running:
        yield running


def through(jump: Sshd) -> str:
    return f"{jump.user}@{jump.host}:{jump.port}"


async def test_alias_of_ssh_config(stack: str, server: Sshd, folder: Path) -> None:
    config = folder / "config"
    config.write_text(
        f"Host spark*\n HostName {server.host}\n Port {server.port}\n User {server.user}\n"
        f" IdentityFile {server.user_key}\n UserKnownHostsFile {folder}/mine\n HostKeyAlias the-%n\n"
        "Match originalhost other\n Port 1\n"
    )
    (folder / "mine").write_text("the-%n " + server.known_hosts_line().split(" ", 1)[1])
    options = settings(folder, config_files=(config,))
    assert (await run(stack, options, node(), command("true"))).exit_status == 0


async def test_the_inventory_wins_over_ssh_config(stack: str, server: Sshd, folder: Path) -> None:
    config = folder / "config"
    config.write_text("Host *\n Port 1\n User nobody-at-all\n IdentityFile /nowhere/key\n")
    options = settings(folder, server.known_hosts_line(), config_files=(config,))
    assert (await run(stack, options, node(server), command("true"))).exit_status == 0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Host *\n Port many\n", "line 2"),
        ("Host *\n ProxyCommand nc %h %p\n", "ProxyCommand"),
        ("Host *\n ProxyJump a:b:c\n", "jump host"),
        ("Host a b spark01\n ProxyJump b\n", "leads back to itself"),
    ],
)
async def test_unusable_ssh_config(stack: str, folder: Path, text: str, word: str) -> None:
    config = folder / "config"
    config.write_text(text)
    with pytest.raises(TransportError) as caught:
        async with session(stack, settings(folder), node(host="a", config_file=config)):
            pass
    assert (caught.value.stage, caught.value.cause) == (Stage.CONNECT, Cause.BAD_SETTINGS)
    assert word in f"{caught.value.message} {caught.value.hint}"


async def test_a_named_config_must_exist(stack: str, folder: Path) -> None:
    with pytest.raises(TransportError) as caught:
        async with session(stack, settings(folder), node(host="a", config_file=folder / "absent")):
            pass
    assert caught.value.cause is Cause.BAD_SETTINGS


def test_dev_null_as_the_named_config_reads_none(folder: Path) -> None:
    config = folder / "config"
    config.write_text("Port 7\n")
    router = Router(settings(folder, config_files=(config,)))
    assert router.route(node(host="a")).node.port == 7
    assert router.route(node(host="b", config_file=Path("/dev/null"))).node.port == 22


def test_ssh_config_is_evaluated_once_for_a_node(folder: Path) -> None:
    count, config = folder / "count", folder / "config"
    config.write_text(f"Match exec 'echo x >> {count}'\n Port 7\n")
    router = Router(settings(folder, config_files=(config,)))
    for _ in range(3):
        assert router.route(node()).node.port == 7
    assert count.read_text() == "x\n"


def test_chains_of_ssh_config_and_hops_with_addresses(folder: Path) -> None:
    config = folder / "config"
    config.write_text("Host spark01\n ProxyJump mid,[::1]:7\nHost mid\n ProxyJump me@outer:9\n User other\n")
    route = Router(settings(folder, config_files=(config,))).route(node(user="operator"))
    assert [(hop.host, hop.port) for hop in route.jumps] == [("outer", 9), ("mid", 22), ("::1", 7)]
    assert [hop.user for hop in route.jumps[:2]] == ["me", "other"]
    assert route.node.user == "operator"


async def test_jump_host(stack: str, server: Sshd, jump: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line(), jump.known_hosts_line())
    keys = [server.user_key, jump.user_key]
    target = node(server, jump=[through(jump)], identity_files=keys)
    async with session(stack, options, target) as opened:
        assert opened.host_key == fingerprint(server.host_key)
        sent = b"x" * 300_000
        ended = await opened.execute(command("cat", stdin=sent, limit=len(sent)), 10)
        assert ended.stdout == sent
    assert "direct-tcpip" in jump.log or "forward" in jump.log or server.host in jump.log


async def test_two_jumps_from_ssh_config(stack: str, server: Sshd, jump: Sshd, folder: Path) -> None:
    config = folder / "config"
    config.write_text(
        f"Host spark01\n HostName {server.host}\n Port {server.port}\n IdentityFile {server.user_key}\n ProxyJump two\n"
        f"Host one\n HostName {jump.host}\n Port {jump.port}\n IdentityFile {jump.user_key}\n"
        f"Host two\n HostName {server.host}\n Port {server.port}\n IdentityFile {server.user_key}\n ProxyJump one\n"
    )
    options = settings(folder, server.known_hosts_line(), jump.known_hosts_line(), config_files=(config,))
    assert (await run(stack, options, node(), command("true"))).exit_status == 0


async def failing(stack: str, folder: Path, server: Sshd, jump: str, *pins: str, **ssh: Any) -> TransportError:
    options = settings(folder, server.known_hosts_line(), *pins)
    with pytest.raises(TransportError) as caught:
        async with session(stack, options, node(server, jump=[jump], **ssh)):
            pass
    assert caught.value.stage is (Stage.HOST_KEY if caught.value.cause in REFUSALS else Stage.CONNECT)
    return caught.value


async def test_a_jump_host_that_refuses(stack: str, server: Sshd, folder: Path) -> None:
    hop = f"127.0.0.1:{free_port()}"
    error = await failing(stack, folder, server, hop)
    assert (error.cause, error.retryable) == (Cause.JUMP_HOST, True)
    assert hop in error.message


async def test_a_jump_host_with_an_unknown_key(stack: str, server: Sshd, jump: Sshd, folder: Path) -> None:
    error = await failing(stack, folder, server, through(jump), identity_files=[jump.user_key])
    assert (error.cause, error.retryable) == (Cause.HOST_KEY_UNKNOWN, False)
    assert fingerprint(jump.host_key) in error.message
    assert "jump host" in error.message


async def test_a_jump_host_that_denies(stack: str, server: Sshd, jump: Sshd, folder: Path) -> None:
    key = make_key(folder / "other")
    error = await failing(stack, folder, server, through(jump), jump.known_hosts_line(), identity_files=[key])
    assert (error.cause, error.retryable) == (Cause.JUMP_HOST, False)


async def test_a_node_that_refuses_the_jump_host(stack: str, server: Sshd, jump: Sshd, folder: Path) -> None:
    port = free_port()
    keys = [jump.user_key]
    error = await failing(stack, folder, server, through(jump), jump.known_hosts_line(), identity_files=keys, port=port)
    # paramiko does not pass on the words of the jump host
    told = Cause.CONNECTION_REFUSED if stack == "asyncssh" else Cause.UNREACHABLE
    assert (error.cause, error.retryable) == (told, True)
    assert str(port) in error.message


async def test_a_jump_host_that_forwards_nothing(stack: str, server: Sshd, folder: Path) -> None:
    with Sshd(folder, addresses=["127.0.0.3"], extra=["AllowTcpForwarding no"]) as jump:
        keys = [jump.user_key]
        error = await failing(stack, folder, server, through(jump), jump.known_hosts_line(), identity_files=keys)
    assert (error.cause, error.retryable) == (Cause.JUMP_HOST, False)


async def test_host_key_is_fetched_through_a_jump_host(server: Sshd, jump: Sshd, folder: Path) -> None:
    options = settings(folder, jump.known_hosts_line())
    target = node(server, jump=[through(jump)], identity_files=[jump.user_key])
    fetched = await fetch_host_key(target, PATIENT, options)
    assert fetched.fingerprint == fingerprint(server.host_key)
