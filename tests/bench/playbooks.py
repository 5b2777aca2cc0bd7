"""What the engine of playbooks adds to each step on a node: CPU in milliseconds, beside bare rows put by SQLite alone.

A run over simulated nodes whose steps take no time at all, so that what is measured is deciding, journalling (two
records for each step, each on the disk before anything goes on) and folding. The alternative puts rows of the same
bytes into a table by sqlite3, one transaction each, and decides nothing.

    python -m tests.bench.playbooks           1,000 nodes in waves, 5 steps each: about a minute
    python -m tests.bench.playbooks --quick   100 nodes
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sparkctl.model.journal import Act
from sparkctl.model.playbook import Budget
from sparkctl.playbook.state import fold
from sparkctl.store.store import Store
from tests.bench import machine
from tests.bench.figures import table
from tests.bench.options import parser as command_line
from tests.support.playbooks import World, drive_world, plan_of, step

STEPS = 5
MOST_MS = 10.0


class Still(World):
    """Nodes on which every step is done as soon as it is asked for, and nothing is written."""

    def _begin(self, act: Act) -> None:
        """Nothing is to be remembered."""


def engine_ms(folder: Path, nodes: int) -> tuple[float, list[str]]:
    """CPU milliseconds for each step on a node, and the records as they were stored."""
    names = [f"n{number}" for number in range(nodes)]
    sizes = [0, 1, nodes // 10, nodes // 2, nodes]
    waves = [names[begin:end] for begin, end in pairwise(sizes) if begin < end]
    now = datetime.now(UTC)
    plan = plan_of(
        names,
        steps=[step(f"s{number}") for number in range(STEPS)],
        waves=waves,
        at_once=50,
        budget=Budget(wave=0, total=0),
    ).model_copy(update={"planned_at": now, "expires_at": now + timedelta(days=1)})
    with Store.open(folder / "state") as store:
        store.journals.keep_plan(plan)
        began = time.process_time()
        state, _ = drive_world(store, plan, Still(folder / "world"))
        spent = time.process_time() - began
        if state.closed is None:
            raise SystemExit("the run did not come to its end")
        bodies = [entry.canonical.decode() for entry in store.journals.entries(plan.run_id)]
    return spent * 1000 / (nodes * STEPS), bodies


def bare_ms(folder: Path, bodies: Sequence[str], steps: int) -> float:
    """CPU milliseconds for each step of the same bytes, put by sqlite3 in a transaction for each record."""
    raw = sqlite3.connect(folder / "bare.db")
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("CREATE TABLE journal (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    began = time.process_time()
    for number, body in enumerate(bodies):
        with raw:
            raw.execute("INSERT INTO journal VALUES (?, ?)", (number, body))
    spent = time.process_time() - began
    raw.close()
    return spent * 1000 / steps


def fold_ms(folder: Path, nodes: int) -> float:
    """Wall milliseconds to read the whole journal again, check its chain and fold it: what a resume begins with."""
    with Store.open(folder / "state") as store:
        (run,) = store.journals.runs()
        began = time.monotonic()
        plan = store.journals.plan(run.run_id)
        state = fold(plan, store.journals.entries(run.run_id))
        if len(state.nodes) != nodes:
            raise SystemExit("the journal is not that of the run")
        return (time.monotonic() - began) * 1000


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a step costs more than is aimed at."""
    parser: argparse.ArgumentParser = command_line("playbooks", __doc__)
    parser.add_argument("--quick", action="store_true", help="100 nodes")
    options = parser.parse_args(argv)
    nodes = 100 if options.quick else 1_000
    with tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as scratch:
        folder = Path(scratch)
        own, bodies = engine_ms(folder, nodes)
        bare = bare_ms(folder, bodies, nodes * STEPS)
        again = fold_ms(folder, nodes)
    print(table(["", ""], [list(fact) for fact in machine.describe()]))
    print(f"\n{nodes:,} nodes, {STEPS} steps each, {len(bodies):,} records\n")
    head = ["what", "CPU ms a step", "ratio to bare rows"]
    print(table(head, [
        ["playbook engine and journal", f"{own:.2f}", f"{own / bare:.1f}"],
        ["bare rows by sqlite3", f"{bare:.2f}", "1.0"],
    ]))  # fmt: skip
    print(f"\nreading and folding the journal again: {again:.0f} ms\n")
    verdict = "met" if own <= MOST_MS else "missed"
    words = "CPU of the engine for each step on a node"
    print(table(["what", "aim", "measured", ""], [[words, f"≤ {MOST_MS:g} ms", f"{own:.2f} ms", verdict]]))
    return 0 if verdict == "met" else 1


if __name__ == "__main__":
    sys.exit(main())
