"""Compare what clients cost for each node of a fan-out: CPU, wall time, memory, nodes lost.

All clients run against the same servers, with the same probe and concurrency, in one interleaved run (A B C A B C). The
figure of a client is its CPU for each *added* node, the difference between a small and a large fleet, so that starting
it does not count; the comparison is the ratio to ssh2-python in the same round.

    python -m tests.bench.fanout            about five minutes on two cores
    python -m tests.bench.fanout --quick    about one minute, rough figures
    python -m tests.bench.fanout --clients "sparkctl transport,sparkctl health" --targets farm
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.bench import machine, peers, recorded, targets
from tests.bench.contenders import ANSIBLE, BARE, CONTENDERS, SWEEP, YARDSTICK, Contender
from tests.bench.figures import Aim, Pair, Spread, ratios, table
from tests.bench.options import add_concurrency, add_peers_venv
from tests.bench.options import parser as command_line
from tests.bench.page import replace_section
from tests.bench.runs import Bench, measured
from tests.bench.targets import Target

HELP_RUNS = 5
Results = dict[tuple[str, str], list[Pair]]


@dataclass(frozen=True)
class Plan:
    """What is measured: fleet sizes for each target, smaller ones for clients that are slow, and the rounds."""

    sizes: dict[str, tuple[int, int]]
    slow_sizes: tuple[int, int]
    reps: int

    def pair(self, contender: Contender, target: Target) -> tuple[int, int]:
        """The two sizes of one client."""
        return self.slow_sizes if contender.slow else self.sizes[target.name]


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = command_line("fanout", __doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="few nodes, two rounds")
    add("--reps", type=int, help="rounds (default 3, quick 2)")
    add("--sizes", type=sizes, help="small,large fleet against sshd (default 60,260)")
    add("--farm-sizes", type=sizes, help="small,large fleet against the farm (default 100,1000)")
    add("--slow-sizes", type=sizes, help="small,large fleet of slow clients (default 10,50)")
    add_concurrency(parser)
    add("--clients", type=names, help="only these, separated by commas; ssh2-python always takes part")
    add("--targets", type=names, default=["farm", "sshd"], help="farm,sshd (default both)")
    add_peers_venv(parser)
    add("--json", type=Path, help="write every run to this file")
    add("--write", action="store_true", help="put the results into docs/performance.md")
    return parser.parse_args(argv)


def sizes(text: str) -> tuple[int, int]:
    """`60,260` as two numbers, the smaller first."""
    small, large = (int(part) for part in text.split(","))
    if not 0 < small < large <= targets.MOST_NODES:
        raise argparse.ArgumentTypeError(f"two sizes, the smaller first, up to {targets.MOST_NODES}")
    return small, large


def names(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",")]


def plan(options: argparse.Namespace) -> Plan:
    """What the options ask for."""
    quick = options.quick
    return Plan(
        sizes={
            "sshd": options.sizes or ((10, 50) if quick else (60, 260)),
            "farm": options.farm_sizes or ((20, 120) if quick else (100, 1000)),
        },
        slow_sizes=options.slow_sizes or ((5, 15) if quick else (10, 50)),
        reps=options.reps or (2 if quick else 3),
    )


def chosen(options: argparse.Namespace) -> list[Contender]:
    """Who takes part."""
    wanted = options.clients
    if set(options.targets) - {"farm", "sshd"}:
        raise SystemExit("the targets are farm and sshd")
    unknown = set(wanted or ()) - {each.name for each in CONTENDERS}
    if unknown:
        raise SystemExit(f"no client {min(unknown)!r}; there are: {'; '.join(each.name for each in CONTENDERS)}")
    return [each for each in CONTENDERS if wanted is None or each.name in wanted or each.name == YARDSTICK]


@contextmanager
def servers(folder: Path, wanted: Sequence[str], cores: machine.Cores) -> Iterator[list[Target]]:
    """The targets, up."""
    document = recorded.record(folder)
    with ExitStack() as stack:
        makers = {"farm": targets.farm, "sshd": targets.sshd}
        yield [stack.enter_context(makers[name](folder, document, cores)) for name in wanted]


def compare(bench: Bench, up: list[Target], contenders: list[Contender], what: Plan) -> Results:
    """Every round of every client on every target."""
    results: Results = {}
    for rep in range(what.reps):
        for target in up:
            for contender in contenders:
                if target.name == "farm" and not contender.farm:
                    continue
                small, large = what.pair(contender, target)
                pair = Pair(bench.run(contender, target, small), bench.run(contender, target, large))
                results.setdefault((target.name, contender.name), []).append(pair)
                progress(rep + 1, pair)
    return results


def progress(rep: int, pair: Pair) -> None:
    """One line on standard error for each pair of runs."""
    large = pair.large
    print(
        f"round {rep} {large.target} {large.client}: {pair.cpu_ms:.2f} ms per added node, {large.cost.wall_s:.1f} s, "
        f"{large.cost.peak_mib:.0f} MiB, {large.answered}/{large.nodes} answered"
        + (f"; it said: {large.said}" if pair.lost or large.cost.status not in (0, 1) else ""),
        file=sys.stderr,
        flush=True,
    )


def comparison(target: str, contenders: list[Contender], results: Results, missing: dict[str, str]) -> str:
    """The table of one target, the missing peers in it."""
    yardstick = results[target, YARDSTICK]
    rows = []
    for each in contenders:
        pairs = results.get((target, each.name))
        if pairs:
            large = [pair.large for pair in pairs]
            rows.append([
                each.label,
                Spread.of([pair.cpu_ms for pair in pairs]).show(),
                ratios(pairs, yardstick).show(),
                f"{pairs[0].small.nodes} → {large[0].nodes}",
                f"{median(run.cost.wall_s for run in large):.1f}",
                f"{max(run.cost.peak_mib for run in large):.0f}",
                str(sum(pair.lost for pair in pairs)),
            ])  # fmt: skip
        elif each.peer in missing:
            rows.append([each.label, f"not installed: {missing[each.peer]}", "", "", "", "", ""])
    head = ["client", "CPU ms per added node", "ratio to ssh2-python", "nodes", "wall s", "peak MiB", "lost"]
    return table(head, rows)


def aims(results: Results, help_ms: Spread) -> list[Aim]:
    """The aims that this run can speak to."""
    found = []
    for target in ("farm", "sshd"):
        yardstick = results.get((target, YARDSTICK))
        for name, limit in ((BARE, 1.5), (SWEEP, 4.0)):
            pairs = results.get((target, name))
            if yardstick and pairs:
                words = f"{name}, CPU per added node ({target}), as a multiple of {YARDSTICK}'s"
                found.append(Aim(words, ratios(pairs, yardstick), limit))
    ours, ansible = results.get(("sshd", SWEEP)), results.get(("sshd", ANSIBLE))
    if ours and ansible:
        words = f"{ANSIBLE}, CPU per added node (sshd), as a multiple of {SWEEP}'s"
        found.append(Aim(words, ratios(ansible, ours), 15.0, at_least=True))
    found.append(Aim("`sparkctl --help`, CPU", help_ms, 120.0, unit="ms"))
    return found


def help_cost(bench: Bench) -> Spread:
    """CPU in milliseconds of showing the help."""
    command = [sys.executable, "-m", "sparkctl", "--help"]
    environment = {"HOME": str(bench.folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(machine.ROOT)}
    costs = [
        measured(command, environment, bench.cores.client, bench.folder / "output")[0] for _ in range(HELP_RUNS + 1)
    ]
    return Spread.of([cost.cpu_s * 1000 for cost in costs[1:]])  # the first one may have to compile


def report(contenders: list[Contender], results: Results, help_ms: Spread, missing: dict[str, str]) -> str:
    """Everything as Markdown."""
    parts = []
    for target, title in (("farm", "Against the farm"), ("sshd", "Against sshd")):
        if (target, YARDSTICK) in results:
            parts += [f"### {title}", comparison(target, contenders, results, missing)]
    rows = [aim.row() for aim in aims(results, help_ms)]
    parts += ["### Aims", table(["what", "aim", "measured", ""], rows)]
    return "\n\n".join(parts)


def save(path: Path, results: Results) -> None:
    """Every run as JSON."""
    runs = [asdict(run) for pairs in results.values() for pair in pairs for run in (pair.small, pair.large)]
    path.write_text(json.dumps(runs, indent=1), "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write where asked; 1 when the yardstick cannot be had or a node was lost by sparkctl."""
    options = arguments(argv)
    what, contenders, cores = plan(options), chosen(options), machine.Cores.shared_out()
    installed = peers.provide(options.peers_venv, [each.peer for each in contenders if each.peer])
    if YARDSTICK in installed.missing:
        print(f"without {YARDSTICK} there are no ratios: {installed.missing[YARDSTICK]}", file=sys.stderr)
        return 1
    facts = table(["", ""], [list(fact) for fact in machine.describe()])
    able = [each for each in contenders if each.peer not in installed.missing]
    with machine.alone(), tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as name:
        folder = Path(name)
        bench = Bench(folder, installed, cores, options.concurrency)
        with servers(folder, options.targets, cores) as up:
            results = compare(bench, up, able, what)
        help_ms = help_cost(bench)
    rounds = "1 round" if what.reps == 1 else f"{what.reps} rounds, medians with least and greatest"
    head = f"{facts}\n\n{rounds}; {options.concurrency} nodes at once."
    text = f"{head}\n\n{report(contenders, results, help_ms, installed.missing)}"
    print(text)
    if options.json:
        save(options.json, results)
    if options.write:
        replace_section("fanout", text)
    return (
        1
        if any(pair.lost for (_, client), pairs in results.items() if client in (BARE, SWEEP) for pair in pairs)
        else 0
    )


if __name__ == "__main__":
    sys.exit(main())
