"""Keys, certificates and agents: what is offered, in which order, and what is said when nothing fits."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError
from tests.support.sshd import Sshd, make_key, sign_key
from tests.transport.wire import command, node, run, session, settings


@pytest.fixture
def agent(folder: Path) -> Iterator[str]:
    """The socket of an empty ssh-agent."""
    path = folder / "agent"
    started = subprocess.run(["ssh-agent", "-s", "-a", str(path)], check=True, capture_output=True, text=True)
    pid = int(started.stdout.split("SSH_AGENT_PID=")[1].split(";")[0])
    yield str(path)
    os.kill(pid, signal.SIGTERM)


def add(agent: str, *keys: Path, passphrase: str = "") -> None:
    """Put keys into an agent."""
    ask = keys[0].parent / "ask"
    ask.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    ask.chmod(0o700)
    environment = {**os.environ, "SSH_AUTH_SOCK": agent, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    command = ["ssh-add", "-q", *map(str, keys)]
    subprocess.run(command, check=True, env=environment, capture_output=True, stdin=subprocess.DEVNULL)


async def refused(stack: str, server: Sshd, folder: Path, agent_path: str | None = None, **ssh: Any) -> TransportError:
    options = settings(folder, server.known_hosts_line(), agent_path=agent_path)
    with pytest.raises(TransportError) as caught:
        async with session(stack, options, node(server, **ssh)):
            pass
    assert not caught.value.retryable
    return caught.value


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
async def test_keys_of_every_kind(stack: str, folder: Path, kind: str) -> None:
    make_key(folder / "user_key", kind=kind)
    with Sshd(folder) as server:
        options = settings(folder, server.known_hosts_line())
        assert (await run(stack, options, node(server), command("true"))).exit_status == 0


async def test_denied(stack: str, server: Sshd, folder: Path) -> None:
    error = await refused(stack, server, folder, identity_files=[make_key(folder / "other")])
    assert (error.stage, error.cause) == (Stage.AUTHENTICATE, Cause.ACCESS_DENIED)
    assert server.user in error.message


async def test_nothing_to_offer(stack: str, server: Sshd, folder: Path) -> None:
    error = await refused(stack, server, folder, identity_files=[])
    assert (error.stage, error.cause) == (Stage.AUTHENTICATE, Cause.NO_CREDENTIALS)


async def test_too_many_keys_are_an_access_denied(stack: str, folder: Path) -> None:
    keys = [make_key(folder / f"key{number}") for number in range(4)]
    with Sshd(folder, extra=["MaxAuthTries 3"]) as server:
        error = await refused(stack, server, folder, identity_files=keys)
    assert (error.stage, error.cause) == (Stage.AUTHENTICATE, Cause.ACCESS_DENIED)


async def test_default_identities_are_tried(stack: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line(), identity_files=(folder / "absent", server.user_key))
    assert (await run(stack, options, node(server, identity_files=[]), command("true"))).exit_status == 0


async def test_an_encrypted_default_identity_is_passed_over(stack: str, server: Sshd, folder: Path) -> None:
    locked = make_key(folder / "locked", passphrase="secret word")
    options = settings(folder, server.known_hosts_line(), identity_files=(locked, server.user_key))
    assert (await run(stack, options, node(server, identity_files=[]), command("true"))).exit_status == 0


@pytest.mark.parametrize(
    ("content", "word"), [(None, "No such file"), ("rubbish", "no private key"), ("encrypted", "is encrypted")]
)
async def test_a_named_key_must_be_usable(
    stack: str, server: Sshd, folder: Path, content: str | None, word: str
) -> None:
    path = folder / "named"
    if content == "encrypted":
        make_key(path, passphrase="secret word")
    elif content is not None:
        path.write_text(content)
    error = await refused(stack, server, folder, identity_files=[path])
    assert (error.stage, error.cause) == (Stage.CONNECT, Cause.BAD_SETTINGS)
    assert str(path) in error.message
    assert word in error.message


async def test_user_certificate(stack: str, folder: Path) -> None:
    authority = make_key(folder / "ca")
    key = make_key(folder / "certified")
    with Sshd(folder, user_ca=authority, accept_user_key=False) as server:
        options = settings(folder, server.known_hosts_line())
        target = node(server, identity_files=[key])
        with pytest.raises(TransportError) as caught:
            await run(stack, options, target, command("true"))
        assert caught.value.cause is Cause.ACCESS_DENIED
        certificate = sign_key(authority, key, principals=[server.user], host=False)
        assert (await run(stack, options, target, command("true"))).exit_status == 0
        elsewhere = certificate.rename(folder / "elsewhere.pub")
        named = node(server, identity_files=[key], certificate_files=[elsewhere])
        assert (await run(stack, options, named, command("true"))).exit_status == 0


async def test_agent(stack: str, server: Sshd, folder: Path, agent: str) -> None:
    add(agent, server.user_key)
    options = settings(folder, server.known_hosts_line(), agent_path=agent)
    target = node(server, identity_files=[], agent=True)
    assert (await run(stack, options, target, command("true"))).exit_status == 0
    error = await refused(stack, server, folder, agent, identity_files=[], agent=False)
    assert error.cause is Cause.NO_CREDENTIALS


async def test_agent_holds_the_encrypted_key(stack: str, folder: Path, agent: str) -> None:
    locked = make_key(folder / "user_key", passphrase="secret word")
    with Sshd(folder) as server:
        denied = await refused(stack, server, folder, agent, agent=True)
        assert denied.cause is Cause.NO_CREDENTIALS
        assert "encrypted" in (denied.hint or "")
        add(agent, locked, passphrase="secret word")
        options = settings(folder, server.known_hosts_line(), agent_path=agent)
        assert (await run(stack, options, node(server, agent=True), command("true"))).exit_status == 0


async def test_a_named_key_goes_before_a_full_agent(stack: str, folder: Path, agent: str) -> None:
    add(agent, *(make_key(folder / f"key{number}") for number in range(4)))
    with Sshd(folder, extra=["MaxAuthTries 2"]) as server:
        options = settings(folder, server.known_hosts_line(), agent_path=agent)
        assert (await run(stack, options, node(server, agent=True), command("true"))).exit_status == 0


async def test_identities_only_keeps_other_keys_of_the_agent_back(stack: str, folder: Path, agent: str) -> None:
    locked = make_key(folder / "user_key", passphrase="secret word")
    others = [make_key(folder / f"key{number}") for number in range(4)]
    add(agent, *others)
    add(agent, locked, passphrase="secret word")
    config = folder / "config"
    config.write_text("Host *\n IdentitiesOnly yes\n")
    with Sshd(folder, extra=["MaxAuthTries 2"]) as server:
        options = settings(folder, server.known_hosts_line(), agent_path=agent, config_files=(config,))
        assert (await run(stack, options, node(server, agent=True), command("true"))).exit_status == 0


async def test_identities_only_without_identities_leaves_the_agent_alone(
    stack: str, server: Sshd, folder: Path, agent: str
) -> None:
    add(agent, server.user_key)
    (folder / "config").write_text("Host *\n IdentitiesOnly yes\n")
    config = folder / "config"
    error = await refused(stack, server, folder, agent, identity_files=[], agent=True, config_file=config)
    assert error.cause is Cause.NO_CREDENTIALS


async def test_a_dead_agent_is_mentioned(stack: str, server: Sshd, folder: Path) -> None:
    error = await refused(stack, server, folder, str(folder / "nobody"), identity_files=[], agent=True)
    assert error.cause is Cause.NO_CREDENTIALS
    assert "ssh-agent does not answer" in (error.hint or "")
