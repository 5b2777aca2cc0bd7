"""What is taken off asyncssh's work must change nothing else; these fail when a release of asyncssh differs."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from sparkctl.model.inventory import Node
from sparkctl.transport.choose import open_transport
from sparkctl.transport.route import Router
from sparkctl.transport.ssh_connection import tailored
from tests.support.sshd import Sshd
from tests.transport.test_other_servers import Everybody, serving
from tests.transport.wire import PATIENT, command, node, session, settings

CONFIGS = [
    "",
    "User all\nHost spark0? !spark07\n Port 7\nHost spark01,spark02\n HostName ten\nHost *\n User other\n",
    "Host alpha spark01\n Ciphers aes128-ctr\n ProxyJump hop\nHost hop\n Port 9\nMatch all\n IdentityFile /x\n",
    "Host=spark01\nHostName=ten\n",
    "Host spark*\n HostName %h.example\n",
    "Match originalhost spark01\n Port 8\n",
    "Include {folder}/more*\nHost *\n User late\n",
]
NAMES = ["spark01", "spark02", "spark07", "spark1", "alpha", "hop", "10.0.0.1", "SPARK01"]


def named(name: str, **ssh: Any) -> Node:
    return node(**ssh).model_copy(update={"node_id": name})


@pytest.mark.parametrize("text", CONFIGS)
def test_nodes_that_share_an_evaluation_get_what_they_would_get_alone(folder: Path, text: str) -> None:
    (folder / "more1").write_text("Host spark02\n Port 11\n")
    config = folder / "config"
    config.write_text(text.format(folder=folder))
    options = settings(folder, config_files=(config,))
    shared = Router(options)
    for name in NAMES:
        assert shared.route(named(name)) == Router(options).route(named(name))
        alone = asyncssh.SSHClientConnectionOptions(config=[str(config)], host=name, client_keys=None)
        together = shared.route(named(name)).node
        assert (together.host, together.port, together.user) == (alone.host, alone.port, alone.username)
        if alone.config.get("Ciphers"):
            assert together.options.encryption_algs == alone.encryption_algs


def test_ssh_config_is_evaluated_once_for_nodes_that_it_treats_alike(folder: Path) -> None:
    config = folder / "config"
    config.write_text("Host spark01\n Port 7\nHost rack1-*\n Port 8\n")
    router = Router(settings(folder, config_files=(config,)))
    evaluated = {
        id(router.route(named(name)).node.options) for name in ["spark01", "a", "b", "c", "rack1-a", "rack1-b"]
    }
    assert len(evaluated) == 3


async def test_tailored_options_are_those_that_asyncssh_would_prepare(folder: Path) -> None:
    shared = Router(settings(folder)).route(named("a", user="me", port=7)).node.options
    client = asyncssh.SSHClient()
    key = list(asyncssh.load_keypairs([asyncssh.generate_private_key("ssh-ed25519")]))
    made = tailored(
        shared, client=client, host="b", host_key_alias="c", client_keys=key, server_host_key_algs=["ssh-ed25519"]
    )
    prepared = asyncssh.SSHClientConnectionOptions(
        shared,
        client_factory=lambda: client,
        host="b",
        port=7,
        username="me",
        host_key_alias="c",
        client_keys=key,
        known_hosts=([], [], []),
        server_host_key_algs=["ssh-ed25519"],
    )
    ours, theirs = vars(made), vars(prepared)
    # asyncssh adds the waiter when it connects, and keeps what it was called with for preparing again
    own = {
        "orig_host",
        "kwargs",
        "config",
        "waiter",
        "protocol_factory",
        "client_keys",
        "agent_path",
        "pkcs11_provider",
    }
    own |= {"pkcs11_pin", "encryption_algs", "mac_algs", "compression_algs"}
    assert set(ours) - {"waiter"} == set(theirs)
    assert {name: ours[name] for name in set(theirs) - own} == {name: theirs[name] for name in set(theirs) - own}
    assert made.protocol_factory() is client
    assert sorted(made.encryption_algs) == sorted(theirs["encryption_algs"])
    assert sorted(made.mac_algs) == sorted(theirs["mac_algs"])
    assert shared.host == "a"
    assert shared.client_keys is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "server", "cipher"),
    [
        ("", "", "aes256-gcm@openssh.com"),
        ("", "Ciphers chacha20-poly1305@openssh.com", "chacha20-poly1305@openssh.com"),
        ("Ciphers aes128-ctr", "", "aes128-ctr"),
        ("Ciphers aes128-cbc\nHostKeyAlgorithms ssh-ed25519", "Ciphers +aes128-cbc", "aes128-cbc"),
    ],
)
async def test_choice_of_cipher(folder: Path, config: str, server: str, cipher: str) -> None:
    (folder / "config").write_text(config)
    with Sshd(folder, extra=[server]) as running:
        target = node(running, config_file=folder / "config")
        async with session("asyncssh", settings(folder, running.known_hosts_line()), target) as opened:
            assert (await opened.execute(command("echo", "1"), 5)).stdout == b"1\n"
            assert opened._visitor.connection.get_extra_info("send_cipher") == cipher
            assert opened._visitor.connection.get_extra_info("send_compression") == "none"


async def packets(folder: Path, caplog: pytest.LogCaptureFixture, config: str) -> list[str]:
    """What a server logs while one of our connections runs a command; ours must log nothing."""
    (folder / "config").write_text(config)

    async def handler(process: Any) -> None:
        process.exit(0)

    async with serving(handler, Everybody, encryption_algs=["aes256-gcm@openssh.com", "aes128-cbc"]) as (port, pin):
        transport = open_transport("asyncssh", settings(folder, pin))
        caplog.set_level(logging.DEBUG, "asyncssh")
        asyncssh.set_debug_level(3)
        try:
            opened = await transport.connect(node(host="127.0.0.1", port=port, config_file=folder / "config"), PATIENT)
            await opened.execute(command("x"), 10)
            await opened.close()
            await transport.close()
            await asyncio.sleep(0)
        finally:
            asyncssh.set_debug_level(1)
    return [record.getMessage() for record in caplog.records if record.name == "asyncssh"]


async def test_no_padding_packets_and_no_logging(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    logged = await packets(folder, caplog, "")
    assert sum("Sent MSG_KEXINIT" in line for line in logged) == 1
    assert sum("Received MSG_KEXINIT" in line for line in logged) == 1
    assert not any("Received MSG_CHANNEL_OPEN_CONFIRMATION" in line for line in logged)
    assert any("Received MSG_CHANNEL_OPEN" in line for line in logged)
    assert not any("Received MSG_IGNORE" in line for line in logged)


async def test_cbc_keeps_its_padding_packets(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    logged = await packets(folder, caplog, "Ciphers aes128-cbc")
    assert any("Received MSG_IGNORE" in line for line in logged)
