"""asyncssh as its documentation shows it: `connect` with the paths of key and known_hosts, `run`, close."""

import asyncio
import sys
from pathlib import Path
from typing import BinaryIO

import asyncssh

from tests.bench.clients.job import Job


async def ask(job: Job, host: str, probe: str, turn: asyncio.Semaphore, answers: BinaryIO) -> None:
    """Ask one node."""
    try:
        async with (
            turn,
            asyncssh.connect(
                host, job.port, username=job.user, client_keys=[job.key], known_hosts=job.known_hosts, config=None
            ) as connection,
        ):
            ran = await connection.run("sh -s", input=probe, timeout=job.seconds)
            answers.write(str(ran.stdout).encode())
    except (OSError, asyncssh.Error) as error:
        print(f"{host}: {error}", file=sys.stderr)


async def main() -> None:
    """Ask every node."""
    job = Job.given()
    probe, turn = job.probe_text.decode("ascii"), asyncio.Semaphore(job.concurrency)
    with Path(job.answers).open("wb") as answers:
        await asyncio.gather(*(ask(job, host, probe, turn, answers) for host in job.hosts))


if __name__ == "__main__":
    asyncio.run(main())
