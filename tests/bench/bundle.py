"""What it costs the bastion to make a bundle of what a node sent, beside `tar | zstd` of the same files.

    python -m tests.bench.bundle            five rounds: about two minutes
    python -m tests.bench.bundle --quick    one round

Two lab nodes send what they have over SSH, an ordinary one and one with secrets planted everywhere; the spools are kept
and sealed again and again. Each round takes a process of its own, which seals a spool twice: the first time it starts,
loads its libraries and builds its automata, as the first bundle of each process of a run does.
"""

import json
import pickle
import resource
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sparkctl.app import sealing
from sparkctl.app.cleaning import Cleaning
from sparkctl.app.sealing import Order
from tests.bench import machine
from tests.bench.evidence import cost
from tests.bench.figures import Spread, table
from tests.bench.options import parser as command_line
from tests.bench.page import replace_section
from tests.support.labs import running_lab
from tests.support.spools import kept_spools, sealed_again

NODES = ("founders", "planted-secrets")
STEPS: tuple[tuple[str, Any, str], ...] = (
    ("lay out", sealing, "lay_out"),
    ("learn, rehearse", Cleaning, "__init__"),
    ("redact", Cleaning, "take_tree_file"),
    ("redact", Cleaning, "take_artefact"),
    ("judge", sealing, "_judge"),
    ("search", Cleaning, "look_for_survivors"),
    ("seal", sealing, "_sealed"),
)
"""What a step is called, and what does it."""
TAR = 'tar -C "$0" -cf - . | zstd -q3 > "$1"'


def cpu_s() -> float:
    """CPU of this process and of the programs that it ran, in seconds."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def steps_of(order: Order, folder: Path) -> dict[str, float]:
    """CPU seconds of each step of sealing a spool once."""
    spent: defaultdict[str, float] = defaultdict(float)

    def timed(name: str, does: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            before = cpu_s()
            try:
                return does(*arguments, **named)
            finally:
                spent[name] += cpu_s() - before

        return run

    patches = [patch.object(owner, what, timed(name, getattr(owner, what))) for name, owner, what in STEPS]
    for each in patches:
        each.start()
    sealed_again(order, folder)
    for each in patches:
        each.stop()
    return dict(spent)


def seal_twice(order: Path, scratch: Path) -> None:
    """What is measured, in a process of its own: prints the steps of both times."""
    read: Order = pickle.loads(order.read_bytes())
    json.dump([steps_of(read, scratch / str(number)) for number in range(2)], sys.stdout)


@dataclass(frozen=True)
class Round:
    """CPU seconds of the steps of the first and the second time and of tar and zstd; the peak of memory in MiB."""

    times: tuple[dict[str, float], dict[str, float]]
    packing_s: float
    peak_mib: float


def one_round(scratch: Path, order: Path, core: int) -> Round:
    """Seal twice, and pack the files that were sealed."""
    again = scratch / "again"
    shutil.rmtree(again, ignore_errors=True)
    spent = cost([sys.executable, "-m", "tests.bench.bundle", "--one", str(order), str(again)], scratch, core)
    first, second = json.loads((scratch / "output").read_bytes())
    clean = again / "1" / "spool" / "clean"
    packed = cost(["bash", "-c", f"set -o pipefail; {TAR}", str(clean), str(scratch / "packed")], scratch, core)
    return Round((first, second), packed.cpu_s, spent.peak_mib)


def keep(scratch: Path) -> dict[str, Path]:
    """Collect from the lab; each node's order in a file."""
    kept: dict[str, Path] = {}
    with running_lab(scratch / "lab", len(NODES), NODES) as lab:
        for order in kept_spools(lab, scratch / "kept"):
            name = NODES[int(order.envelope.meta.node.hostname[-2:]) - 1]
            kept[name] = scratch / f"{name}.order"
            kept[name].write_bytes(pickle.dumps(order))
    return {name: kept[name] for name in NODES}


def main(arguments: list[str]) -> int:
    """Measure, print, and with --write put it into the page."""
    if arguments[:1] == ["--one"]:
        seal_twice(*map(Path, arguments[1:]))
        return 0
    options = command_line("bundle", __doc__)
    options.add_argument("--quick", action="store_true", help="one round")
    options.add_argument("--write", action="store_true", help="write the results into docs/performance.md")
    chosen = options.parse_args(arguments)
    if not shutil.which("zstd") or not shutil.which("tar"):
        raise SystemExit("install zstd and tar: they are what this is compared with")
    with machine.alone(), tempfile.TemporaryDirectory(prefix="bundle-") as name:
        scratch, core = Path(name), machine.Cores.shared_out().client
        rounds = 1 if chosen.quick else 5
        measured = {
            node: [one_round(scratch, order, core) for _ in range(rounds)] for node, order in keep(scratch).items()
        }
    text = report(measured, rounds)
    sys.stdout.write(f"{text}\n")
    if chosen.write:
        replace_section("bundle", text)
    return 0


def report(measured: dict[str, list[Round]], rounds: int) -> str:
    """The tables for the page."""
    columns = [(found, at) for found in measured.values() for at in (0, 1)]

    def row(words: str, of: Callable[[Round, dict[str, float]], float], digits: int = 2) -> list[str]:
        spreads = (Spread.of([of(one, one.times[at]) for one in found]) for found, at in columns)
        return [words, *(spread.show(digits) for spread in spreads)]

    rows = [row(name, partial(_of_step, name)) for name in dict.fromkeys(name for name, _, _ in STEPS)]
    rows += [
        row("all steps", lambda _, steps: sum(steps.values())),
        row("times `tar` and `zstd`", lambda one, steps: sum(steps.values()) / one.packing_s, 0),
        row("peak memory, MiB", lambda one, _: one.peak_mib, 0),
    ]
    head = ["CPU seconds", *(f"{node}, {time}" for node in measured for time in ("first", "after that"))]
    machine_is = table(["", ""], [list(each) for each in machine.describe()])
    words = f"{rounds} rounds, medians with least and greatest; simulated nodes."
    return "\n\n".join((machine_is, words, table(head, rows)))


def _of_step(name: str, _: Round, steps: dict[str, float]) -> float:
    return steps.get(name, 0.0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
