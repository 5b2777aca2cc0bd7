"""One fan-out over worker processes, in a process of its own: a test process has threads and must not be forked.

`python -m tests.executor.pooled` reads a JSON object from standard input (see `Task`) and prints a JSON line for each
outcome, then one of the cost. Every visit leaves a file `visits/NODE` in the current folder, which names its process.
"""

import asyncio
import json
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparkctl.app.transports import SharedWays
from sparkctl.executor import workers
from sparkctl.executor.fanout import FanOut
from sparkctl.executor.limits import Limits
from sparkctl.executor.queue import PlaceLimits
from sparkctl.executor.stop import Stop
from sparkctl.executor.visit import Errand
from sparkctl.model.inventory import Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause
from sparkctl.probes.program import Program
from sparkctl.transport.local import LocalSession, LocalTransport
from sparkctl.transport.seam import Deadlines
from sparkctl.transport.settings import TransportSettings


@dataclass
class Task:
    """`stop_s` is when the run is stopped; `babbler` names the node whose visit writes nonsense to the parent."""

    nodes: list[dict[str, Any]]
    program: str
    count: int = 2
    concurrency: int = 4
    rack: int | None = None
    stop_s: float | None = None
    patience_s: float = 30.0
    babbler: str | None = None


@dataclass
class Noting:
    """This machine as every node, whatever the inventory says."""

    babbler: str | None
    local: LocalTransport = field(default_factory=LocalTransport)

    def for_node(self, node: Node) -> "Noting":
        return self

    async def connect(self, node: Node, deadlines: Deadlines) -> LocalSession:
        Path("visits", f".{node.node_id}").write_text(str(os.getpid()))
        Path("visits", f".{node.node_id}").rename(Path("visits", node.node_id))
        if node.node_id == self.babbler:
            for name in os.listdir("/proc/self/fd"):
                if (
                    int(name) > 2
                    and os.path.exists(f"/proc/self/fd/{name}")
                    and stat.S_ISSOCK(os.stat(int(name)).st_mode)
                ):
                    os.write(int(name), b"\0\0\0\4good")
            await asyncio.sleep(60)
        return await self.local.connect(node, deadlines)

    async def close(self) -> None:
        await self.local.close()


async def go(pool: workers.Workers, nodes: list[Node], errand: Errand, task: Task) -> None:
    stop = Stop()

    async def keep(outcome: NodeOutcome) -> None:
        failure = outcome.failure
        words = {"status": json.loads(outcome.record)["status"], "message": failure.message if failure else ""}
        print(json.dumps({"node": outcome.node_id, "hint": failure.hint if failure else "", **words}), flush=True)

    if task.stop_s is not None:
        asyncio.get_running_loop().call_later(task.stop_s, stop.set, Cause.RUN_DEADLINE, "the time was over")
    async with pool.at_work(stop) as visit:
        await FanOut(errand, visit, keep, stop, PlaceLimits(rack=task.rack)).run(nodes)


def main() -> None:
    task = Task(**json.load(sys.stdin))
    workers._PATIENCE_S = task.patience_s
    limits = Limits(node_s=40, program_s=30, concurrency=task.concurrency)
    errand = Errand("run", Program("test", task.program.encode(), {}), limits)
    nodes = [Node.model_validate({"origin": "test:1", **node}) for node in task.nodes]
    os.makedirs("visits")
    shared = SharedWays(TransportSettings(pins_file=Path("pins")))
    with workers.Workers(task.count, nodes, errand, Noting(task.babbler), shared) as pool:
        asyncio.run(go(pool, nodes, errand, task))
        print(json.dumps({"cpu_s": pool.cpu_s, "peak_rss_bytes": pool.peak_rss_bytes}))


if __name__ == "__main__":
    main()
