"""sparkctl's default transport through its seam: connect, run the probe, close; no document, no store."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sparkctl.model.inventory import Node, SshSettings
from sparkctl.transport.choose import open_transport
from sparkctl.transport.seam import Command, Deadlines, Transport, TransportError
from sparkctl.transport.settings import TransportSettings
from tests.bench.clients.job import Job


def node(job: Job, number: int, host: str) -> Node:
    """A node as an inventory would describe it."""
    ssh = SshSettings(host=host, port=job.port, user=job.user, identity_files=[Path(job.key)], agent=False)
    return Node(node_id=f"node{number}", ssh=ssh, origin="benchmark:1")


async def visit(transport: Transport, target: Node, command: Command, seconds: float) -> bytes:
    """What one node prints."""
    session = await transport.connect(target, Deadlines(seconds, seconds, seconds, seconds))
    try:
        return (await session.execute(command, seconds)).stdout
    finally:
        await session.close()


async def visitor(job: Job, transport: Transport, waiting: Iterator[Node], answers: BinaryIO) -> None:
    """Visit nodes one after the other until none is left."""
    command = Command(("sh", "-s"), job.probe_text, stdout_limit=65536, stderr_limit=65536)
    for target in waiting:
        try:
            answers.write(await visit(transport, target, command, job.seconds))
        except TransportError as error:
            print(f"{target.node_id}: {error.message}", file=sys.stderr)


async def main() -> None:
    """Ask every node, and say what it cost, as a sweep does."""
    job = Job.given()
    transport = open_transport("asyncssh", TransportSettings(pins_file=Path(job.known_hosts)))
    waiting = iter([node(job, number, host) for number, host in enumerate(job.hosts, 1)])
    with Path(job.answers).open("wb") as answers:
        await asyncio.gather(*(visitor(job, transport, waiting, answers) for _ in range(job.concurrency)))
    await transport.close()
    print(json.dumps({"cost": {"cpu_s": time.process_time()}}))


if __name__ == "__main__":
    asyncio.run(main())
