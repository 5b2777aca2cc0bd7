"""What is particular to commands on this machine: whole process groups end, and no shell is involved."""

import asyncio
from pathlib import Path

import pytest

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError
from tests.transport.wire import command, node, run, session, settings


async def ends(pid: int) -> bool:
    """Whether the process is gone, or a zombie, within ten seconds."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("script", "cause"),
    [("sleep 15 & echo $! >{pid}; wait", Cause.TIMEOUT), ("sleep 15 & echo $! >{pid}; yes", Cause.STDOUT_LIMIT)],
)
async def test_children_end_with_the_command(folder: Path, script: str, cause: Cause) -> None:
    pid = folder / "pid"
    with pytest.raises(TransportError) as caught:
        await run("local", settings(folder), node(), command("sh", "-c", script.format(pid=pid)), seconds=1)
    assert caught.value.cause is cause
    assert await ends(int(pid.read_text()))


async def test_a_child_left_behind_ends_too(folder: Path) -> None:
    ended = await run("local", settings(folder), node(), command("sh", "-c", "sleep 15 >&- 2>&- & echo $!"))
    assert ended.exit_status == 0
    assert await ends(int(ended.stdout))


@pytest.mark.parametrize("program", ["no-such-program-here", "/etc/passwd", "/"])
async def test_a_program_that_cannot_be_run(folder: Path, program: str) -> None:
    with pytest.raises(TransportError) as caught:
        await run("local", settings(folder), node(), command(program))
    assert (caught.value.stage, caught.value.cause) == (Stage.RUN, Cause.EXEC_REFUSED)


async def test_a_session_of_its_own_and_no_host_key(folder: Path) -> None:
    async with session("local", settings(folder), node()) as opened:
        ended = await opened.execute(command("cat", "/proc/self/stat"), 5)
        pid, session_id = (ended.stdout.split()[field] for field in (0, 5))
        assert pid == session_id
        assert opened.host_key is None
