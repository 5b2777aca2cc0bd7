"""What a simulated node does when it is asked to run a command, one function for each behaviour."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparkctl.lab.children import Children
from sparkctl.lab.lies import lie

if TYPE_CHECKING:
    from asyncssh import SSHServerProcess

CHUNK = 65536
NOLOGIN = b"This account is currently not available.\n"
FLOOD = b"This line is one of very many (simulated).\n" * 1500
NOISE = (
    b"\x1b[1;32mWelcome to NVIDIA DGX Spark (simulated)\x1b[0m\r\n\x1b]0;sim\x07"
    b"sparkctl-frame/1 00000000000000000000000000000000 2 " + b"0" * 64 + b"\n{}\n"
    b"\xff\xfe profile: line 3: conda: command not found\n"
)
FLUSH_SECONDS = 0.2  # what was written is on the wire by then; nothing is promised by it


@dataclass(frozen=True)
class Request:
    """A command that a client wants to run: where its streams are, and how a child for it is made."""

    process: "SSHServerProcess[bytes]"
    command: str
    environment: dict[str, str]
    children: Children
    shell: str = "/bin/sh"

    async def send(self, content: bytes) -> None:
        """Write to standard output, as fast as the client takes it."""
        for start in range(0, len(content), CHUNK):
            self.process.stdout.write(content[start : start + CHUNK])
            await self.process.stdout.drain()

    async def collect(self) -> tuple[bytes, int]:
        """Run the command and keep what it prints; standard error is passed on."""
        output = bytearray()

        async def keep(content: bytes) -> None:
            output.extend(content)

        status = await self.run(keep)
        return bytes(output), status

    async def run(self, keep: Callable[[bytes], Awaitable[None]]) -> int:
        """Run the command, hand its standard output to `keep`, and return its exit status."""
        async with self.children.shell(self.shell, self.command, self.environment) as child:
            feeding = asyncio.create_task(self._feed(child))
            try:
                await asyncio.gather(self._drain(child.stdout, keep), self._drain(child.stderr, self._complain))
                return await child.wait()
            finally:
                feeding.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await feeding

    async def _complain(self, content: bytes) -> None:
        self.process.stderr.write(content)
        await self.process.stderr.drain()

    async def _feed(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin is not None  # noqa: S101 - it was started with a pipe
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while content := await self.process.stdin.read(CHUNK):
                child.stdin.write(content)
                await child.stdin.drain()
            child.stdin.close()

    @staticmethod
    async def _drain(stream: asyncio.StreamReader | None, keep: Callable[[bytes], Awaitable[None]]) -> None:
        while stream is not None and (content := await stream.read(CHUNK)):
            await keep(content)

    def end(self, status: int) -> None:
        """Report the exit status, or the signal for a negative one."""
        if status < 0:
            self.process.exit_with_signal("KILL")
        else:
            self.process.exit(status)


async def answer(request: Request, behaviour: str) -> None:
    """Do with the request what the node's behaviour is."""
    if behaviour.startswith("lies-"):
        output, status = await request.collect()
        await request.send(lie(behaviour, output))
        request.end(status)
        return
    await _ACTS.get(behaviour, _faithful)(request)


async def _faithful(request: Request) -> None:
    request.end(await request.run(request.send))


async def _stall(request: Request) -> None:
    output, _ = await request.collect()
    await request.send(output[: len(output) // 2])
    await _for_ever()


async def _slow(request: Request) -> None:
    output, status = await request.collect()
    for at in range(len(output)):
        await request.send(output[at : at + 1])
        await asyncio.sleep(1)
    request.end(status)


async def _close_mid_frame(request: Request) -> None:
    output, _ = await request.collect()
    await request.send(output[: len(output) // 2])
    await asyncio.sleep(FLUSH_SECONDS)
    request.process.channel.get_connection().abort()


async def _no_exit_status(request: Request) -> None:
    output, _ = await request.collect()
    await request.send(output)
    request.process.close()


async def _killed(request: Request) -> None:
    await request.collect()
    request.end(-9)


async def _flood_stdout(request: Request) -> None:
    while True:
        await request.send(FLOOD)


async def _flood_stderr(request: Request) -> None:
    while True:
        request.process.stderr.write(FLOOD)
        await request.process.stderr.drain()


async def _noise(request: Request) -> None:
    await request.send(NOISE)
    status = await request.run(request.send)
    await request.send(NOISE)
    request.end(status)


async def _nologin(request: Request) -> None:
    await request.send(NOLOGIN)
    request.end(1)


async def _for_ever() -> None:
    await asyncio.Event().wait()


_ACTS: dict[str, Callable[[Request], Awaitable[None]]] = {
    "stalls": _stall,
    "slow": _slow,
    "closes-mid-frame": _close_mid_frame,
    "no-exit-status": _no_exit_status,
    "killed": _killed,
    "floods-stdout": _flood_stdout,
    "floods-stderr": _flood_stderr,
    "banner-noise": _noise,
    "nologin": _nologin,
}
