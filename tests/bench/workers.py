"""What worker processes bring: one sweep of the farm with 1, 2 and 3 of them, with all cores free for all.

    python -m tests.bench.workers               1,000 nodes, 5 rounds, about two minutes on two cores
    python -m tests.bench.workers --nodes 150   where a sweep is too short for workers to pay

The farm is one process that costs about as much as one sparkctl, so on two cores it competes with the workers.
Rounds are interleaved; ratios are to one worker in the same round.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import machine, peers, recorded, targets
from tests.bench.contenders import CONTENDERS, SWEEP
from tests.bench.figures import Spread, table
from tests.bench.machine import ROOT, Cores
from tests.bench.measure import Cost
from tests.bench.options import add_concurrency
from tests.bench.options import parser as command_line
from tests.bench.runs import Bench, measured, reported

# `python -m sparkctl` that says at its end what its own process took, without the workers.
_PARENT = (
    "import atexit, resource, sys; used = lambda: resource.getrusage(resource.RUSAGE_SELF);"
    "atexit.register(lambda: print(used().ru_utime + used().ru_stime, file=sys.stderr));"
    "from sparkctl.cli.main import main; sys.exit(main())"
)


@dataclass(frozen=True)
class Sweep:
    """One sweep: what it cost, what of that was the parent's (CPU seconds), and the share of all cores in use."""

    cost: Cost
    parent_s: float
    busy: float


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line("workers", __doc__)
    add = parser.add_argument
    add("--nodes", type=int, default=1000, help="nodes of the fleet (default %(default)s)")
    add("--rounds", type=int, default=5, help="runs of each (default %(default)s)")
    add_concurrency(parser)
    add("--workers", type=int, nargs="+", default=[1, 2, 3], help="how many workers; the first is the yardstick")
    return parser.parse_args(argv)


def run(bench: Bench, farm: targets.Target, nodes: int, workers: int) -> tuple[Sweep, int]:
    """One sweep, and how many nodes reported."""
    scratch = bench.folder / "run"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    sweep = next(each for each in CONTENDERS if each.name == SWEEP)
    (python, _, _, *options), _ = sweep.invoke(bench.job(farm, nodes, scratch), scratch, bench.peers)
    command = [python, "-c", _PARENT, *options, "--workers", str(workers)]
    environment = {"HOME": str(scratch), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    output, before = scratch / "output", farm.cpu_seconds()
    cost, said = measured(command, environment, bench.cores.client, output)
    busy = (cost.cpu_s + farm.cpu_seconds() - before) / cost.wall_s / len(bench.cores.server)
    answered = reported(output)
    print(
        f"{workers} workers: CPU {cost.cpu_s:.2f} s, wall {cost.wall_s:.2f} s, {cost.peak_mib:.0f} MiB, "
        f"{busy:.0%} of all cores, {answered} answered",
        file=sys.stderr,
        flush=True,
    )
    return Sweep(cost, float(said.splitlines()[-1]), busy), answered


def report(sweeps: dict[int, list[Sweep]], nodes: int) -> str:
    """Everything as Markdown."""
    first = next(iter(sweeps.values()))
    rows = [
        [
            str(workers),
            Spread.of([nodes / each.cost.wall_s for each in those]).show(0),
            Spread.of([base.cost.wall_s / each.cost.wall_s for base, each in zip(first, those, strict=True)]).show(),
            Spread.of([each.cost.cpu_s * 1000 / nodes for each in those]).show(),
            Spread.of([each.cost.cpu_s / base.cost.cpu_s for base, each in zip(first, those, strict=True)]).show(),
            Spread.of([each.parent_s * 1000 / nodes for each in those]).show(),
            Spread.of([each.cost.peak_mib for each in those]).show(0),
            Spread.of(
                [each.cost.peak_mib / base.cost.peak_mib for base, each in zip(first, those, strict=True)]
            ).show(),
            f"{Spread.of([each.busy for each in those]).middle:.0%}",
        ]
        for workers, those in sweeps.items()
    ]
    head = ["workers", "nodes per s", "ratio", "CPU ms per node", "ratio", "of it in the parent"]
    return table([*head, "resident sets, MiB", "ratio", "cores in use"], rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a node was lost."""
    options = arguments(argv)
    sweeps: dict[int, list[Sweep]] = {workers: [] for workers in options.workers}
    lost = 0
    everywhere = Cores(-1, frozenset(os.sched_getaffinity(0)))
    with machine.alone(), tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as name:
        folder = Path(name)
        with targets.farm(folder, recorded.record(folder), everywhere) as farm:
            bench = Bench(folder, peers.Peers(folder, {}), everywhere, options.concurrency)
            for _ in range(options.rounds):
                for workers in options.workers:
                    sweep, answered = run(bench, farm, options.nodes, workers)
                    sweeps[workers].append(sweep)
                    lost += options.nodes - answered
    print(table(["", ""], [list(fact) for fact in machine.describe()]))
    print(f"\n{options.nodes} nodes, {options.rounds} rounds, {lost} lost\n\n{report(sweeps, options.nodes)}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
