"""Running a command, through every transport: what it says is what comes back, or a failure with its cause."""

import asyncio
import resource
import time
from pathlib import Path

import pytest

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError
from tests.support.sshd import Sshd
from tests.transport.wire import command, node, relay, reset, run, session, settings

MIB = 2**20


async def test_output_and_exit_status_come_back(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    for wanted in (0, 3, 255):
        script = f"printf out; printf err >&2; exit {wanted}"
        ended = await run(transport_name, options, node(server), command("sh", "-c", script))
        assert (ended.exit_status, ended.signal, ended.stdout, ended.stderr) == (wanted, None, b"out", b"err")


async def test_arguments_arrive_as_they_were_given(transport_name: str, server: Sshd, folder: Path) -> None:
    odd = ["it's", 'a "b"', "$HOME", "`id`", "", "line\nbreak", "\\"]
    options = settings(folder, server.known_hosts_line())
    ended = await run(transport_name, options, node(server), command("printf", r"%s\0", *odd))
    assert ended.stdout.decode().split("\0")[:-1] == odd


async def test_signal_is_reported(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    ended = await run(transport_name, options, node(server), command("sh", "-c", "printf half; kill -TERM $$"))
    assert (ended.exit_status, ended.signal, ended.stdout) == (None, "TERM", b"half")


async def test_a_mebibyte_goes_in_and_comes_back(transport_name: str, server: Sshd, folder: Path) -> None:
    sent = bytes(range(256)) * 4096
    options = settings(folder, server.known_hosts_line())
    ended = await run(transport_name, options, node(server), command("cat", stdin=sent, limit=MIB))
    assert ended.exit_status == 0
    assert ended.stdout == sent


async def test_a_program_that_reads_nothing_is_no_failure(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    ended = await run(transport_name, options, node(server), command("sh", "-c", "exit 4", stdin=b"x" * 3 * MIB))
    assert ended.exit_status == 4


async def test_full_stderr_does_not_stall_stdout(transport_name: str, server: Sshd, folder: Path) -> None:
    script = "head -c 900000 /dev/zero >&2; printf done"
    options = settings(folder, server.known_hosts_line())
    ended = await run(transport_name, options, node(server), command("sh", "-c", script, limit=MIB))
    assert (ended.stdout, len(ended.stderr)) == (b"done", 900000)


async def test_output_exactly_at_the_limit_is_whole(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    ended = await run(transport_name, options, node(server), command("head", "-c", "1000", "/dev/zero", limit=1000))
    assert len(ended.stdout) == 1000
    with pytest.raises(TransportError) as caught:
        await run(transport_name, options, node(server), command("head", "-c", "1001", "/dev/zero", limit=1000))
    assert caught.value.cause is Cause.STDOUT_LIMIT


@pytest.mark.parametrize(("script", "cause"), [("", Cause.STDOUT_LIMIT), (" >&2", Cause.STDERR_LIMIT)])
async def test_endless_output_costs_its_limit(
    transport_name: str, server: Sshd, folder: Path, script: str, cause: Cause
) -> None:
    flood = command("sh", "-c", f"head -c 10G /dev/zero{script}", limit=256 * 1024)
    options = settings(folder, server.known_hosts_line())
    await run(transport_name, options, node(server), command("true"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2):
        with pytest.raises(TransportError) as caught:
            await run(transport_name, options, node(server), flood)
        assert (caught.value.stage, caught.value.cause, caught.value.retryable) == (Stage.RUN, cause, False)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 12 * 1024, f"{grown} KiB"


async def test_deadline_ends_a_silent_command(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    with pytest.raises(TransportError) as caught:
        await run(transport_name, options, node(server), command("sleep", "15"), seconds=0.4)
    assert (caught.value.stage, caught.value.cause, caught.value.retryable) == (Stage.RUN, Cause.TIMEOUT, False)


async def test_deadline_ends_a_command_that_closed_its_output(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    silent = command("sh", "-c", "printf whole; exec >&- 2>&-; sleep 15")
    with pytest.raises(TransportError) as caught:
        await run(transport_name, options, node(server), silent, seconds=0.6)
    assert caught.value.cause is Cause.TIMEOUT


async def test_cancelling_returns_at_once(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    task = asyncio.create_task(run(transport_name, options, node(server), command("sleep", "15"), seconds=60))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 5


async def test_commands_follow_each_other_on_one_session(transport_name: str, server: Sshd, folder: Path) -> None:
    options = settings(folder, server.known_hosts_line())
    async with session(transport_name, options, node(server)) as opened:
        assert (await opened.execute(command("echo", "1"), 5)).stdout == b"1\n"
        assert (await opened.execute(command("echo", "2"), 5)).stdout == b"2\n"


@pytest.mark.parametrize("amount", [1, 20000])
async def test_a_reset_in_mid_output_is_no_result(stack: str, server: Sshd, folder: Path, amount: int) -> None:
    """The relay cuts the connection once that much more than the handshake has come from the server."""
    with relay(server, lambda seen: 6000 + amount if len(seen) > 6000 + amount else -1, reset) as port:
        options = settings(folder, f"[127.0.0.1]:{port} {server.known_hosts_line().split(' ', 1)[1]}")
        printing = command("sh", "-c", "head -c 50000 /dev/zero; sleep 15", limit=MIB)
        with pytest.raises(TransportError) as caught:
            await run(stack, options, node(server, port=port), printing)
    assert (caught.value.stage, caught.value.cause, caught.value.retryable) == (Stage.RUN, Cause.CONNECTION_LOST, False)


async def test_an_exit_without_status_is_no_result(stack: str, folder: Path, server: Sshd) -> None:
    """The whole document has arrived, and then the connection's process on the node dies."""
    options = settings(folder, server.known_hosts_line())
    script = "printf whole; sleep 0.2; kill -9 $PPID"
    with pytest.raises(TransportError) as caught:
        await run(stack, options, node(server), command("sh", "-c", script))
    assert (caught.value.stage, caught.value.cause) == (Stage.RUN, Cause.CONNECTION_LOST)
    assert "5 bytes" in caught.value.message


async def test_a_node_that_runs_no_commands_is_just_an_exit_status(stack: str, folder: Path) -> None:
    with Sshd(folder, force_command="/usr/sbin/nologin") as server:
        ended = await run(stack, settings(folder, server.known_hosts_line()), node(server), command("true"))
    assert ended.exit_status == 1
    assert b"not available" in ended.stdout


async def test_a_server_without_sessions_refuses_to_execute(stack: str, folder: Path) -> None:
    with Sshd(folder, extra=["MaxSessions 0"]) as server, pytest.raises(TransportError) as caught:
        await run(stack, settings(folder, server.known_hosts_line()), node(server), command("true"))
    assert (caught.value.stage, caught.value.cause) == (Stage.RUN, Cause.EXEC_REFUSED)


async def test_nothing_of_ours_reaches_the_environment(
    stack: str, server: Sshd, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKCTL_SECRET", "1")
    config = folder / "config"
    config.write_text("Host *\n SendEnv SPARKCTL_SECRET\n ForwardAgent yes\n RequestTTY force\n RemoteCommand false\n")
    options = settings(folder, server.known_hosts_line())
    script = "env; tty"
    ended = await run(stack, options, node(server, config_file=config), command("sh", "-c", script))
    assert b"SPARKCTL_SECRET" not in ended.stdout
    assert b"SSH_AUTH_SOCK" not in ended.stdout
    assert ended.stdout.endswith(b"not a tty\n")
