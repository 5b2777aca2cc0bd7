"""Where a sweep spends its CPU: `sparkctl health`, or the transport alone, under the sampling profiler py-spy.

Three tables: time in each function itself; time charged to the innermost function of sparkctl, with the libraries that
it calls; and inclusive time, whose rows overlap. Only a thread that holds the interpreter's lock is sampled, so nothing
that waits counts. Shares of samples are turned into milliseconds per node with all the CPU of the process: its start,
and what runs without the lock (ciphers, system calls, zlib, SQLite), are spread over the rows.

    python -m tests.bench.hot --nodes 500            the whole sweep
    python -m tests.bench.hot --transport            the transport with the 4 KB probe
    python -m tests.bench.hot --flame sweep.svg      the flame graph, for a browser
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import machine, peers, recorded, targets
from tests.bench.contenders import BARE, CONTENDERS, SWEEP
from tests.bench.figures import table
from tests.bench.options import add_concurrency, add_peers_venv
from tests.bench.options import parser as command_line
from tests.bench.runs import Bench

_FRAME = " ("


@dataclass(frozen=True)
class Profile:
    """Stacks, the outermost frame first, with their samples; `cpu_ms` is the CPU of the whole run for each node."""

    stacks: dict[tuple[str, ...], int]
    cpu_ms: float

    def own(self) -> collections.Counter[str]:
        """Samples by innermost function."""
        found: collections.Counter[str] = collections.Counter()
        for stack, samples in self.stacks.items():
            found[stack[-1]] += samples
        return found

    def charged(self) -> collections.Counter[str]:
        """Samples by the innermost function of sparkctl, with the libraries that it calls."""
        found: collections.Counter[str] = collections.Counter()
        for stack, samples in self.stacks.items():
            ours = [frame for frame in stack if "(sparkctl/" in frame]
            found[ours[-1] if ours else "threads and libraries alone"] += samples
        return found

    def inclusive(self) -> collections.Counter[str]:
        """Samples by every function on the stack, once for each stack."""
        found: collections.Counter[str] = collections.Counter()
        for stack, samples in self.stacks.items():
            for frame in set(stack):
                found[frame] += samples
        return found

    def rows(self, counted: collections.Counter[str], most: int) -> list[list[str]]:
        """The largest of them: milliseconds per node, share, function."""
        total = sum(self.stacks.values())
        return [
            [f"{self.cpu_ms * samples / total:.2f}", f"{samples / total:.1%}", name]
            for name, samples in counted.most_common(most)
        ]


def read(raw: str, cpu_ms: float) -> Profile:
    """Parse py-spy's `raw` format: frames joined by semicolons, then the samples."""
    stacks: collections.Counter[tuple[str, ...]] = collections.Counter()
    for line in raw.splitlines():
        frames, _, samples = line.rpartition(" ")
        stack = tuple(_function(frame) for frame in frames.split(";"))
        stacks[stack] += int(samples)
    return Profile(dict(stacks), cpu_ms)


def _function(frame: str) -> str:
    """`NAME (FILE:LINE)` without the line, the file shortened to what follows site-packages."""
    name, found, place = frame.partition(_FRAME)
    file = place.rstrip(")").rpartition(":")[0]
    return f"{name} ({file})" if found else name


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line("hot", __doc__)
    add = parser.add_argument
    add("--transport", action="store_true", help="profile the transport alone")
    add("--nodes", type=int, default=500, help="nodes of the farm (default 500)")
    add_concurrency(parser)
    add("--top", type=int, default=25, help="rows of each table (default 25)")
    add("--rate", type=int, default=400, help="samples each second (default 400)")
    add("--flame", type=Path, help="draw a flame graph here in place of the tables")
    add_peers_venv(parser)
    return parser.parse_args(argv)


def record(options: argparse.Namespace, spy: str, output: Path, form: str) -> float:
    """Profile one sweep into `output`; CPU of the sweep in milliseconds for each node."""
    cores = machine.Cores.shared_out()
    with machine.alone(), tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as name:
        folder = Path(name)
        with targets.farm(folder, recorded.record(folder), cores) as farm:
            bench = Bench(folder, peers.Peers(folder, {}), cores, options.concurrency)
            job, client = bench.job(farm, options.nodes, folder), BARE if options.transport else SWEEP
            contender = next(each for each in CONTENDERS if each.name == client)
            command, _ = contender.invoke(job, folder, bench.peers)
            profiler = [spy, "record", "--gil", "--rate", str(options.rate), "--format", form, "--output", str(output)]
            environment = os.environ | {"HOME": name, "PYTHONPATH": str(machine.ROOT)}
            with (folder / "output").open("wb") as output_file:
                subprocess.run([*profiler, "--", *command], stdout=output_file, cwd=name, env=environment, check=False)
            lines = (folder / "output").read_text("utf-8").splitlines()  # py-spy puts words of its own between
            report = json.loads([line for line in lines if line.startswith("{")][-1])
    cpu_s: float = report["cost"]["cpu_s"]
    nodes: int = options.nodes
    return cpu_s * 1000 / nodes


def main(argv: Sequence[str] | None = None) -> int:
    """Profile and print."""
    options = arguments(argv)
    installed = peers.provide(options.peers_venv, ["py-spy"])
    if installed.missing:
        print(f"there is no profiler: {installed.missing['py-spy']}", file=sys.stderr)
        return 1
    if options.flame:
        record(options, installed.tool("py-spy"), options.flame, "flamegraph")
        return 0
    with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        cpu_ms = record(options, installed.tool("py-spy"), Path(raw.name), "raw")
        profile = read(Path(raw.name).read_text("utf-8"), cpu_ms)
    print(f"{options.nodes} nodes, {cpu_ms:.2f} ms of CPU per node, start included\n")
    counts = {
        "own time": profile.own(),
        "sparkctl with libraries": profile.charged(),
        "inclusive": profile.inclusive(),
    }
    for title, counted in counts.items():
        print(table(["ms per node", "share", title], profile.rows(counted, options.top)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
