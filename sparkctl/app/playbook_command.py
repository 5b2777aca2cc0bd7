"""A step that is a command of sparkctl: a process of its own, so that a step does just what an operator would do."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Sequence

from sparkctl.app.places import Places
from sparkctl.app.playbook_driver import Came
from sparkctl.app.schedule_child import STOP_S, program
from sparkctl.errors import ExitCode
from sparkctl.model.journal import Result
from sparkctl.model.printable import printable
from sparkctl.playbook.verbs import takes_node

MOST_BYTES = 4 * 2**20
"""What is kept of what a command prints, on each of its streams."""

BUSY_PAUSE_S = 1.0
_RESULTS = {
    ExitCode.OK: Result.DONE,
    ExitCode.FINDINGS: Result.FAILED,
    ExitCode.USAGE: Result.FAILED,
    ExitCode.UNJUDGED: Result.UNKNOWN,
    ExitCode.REFUSED: Result.REFUSED,
    ExitCode.IN_DOUBT: Result.UNKNOWN,
    ExitCode.SINK_FAILED: Result.DONE,
    ExitCode.BUSY: Result.UNKNOWN,
}


async def run_command(
    words: Sequence[str], node_id: str, places: Places, within_s: float, accepted: frozenset[str] = frozenset()
) -> Came:
    """Run `sparkctl WORDS` to its end, and with the node where no word names it.

    `accepted` are names of exit codes that are as good as `ok` here. While another run holds the state folder it is
    tried again. One that takes too long is ended.
    """
    began = time.monotonic()
    argv = [*program(), *words, *((node_id,) if node_id not in words and takes_node(words) else ())]
    environment = os.environ | {"SPARKCTL_FLEET": str(places.fleet), "SPARKCTL_STATE": str(places.state)}
    while True:
        code, out, said = await _run(argv, environment, within_s - (time.monotonic() - began))
        if code != ExitCode.BUSY or time.monotonic() - began + BUSY_PAUSE_S > within_s:
            break
        await asyncio.sleep(BUSY_PAUSE_S)
    spent = round((time.monotonic() - began) * 1000)
    result = Result.DONE if code is not None and _reason(code) in accepted else _result(code)
    last = _last_words(said.decode("utf-8", "replace"))
    words_of_end = "it did not end in time" if code is None else f"it ended with {code}{_name(code)}"
    command = " ".join(["sparkctl", *argv[len(program()) :]])
    summary = printable(f"{command}: {words_of_end}{f'; {last}' if last and result is not Result.DONE else ''}", 1000)
    text = json.dumps({
        "schema": "sparkctl.command/1",
        "argv": argv,
        "exit_status": code,
        "stdout": out.decode("utf-8", "replace"),
        "stderr": said.decode("utf-8", "replace"),
    })  # fmt: skip
    return Came(
        result=result,
        reason=None if result is Result.DONE else _reason(code),
        summary=summary,
        argv=tuple(printable(word, 1000) for word in argv),
        exit_status=code,
        duration_ms=spent,
        texts=(text,),
    )


def _last_words(said: str) -> str:
    """What a command complained of last, without its name and without what to do next."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.lstrip().startswith("→")]
    complaints = [line.removeprefix("sparkctl: ") for line in lines if line.startswith("sparkctl: ")]
    return (complaints or lines or [""])[-1]


async def _run(argv: Sequence[str], environment: dict[str, str], seconds: float) -> tuple[int | None, bytes, bytes]:
    """Exit status (None where it had to be ended) and what was printed."""
    child = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    reading = asyncio.gather(_kept(child.stdout), _kept(child.stderr))
    try:
        async with asyncio.timeout(max(seconds, 0.1)):
            out, said = await asyncio.shield(reading)
            return await child.wait(), out, said
    except TimeoutError:
        await _end(child)
        return (None, *await reading)
    except asyncio.CancelledError:
        await _end(child)
        raise


async def _kept(stream: asyncio.StreamReader | None) -> bytes:
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(65536)):
        kept += chunk[: max(MOST_BYTES - len(kept), 0)]
    return bytes(kept)


async def _end(child: asyncio.subprocess.Process) -> None:
    """End a command in good order, or else by force, with all that it started."""
    for number, patience_s in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await child.wait()
                return


def _result(code: int | None) -> Result:
    if code is None:
        return Result.UNKNOWN
    return _RESULTS.get(ExitCode(code), Result.FAILED) if code in list(ExitCode) else Result.FAILED


def _reason(code: int | None) -> str:
    if code is None:
        return "timeout"
    return ExitCode(code).name.lower() if code in list(ExitCode) else "exit_status"


def _name(code: int) -> str:
    return f" ({ExitCode(code).name.lower()})" if code in list(ExitCode) else ""
