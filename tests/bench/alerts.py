"""What alerts add to a run: CPU of bringing them up to date, and bytes in the store, against storing that very run.

Outcomes of simulated sweeps are put into a store as a sweep does, fifty at a time; then the alerts are brought up to
date. Of a sweep, storing is a small part: what a node costs altogether is in docs/performance.md.

    python -m tests.bench.alerts             10,000 nodes, about two minutes
    python -m tests.bench.alerts --quick     1,000 nodes
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sparkctl.app.alerting import update_alerts
from sparkctl.model.fleet_report import BastionCost, RunEnd, RunStart
from sparkctl.model.inventory import Fleet, Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.report.tally import Tally
from sparkctl.store import Store, SweepLock
from tests.bench import machine
from tests.bench.figures import Aim, Spread, table
from tests.bench.options import parser as command_line
from tests.support.envelopes import PROGRAM, finding, reported, unreported

BATCH = 50
CHECKS = 60
RUNS = 4
MOST_RATIO = 0.05
START = datetime(2026, 11, 25, tzinfo=UTC)
Sweep = list[NodeOutcome]


@dataclass(frozen=True)
class Cost:
    """CPU seconds of storing a run and of its alerts, and the bytes that each added to the file."""

    store_s: float
    alerts_s: float
    store_bytes: int
    alerts_bytes: int
    told: int


def outcomes(nodes: Sequence[str], status_of: Callable[[int, int], str]) -> Sweep:
    """A sweep in which check C of node N has `status_of(N, C)`; `silent` of check 0 is a node that did not answer."""
    found = []
    for number, node in enumerate(nodes):
        statuses = [status_of(number, check) for check in range(CHECKS)]
        if statuses[0] == "silent":
            found.append(NodeOutcome.of(unreported(node)))
            continue
        findings = (finding(f"some.check_{check}", status) for check, status in enumerate(statuses))
        found.append(NodeOutcome.of(reported(node, *findings)))
    return found


def put(store: Store, lock: SweepLock, run: int, sweep: Sweep) -> None:
    """Store one sweep as a run does."""
    run_id, at = f"run{run}", START + timedelta(hours=run)
    start = RunStart(
        run_id=run_id, tool="bench", started_at=at, selector="all", program_sha256=PROGRAM, selected=len(sweep)
    )
    tally = Tally()
    store.begin_run(lock, start)
    for first in range(0, len(sweep), BATCH):
        batch = [
            replace(one, run_id=run_id, ts=at, record=one.record.replace("20261125T080000Z-abcdef", run_id))
            for one in sweep[first : first + BATCH]
        ]
        store.add(batch)
        for outcome in batch:
            tally.add(outcome)
    store.finish_run(
        tally.report(start, RunEnd(finished_at=at, duration_ms=1, cost=BastionCost(cpu_s=0.0, peak_rss_bytes=1)))
    )


def measured(folder: Path, nodes: Sequence[str], sweeps: Sequence[Sweep]) -> Iterator[Cost]:
    """The cost of each of several sweeps in one store."""
    fleet = Fleet(nodes=[Node(node_id=name, rack=f"r{at // 36}", origin="bench") for at, name in enumerate(nodes)],
                  sources=[])  # fmt: skip
    with SweepLock(folder, ["bench"]) as lock, Store.open(folder) as store:
        update_alerts(store, fleet, folder / "fleet.yaml", {})
        for number, sweep in enumerate(sweeps, 1):
            sizes, times = [_bytes(folder)], [time.process_time()]
            put(store, lock, number, sweep)
            sizes.append(_bytes(folder))
            times.append(time.process_time())
            news = update_alerts(store, fleet, folder / "fleet.yaml", {})
            times.append(time.process_time())
            sizes.append(_bytes(folder))
            if news.troubles:
                raise SystemExit("\n".join(news.troubles))
            yield Cost(
                times[1] - times[0], times[2] - times[1], sizes[1] - sizes[0], sizes[2] - sizes[1], len(news.changes)
            )


def _bytes(folder: Path) -> int:
    """The size of the database once its log is folded into it."""
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(folder / "state.db") as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    return os.stat(folder / "state.db").st_size


def cases(nodes: Sequence[str]) -> dict[str, list[Sweep]]:
    """Sweeps by what is so in them; the last of each is what is told of."""
    healthy = outcomes(nodes, lambda _node, _check: "pass")
    warned = outcomes(nodes, lambda _node, check: "warn" if check < 2 else "pass")
    silent = outcomes(nodes, lambda _node, check: "silent" if check == 0 else "pass")
    few = outcomes(nodes, lambda node, check: "fail" if node % 100 == 0 and check == 7 else "pass")
    return {
        "all healthy": [healthy] * RUNS,
        "one in a hundred failed, as before": [few] * RUNS,
        "two warnings on every node, as before": [warned] * RUNS,
        "everybody silent, for the first time": [healthy, silent],
        "everybody answers again": [healthy, silent, healthy],
    }


def row(name: str, cost: Cost) -> list[str]:
    """One case."""
    return [
        name, f"{cost.store_s:.2f}", f"{cost.alerts_s:.3f}", f"{cost.alerts_s / cost.store_s:.3f}",
        f"{cost.store_bytes / 1e6:.2f}", f"{cost.alerts_bytes / 1e6:.2f}", str(cost.told),
    ]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when alerts of a healthy fleet cost more than is aimed at."""
    parser: argparse.ArgumentParser = command_line("alerts", __doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 nodes")
    options = parser.parse_args(argv)
    count = 1_000 if options.quick else 10_000
    nodes = [f"node{number:05d}" for number in range(count)]
    rows, aims = [], []
    for name, sweeps in cases(nodes).items():
        with tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as folder:
            *_, last = measured(Path(folder), nodes, sweeps)
        print(f"{name}: {last}", file=sys.stderr, flush=True)
        rows.append(row(name, last))
        if name == "all healthy":
            ratio = last.alerts_s / last.store_s
            aims.append(
                Aim("alerts of a healthy fleet, CPU as a part of storing the run", Spread.of([ratio]), MOST_RATIO)
            )
            share = last.alerts_bytes / last.store_bytes
            aims.append(Aim("the same in bytes", Spread.of([share]), MOST_RATIO))
    head = ["the run", "store CPU s", "alerts CPU s", "ratio", "store MB", "alerts MB", "told"]
    print(table(["", ""], [list(fact) for fact in machine.describe()]))
    print(f"\n{count:,} nodes, {CHECKS} checks\n")
    print(table(head, rows))
    print()
    print(table(["what", "aim", "measured", ""], [aim.row() for aim in aims]))
    return 0 if all(aim.verdict == "met" for aim in aims) else 1


if __name__ == "__main__":
    sys.exit(main())
