"""Only a pinned key is trusted: unknown, changed and revoked are three different refusals."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.choose import open_transport
from sparkctl.transport.fetch import fetch_host_key
from sparkctl.transport.hostkeys import pin
from sparkctl.transport.seam import TransportError
from sparkctl.transport.settings import TransportSettings
from tests.support.sshd import Sshd, fingerprint, make_key, public_key, sign_key
from tests.transport.wire import PATIENT, command, node, run, session, settings


async def refused(stack: str, options: TransportSettings, server: Sshd, **ssh: Any) -> TransportError:
    with pytest.raises(TransportError) as caught:
        async with session(stack, options, node(server, **ssh)):
            pass
    assert caught.value.stage is Stage.HOST_KEY
    assert not caught.value.retryable
    assert "Accepted publickey" not in server.log
    return caught.value


async def test_unknown(stack: str, folder: Path) -> None:
    with Sshd(folder) as server:
        error = await refused(stack, settings(folder), server)
    assert error.cause is Cause.HOST_KEY_UNKNOWN
    assert fingerprint(server.host_key) in error.message


@pytest.mark.parametrize("policy", ["pinned", "accept-new"])
async def test_changed(stack: str, folder: Path, policy: str) -> None:
    other = make_key(folder / "other")
    with Sshd(folder) as server:
        options = settings(folder, server.known_hosts_line(key=other))
        error = await refused(stack, options, server, host_key_policy=policy)
    assert error.cause is Cause.HOST_KEY_CHANGED
    assert fingerprint(server.host_key) in error.message
    assert fingerprint(other) in error.message
    assert options.pins_file.read_text() == server.known_hosts_line(key=other)


@pytest.mark.parametrize("policy", ["pinned", "accept-new"])
async def test_a_key_of_another_type_counts_as_changed(stack: str, folder: Path, policy: str) -> None:
    other = make_key(folder / "other", kind="ecdsa")
    with Sshd(folder) as server:
        options = settings(folder, server.known_hosts_line(key=other))
        error = await refused(stack, options, server, host_key_policy=policy)
    assert error.cause is Cause.HOST_KEY_CHANGED


@pytest.mark.parametrize("policy", ["pinned", "accept-new"])
async def test_revoked(stack: str, folder: Path, policy: str) -> None:
    with Sshd(folder) as server:
        options = settings(folder, server.known_hosts_line(), f"@revoked * {public_key(server.host_key)}\n")
        error = await refused(stack, options, server, host_key_policy=policy)
    assert error.cause is Cause.HOST_KEY_REVOKED
    assert fingerprint(server.host_key) in error.message


async def test_the_pinned_key_is_asked_for_among_several(stack: str, folder: Path) -> None:
    keys = [make_key(folder / kind, kind=kind) for kind in ("ed25519", "ecdsa", "rsa")]
    with Sshd(folder, host_keys=keys) as server:
        for key in keys:
            async with session(stack, settings(folder, server.known_hosts_line(key=key)), node(server)) as opened:
                assert opened.host_key == fingerprint(key)


async def test_accept_new_pins_and_says_so(stack: str, server: Sshd, folder: Path) -> None:
    options = settings(folder)
    target = node(server, host_key_policy="accept-new")
    transport = open_transport(stack, options)  # type: ignore[arg-type]
    first = await transport.connect(target, PATIENT)
    second = await transport.connect(target, PATIENT)
    await first.close()
    await second.close()
    await transport.close()
    assert fingerprint(server.host_key) in first.warnings[0]
    assert second.warnings == []
    assert options.pins_file.read_text() == server.known_hosts_line()
    assert (await run(stack, options, node(server), command("true"))).exit_status == 0


async def test_accept_new_that_cannot_write_refuses(stack: str, folder: Path) -> None:
    """The state folder turns out to be a file once the run has begun."""
    options = TransportSettings(pins_file=folder / "state" / "pins")
    with Sshd(folder) as server:
        transport = open_transport(stack, options)  # type: ignore[arg-type]
        (folder / "state").write_text("")
        with pytest.raises(TransportError) as caught:
            await transport.connect(node(server, host_key_policy="accept-new"), PATIENT)
        await transport.close()
        assert caught.value.cause is Cause.BAD_SETTINGS
        assert str(options.pins_file) in caught.value.message
        assert "Accepted publickey" not in server.log


async def test_files_of_the_user_count_too(stack: str, server: Sshd, folder: Path) -> None:
    mine = folder / "known_hosts"
    mine.write_text(server.known_hosts_line())
    options = settings(folder, known_hosts_files=(mine, folder / "absent"))
    assert (await run(stack, options, node(server), command("true"))).exit_status == 0
    named = node(server, known_hosts_files=[mine])
    assert (await run(stack, settings(folder), named, command("true"))).exit_status == 0


async def test_a_broken_file_named_for_a_node_is_its_own_failure(stack: str, server: Sshd, folder: Path) -> None:
    broken = folder / "broken"
    broken.write_text("\n[127.0.0.1]:1 ssh-ed25519 AAAA\n")
    with pytest.raises(TransportError) as caught:
        async with session(stack, settings(folder), node(server, known_hosts_files=[broken])):
            pass
    assert caught.value.cause is Cause.BAD_SETTINGS
    assert f"{broken}:2:" in caught.value.message


def certified(folder: Path, principals: list[str], validity: str = "-5m:+1h") -> tuple[Sshd, Path]:
    authority = make_key(folder / "ca")
    key = make_key(folder / "host")
    certificate = sign_key(authority, key, principals=principals, host=True, validity=validity)
    return Sshd(folder, host_keys=[key], host_certificate=certificate), authority


async def test_host_certificate(folder: Path) -> None:
    server, authority = certified(folder, ["127.0.0.1"])
    with server:
        options = settings(folder, f"@cert-authority * {public_key(authority)}\n")
        async with session("asyncssh", options, node(server)) as opened:
            assert opened.host_key == fingerprint(server.host_key)


@pytest.mark.parametrize(
    ("principals", "validity", "word"),
    [(["elsewhere"], "-5m:+1h", "principal"), (["127.0.0.1"], "-2h:-1h", "expired")],
)
async def test_host_certificate_that_does_not_hold(
    folder: Path, principals: list[str], validity: str, word: str
) -> None:
    server, authority = certified(folder, principals, validity)
    with server:
        options = settings(folder, f"@cert-authority * {public_key(authority)}\n")
        error = await refused("asyncssh", options, server)
    assert error.cause is Cause.HOST_KEY_UNKNOWN
    assert word in error.message


async def test_host_certificate_of_another_authority(folder: Path) -> None:
    server, authority = certified(folder, ["127.0.0.1"])
    other = make_key(folder / "other")
    with server:
        error = await refused("asyncssh", settings(folder, f"@cert-authority * {public_key(other)}\n"), server)
    assert error.cause is Cause.HOST_KEY_CHANGED
    assert fingerprint(authority) in error.message
    assert fingerprint(other) in error.message


@pytest.mark.parametrize("revoked", ["ca", "host"])
async def test_host_certificate_with_a_revoked_key(folder: Path, revoked: str) -> None:
    server, authority = certified(folder, ["127.0.0.1"])
    lines = f"@cert-authority * {public_key(authority)}\n@revoked * {public_key(folder / revoked)}\n"
    with server:
        error = await refused("asyncssh", settings(folder, lines), server)
    assert error.cause is Cause.HOST_KEY_REVOKED
    assert fingerprint(folder / revoked) in error.message


async def test_paramiko_says_that_it_cannot_verify_certificates(folder: Path) -> None:
    server, authority = certified(folder, ["127.0.0.1"])
    with server:
        error = await refused("paramiko", settings(folder, f"@cert-authority * {public_key(authority)}\n"), server)
    assert error.cause is Cause.HOST_KEY_UNKNOWN
    assert "paramiko cannot verify host certificates" in error.message


async def test_fetched_key_can_be_pinned(server: Sshd, folder: Path) -> None:
    options = settings(folder)
    fetched = await fetch_host_key(node(server), PATIENT, options)
    assert (fetched.key_type, fetched.fingerprint) == ("ssh-ed25519", fingerprint(server.host_key))
    pin(options.pins_file, fetched.host, fetched.port, fetched.public_key)
    assert (await run("asyncssh", options, node(server), command("true"))).exit_status == 0


async def test_fetching_from_nobody_fails_like_connecting(folder: Path) -> None:
    with pytest.raises(TransportError) as caught:
        await fetch_host_key(node(host="127.0.0.1", port=1), PATIENT, settings(folder))
    assert caught.value.cause is Cause.CONNECTION_REFUSED


async def test_many_nodes_accepted_at_once_are_all_pinned(stack: str, folder: Path) -> None:
    addresses = [f"127.0.7.{number}" for number in range(1, 9)]
    with Sshd(folder, addresses=addresses) as server:
        options = settings(folder)
        transport = open_transport(stack, options)  # type: ignore[arg-type]
        targets = [node(server, host=address, host_key_policy="accept-new") for address in addresses]
        named = [target.model_copy(update={"node_id": f"n{number}"}) for number, target in enumerate(targets)]
        for opened in await asyncio.gather(*(transport.connect(target, PATIENT) for target in named)):
            assert len(opened.warnings) == 1
            await opened.close()
        await transport.close()
        lines = options.pins_file.read_text().splitlines(keepends=True)
        assert sorted(lines) == sorted(server.known_hosts_line(address) for address in addresses)
