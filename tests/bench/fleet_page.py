"""What the page of a large fleet costs: time and memory to write it, its size, and when a browser first paints it.

Makes a store of sweeps with as many checks as a real one has, all of it invented, writes the page with the command, and
opens it in Chromium, whose Performance API says when it painted.

    python -m tests.bench.fleet_page                 1,000 nodes, 12 sweeps
    python -m tests.bench.fleet_page --nodes 200
"""

import argparse
import dataclasses
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.store import Store, SweepLock
from tests.bench.machine import ROOT
from tests.support.envelopes import PROGRAM, finding, reported
from tests.support.fleet_pages import well

SPAN = timedelta(days=6)
OPENED = 3
_PLACEHOLDER, _CELSIUS = "placeholder-of-a-node", 41.0625
_PAINT = "performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)[0]"


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--sweeps", type=int, default=12)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sparkctl-bench-") as name:
        folder = Path(name)
        make(folder, asked.nodes, asked.sweeps)
        for what, figure in measured(folder).items():
            print(f"{what:40} {figure}")


def make(folder: Path, nodes: int, sweeps: int) -> None:
    """An inventory and a store: a failing node in 25, temperatures that go up and down."""
    width = len(str(nodes))
    places = (
        f"  spark{at:0{width}}: {{transport: local, site: s{at % 3}, rack: r{at // 16}}}\n" for at in range(nodes)
    )
    (folder / "fleet.yaml").write_text("nodes:\n" + "".join(places))
    heat = finding("gpu.temperature", value=_CELSIUS, unit="Cel")
    kinds = [outcome(heat, *well()), outcome(heat, *well(), finding("bad.check", "fail", summary="it is full"))]
    now = datetime.now(UTC)
    with SweepLock(folder / "state", ["bench"]) as lock, Store.open(folder / "state") as store:
        for number in range(sweeps):
            at, run = now - SPAN * (sweeps - 1 - number) / max(1, sweeps - 1), f"run{number}"
            start = RunStart(
                run_id=run, tool="bench", started_at=at, selector="all", program_sha256=PROGRAM, selected=nodes
            )
            store.begin_run(lock, start)
            found = [placed(kinds[place % 25 == 3], f"spark{place:0{width}}", run, at, 40 + (place + number) % 19)
                     for place in range(nodes)]  # fmt: skip
            for first in range(0, nodes, 200):
                store.add(found[first : first + 200])


def outcome(*findings: dict[str, object]) -> NodeOutcome:
    """The outcome that others are made of."""
    return NodeOutcome.of(reported(_PLACEHOLDER, *findings))


def placed(made: NodeOutcome, node: str, run: str, at: datetime, celsius: int) -> NodeOutcome:
    """The same of another node, run and moment, without the cost of checking it again."""
    moment = at.isoformat().replace("+00:00", "Z")
    text = made.record.replace(_PLACEHOLDER, node).replace(made.run_id, run).replace(str(_CELSIUS), f"{celsius}.5")
    text = text.replace(made.ts.isoformat().replace("+00:00", "Z"), moment)
    return dataclasses.replace(made, run_id=run, node_id=node, ts=at, record=text)


def measured(folder: Path) -> dict[str, str]:
    """The figures."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = folder / "fleet.html"
    places: Sequence[str | Path] = ("--fleet", folder / "fleet.yaml", "--state", folder / "state", "--html", out)
    command = [sys.executable, "-m", "sparkctl", "report", *map(str, places)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode not in (0, 1, 3):
        raise SystemExit(ran.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds to write it": f"{time.monotonic() - began:.1f}",
        "seconds of CPU": f"{cpu:.1f}",
        "peak memory, MiB": f"{after.ru_maxrss / 1024:.0f}",
        "size, MiB": f"{out.stat().st_size / 2**20:.2f}",
        f"first contentful paint, ms, median of {OPENED}": painted(out),
    }


def painted(page: Path) -> str:
    """When Chromium painted first."""
    browser = shutil.which("chromium")
    if browser is None:
        return "no chromium here"
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as play:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = play.chromium.launch(executable_path=browser, args=sandbox)
        moments = []
        for _ in range(OPENED):
            tab = started.new_page(viewport={"width": 1600, "height": 1000})
            tab.goto(page.as_uri())
            moments.append(float(tab.evaluate(_PAINT)))
            tab.close()
    return f"{median(moments):.0f}"


if __name__ == "__main__":
    main()
