"""The demo: a simulated fleet up, one sweep over it, what to try next, everything down again."""

import tempfile
from pathlib import Path
from typing import TextIO

from sparkctl.app.health import SweepRequest, sweep
from sparkctl.app.places import Places
from sparkctl.errors import ExitCode
from sparkctl.executor.limits import Limits
from sparkctl.lab import control
from sparkctl.report.outputs import Screen

VISIT_SECONDS = 8.0
LAB_SECONDS = 300.0  # the lab goes down by itself if the demo is killed

NEXT = """
Nothing of this was real. What to try next:

  sparkctl lab up --nodes 8             a simulated fleet that stays; it prints its inventory
  sparkctl lab break sim-03 hot         hurt a node while it runs, then judge again
  sparkctl health --format jsonl        the same as JSON lines, one record per node, for scripts
  sparkctl history sim-03               what changed on a node, and when

Your own fleet: write a fleet.yaml of three lines (docs/inventory.md), then: sparkctl health
"""


def run_demo(nodes: int, stdout: TextIO, stderr: TextIO) -> ExitCode:
    """Run the demo; returns the exit code of its sweep, which finds what was broken on purpose."""
    with tempfile.TemporaryDirectory(prefix="sparkctl-demo-") as name:
        folder = Path(name)
        print(f"Starting {nodes} simulated nodes on loopback: real SSH, made-up machines.", file=stderr, flush=True)
        started = control.up(folder / "lab", nodes, seed=1, seconds=LAB_SECONDS)
        try:
            places = Places(started.fleet_file, folder / "state", {})
            limits = Limits.within(VISIT_SECONDS, concurrency=24)
            code = sweep(
                SweepRequest(places=places, selector="all", limits=limits), Screen(stdout, stderr, verbose=False)
            )
        finally:
            control.down(folder / "lab")
    print(NEXT, end="", file=stdout)
    return code
