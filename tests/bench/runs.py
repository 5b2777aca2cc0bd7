"""One run of one client against one target, in a process tree of its own."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.clients.job import Job
from tests.bench.contenders import SWEEP, Contender
from tests.bench.machine import ROOT, Cores
from tests.bench.measure import Cost
from tests.bench.peers import Peers
from tests.bench.targets import Target, addresses

RUN_SECONDS = 900.0
_PROBE = Path(__file__).with_name("probe.sh")


@dataclass(frozen=True)
class Run:
    """What one run cost and how many nodes answered; `said` is the end of its standard error."""

    client: str
    target: str
    nodes: int
    answered: int
    cost: Cost
    server_cpu_s: float
    said: str

    @property
    def lost(self) -> int:
        """Nodes that did not answer."""
        return self.nodes - self.answered


@dataclass(frozen=True)
class Bench:
    """What all runs have in common."""

    folder: Path
    peers: Peers
    cores: Cores
    concurrency: int

    def run(self, contender: Contender, target: Target, nodes: int) -> Run:
        """Run a client once against so many nodes."""
        scratch = self.folder / "run"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        job, output = self.job(target, nodes, scratch), scratch / "output"
        command, environment = contender.invoke(job, scratch, self.peers)
        before = target.cpu_seconds()
        cost, said = measured(command, self._environment(scratch) | environment, self.cores.client, output)
        answered = reported(output) if contender.name == SWEEP else job.answered(output)
        return Run(contender.name, target.name, nodes, answered, cost, target.cpu_seconds() - before, said)

    def job(self, target: Target, nodes: int, scratch: Path) -> Job:
        """What a client is told."""
        return Job(
            hosts=addresses(nodes),
            port=target.port,
            user=target.user,
            key=str(target.key),
            known_hosts=str(target.known_hosts(nodes)),
            ssh_config=str(target.ssh_config(nodes)),
            fleet=str(target.fleet(nodes)),
            concurrency=self.concurrency,
            probe=str(_PROBE),
            answers=str(scratch / "answers"),
        )

    def _environment(self, scratch: Path) -> dict[str, str]:
        """A small environment with a home of its own; OpenSSH's client looks up the real one all the same."""
        return {
            "HOME": str(scratch),
            "PATH": f"{self.peers.folder / 'bin'}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }


def measured(command: list[str], environment: dict[str, str], core: int, output: Path) -> tuple[Cost, str]:
    """The cost of a command that prints into `output`, and the end of what it wrote to standard error."""
    result, errors = output.with_name("cost.json"), output.with_name("errors")
    measurer = [sys.executable, "-m", "tests.bench.measure", str(result), str(core), f"{RUN_SECONDS:g}"]
    with errors.open("wb") as stream, output.open("wb") as printed:
        subprocess.run(
            [*measurer, *command], cwd=ROOT, env=environment, check=True,
            stdin=subprocess.DEVNULL, stdout=printed, stderr=stream,
        )  # fmt: skip
    said = errors.read_text("utf-8", "replace").strip()
    return Cost(**json.loads(result.read_text("utf-8"))), said[-300:]


def reported(output: Path) -> int:
    """The nodes that a sweep has a valid document of."""
    lines = output.read_text("utf-8").splitlines()
    return sum(json.loads(line).get("outcome") == "reported" for line in lines)
