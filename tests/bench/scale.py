"""Draw what a whole sweep costs against the size of the fleet: CPU for each node, wall time, peak memory, nodes lost.

`sparkctl health` as an operator runs it (program streamed, document validated, record stored and printed) against the
farm of simulated nodes, beside ssh2-python, which only fetches 4 KB. CPU for each added node is the difference to the
smallest fleet, so that starting does not count.

    python -m tests.bench.scale            10, 100 and 1,000 nodes, about two minutes on two cores
    python -m tests.bench.scale --full     5,000 nodes too
    python -m tests.bench.scale --quick    up to 300 nodes
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.bench import machine, peers, recorded, targets
from tests.bench.contenders import CONTENDERS, SWEEP, YARDSTICK, Contender
from tests.bench.figures import Aim, Spread, table
from tests.bench.options import add_concurrency, add_peers_venv
from tests.bench.options import parser as command_line
from tests.bench.page import PAGE, replace_section
from tests.bench.plot import Panel, Series, draw
from tests.bench.runs import Bench, Run

MOST_REPS = 5
PICTURE = PAGE.with_name("performance-scale.svg")
Runs = dict[tuple[str, int], list[Run]]


@dataclass(frozen=True)
class Point:
    """One client at one fleet size; `cpu_ms` is that of an added node, None for the smallest fleet."""

    nodes: int
    cpu_s: float
    cpu_ms: float | None
    wall_s: float
    peak_mib: float
    lost: int
    runs: int


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line("scale", __doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="10, 100 and 300 nodes")
    add("--full", action="store_true", help="10, 100, 1,000 and 5,000 nodes")
    add("--sizes", type=sizes, help="fleet sizes, separated by commas")
    add("--reps", type=int, default=MOST_REPS, help="runs of the small fleets; larger ones get fewer (default 5)")
    add_concurrency(parser)
    add_peers_venv(parser)
    add("--json", type=Path, help="write every run to this file")
    add("--write", action="store_true", help="put table and picture into docs/")
    return parser.parse_args(argv)


def sizes(text: str) -> list[int]:
    """`10,100` as numbers, ascending."""
    found = sorted({int(part) for part in text.split(",")})
    if len(found) < 2 or not 0 < found[0] <= found[-1] <= targets.MOST_NODES:
        raise argparse.ArgumentTypeError(f"at least two sizes, up to {targets.MOST_NODES}")
    return found


def chosen(options: argparse.Namespace) -> list[int]:
    """The fleet sizes."""
    if options.sizes:
        return list(options.sizes)
    if options.quick:
        return [10, 100, 300]
    return [10, 100, 1000, 5000] if options.full else [10, 100, 1000]


def repetitions(size: int, most: int) -> int:
    """How often a size is run: small fleets are noisier, and cheaper."""
    return max(1, min(most, 2000 // size))


def sweep_all(bench: Bench, farm: targets.Target, clients: list[Contender], wanted: list[int], most: int) -> Runs:
    """All runs, interleaved."""
    runs: Runs = {}
    for rep in range(most):
        for size in wanted:
            for client in clients:
                if rep < repetitions(size, most):
                    run = bench.run(client, farm, size)
                    runs.setdefault((client.name, size), []).append(run)
                    progress(run)
    return runs


def progress(run: Run) -> None:
    """One line on standard error for each run."""
    print(
        f"{run.client}, {run.nodes} nodes: CPU {run.cost.cpu_s:.2f} s, wall {run.cost.wall_s:.1f} s, "
        f"{run.cost.peak_mib:.0f} MiB, {run.answered} answered" + (f"; it said: {run.said}" if run.lost else ""),
        file=sys.stderr,
        flush=True,
    )


def curve(runs: Runs, client: str) -> list[Point]:
    """The points of one client, the smallest fleet first."""
    found = {size: those for (name, size), those in sorted(runs.items()) if name == client}
    cpu = {size: median(run.cost.cpu_s for run in those) for size, those in found.items()}
    least = min(found, default=0)
    return [
        Point(
            nodes=size,
            cpu_s=cpu[size],
            cpu_ms=None if size == least else (cpu[size] - cpu[least]) * 1000 / (size - least),
            wall_s=median(run.cost.wall_s for run in those),
            peak_mib=median(run.cost.peak_mib for run in those),
            lost=sum(run.lost for run in those),
            runs=len(those),
        )
        for size, those in found.items()
    ]


def rows(client: str, points: list[Point]) -> list[list[str]]:
    """The rows of one client."""
    return [
        [
            client,
            f"{point.nodes:,}",
            "" if point.cpu_ms is None else f"{point.cpu_ms:.2f}",
            f"{point.cpu_s:.2f}",
            f"{point.wall_s:.1f}",
            f"{point.peak_mib:.0f}",
            str(point.lost),
            str(point.runs),
        ]
        for point in points
    ]


def aims(points: list[Point]) -> list[Aim]:
    """The aims that these sizes can speak to."""
    at = {point.nodes: point for point in points}
    found = []
    if 1000 in at:
        found.append(Aim("peak memory at 1,000 nodes", one(at[1000].peak_mib), 96, unit="MiB"))
    if 1000 in at and 5000 in at:
        grown = at[5000].peak_mib / at[1000].peak_mib
        found.append(Aim("peak memory at 5,000 nodes, as a multiple of that at 1,000", one(grown), 1.25))
    largest = points[-1]
    hundred = at[100].cpu_ms if 100 in at else None
    if hundred and largest.cpu_ms and largest.nodes > 100:
        words = f"CPU per added node at {largest.nodes:,}, as a multiple of that at 100"
        found.append(Aim(words, one(largest.cpu_ms / hundred), 1.15))
    found.append(Aim("nodes lost, all runs", one(sum(point.lost for point in points)), 0, unit="nodes"))
    return found


def one(value: float) -> Spread:
    """A value without a spread."""
    return Spread(value, value, value)


def picture(curves: dict[str, list[Point]], words: str) -> str:
    """CPU and memory against fleet size, as SVG."""
    cpu = [
        Series(name, [(point.nodes, point.cpu_ms) for point in points if point.cpu_ms is not None])
        for name, points in curves.items()
    ]
    memory = [Series(name, [(point.nodes, point.peak_mib) for point in points]) for name, points in curves.items()]
    panels = [Panel("CPU per added node, ms", cpu), Panel("peak memory, MiB", memory)]
    return draw(panels, "nodes in the fleet", words)


def report(curves: dict[str, list[Point]], facts: list[tuple[str, str]], missing: dict[str, str]) -> str:
    """Everything as Markdown."""
    head = ["client", "nodes", "CPU ms per added node", "CPU s", "wall s", "peak MiB", "lost", "runs"]
    found = [row for name, points in curves.items() for row in rows(name, points)]
    parts = [
        table(["", ""], [list(fact) for fact in facts]),
        table(head, found),
        *(f"{name} could not be installed: {why}" for name, why in missing.items()),
        "### Aims at scale",
        table(["what", "aim", "measured", ""], [aim.row() for aim in aims(curves[SWEEP])]),
    ]
    return "\n\n".join(parts)


def measure(options: argparse.Namespace, installed: peers.Peers) -> Runs:
    """Farm up, all runs, farm down."""
    clients = [each for each in CONTENDERS if each.name in (SWEEP, YARDSTICK) and each.peer not in installed.missing]
    cores = machine.Cores.shared_out()
    with machine.alone(), tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as name:
        folder = Path(name)
        with targets.farm(folder, recorded.record(folder), cores) as farm:
            bench = Bench(folder, installed, cores, options.concurrency)
            return sweep_all(bench, farm, clients, chosen(options), options.reps)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write where asked; 1 when the sweep lost a node."""
    options = arguments(argv)
    installed = peers.provide(options.peers_venv, [YARDSTICK])
    facts = machine.describe()
    runs = measure(options, installed)
    curves = {name: points for name in (SWEEP, YARDSTICK) if (points := curve(runs, name))}
    text = report(curves, facts, installed.missing)
    print(text)
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for those in runs.values() for run in those], indent=1))
    if options.write:
        known = dict(facts)
        PICTURE.write_text(
            picture(curves, f"sparkctl {known['sparkctl']}; {known['machine']}; {known['date']}"), "utf-8"
        )
        replace_section("scale", f"{text}\n\n![Cost of a sweep against fleet size]({PICTURE.name})")
    return 1 if any(point.lost for point in curves[SWEEP]) else 0


if __name__ == "__main__":
    sys.exit(main())
