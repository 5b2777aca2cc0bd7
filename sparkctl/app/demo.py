"""The demo: a simulated fleet up, one sweep over it, a node that went down, a page of it all, all down again."""

import contextlib
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from sparkctl.app.health import sweep
from sparkctl.app.places import Places
from sparkctl.app.report import ReportRequest
from sparkctl.app.report_html import write_report
from sparkctl.app.reset_reason import reset_reason
from sparkctl.app.run import RunRequest
from sparkctl.errors import ExitCode
from sparkctl.executor.limits import Limits
from sparkctl.lab import control
from sparkctl.report.outputs import SweepOutput

VISIT_SECONDS = 14.0  # enough for 24 nodes on two busy cores, and short for the one that never answers
STORY = "reset-smmu-panic"  # with what came before it, a record, and what the bastion saw itself
LAB_SECONDS = 300.0  # the lab goes down by itself if the demo is killed

NEXT = """
Nothing of this was real, and nothing of it is left but the page. What to try next, in this order:

  sparkctl lab up --nodes 8 --dir lab       a simulated fleet that stays
  export SPARKCTL_FLEET=$PWD/lab/fleet.yaml
  sparkctl health                           judge it
  sparkctl lab break sim-03 hot --dir lab   hurt a node while it runs
  sparkctl health --format jsonl            the same for scripts: one JSON record per node, then a report
  sparkctl report --html fleet.html         the same as a page; --watch stays on the terminal
  sparkctl history sim-03                   what changed on a node, and when
  sparkctl lab break sim-05 reset-silent --dir lab; sparkctl reset-reason sim-05
                                            why a node went down, as far as it can be proven
  sparkctl lab mend sim-03 --dir lab; sparkctl lab down --dir lab

Your own fleet: write a fleet.yaml of three lines (docs/inventory.md), then: sparkctl health
"""


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Whoever ends the demo, or closes its terminal, ends it as Ctrl-C does: everything comes down."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def kept_page() -> Path:
    """Where a page may stay that nobody named a place for: a folder of its own beside other temporary ones."""
    return Path(tempfile.mkdtemp(prefix="sparkctl-demo-page-")) / "fleet.html"


def run_demo(
    nodes: int, page: Callable[[], Path] | None, sweep_output: SweepOutput, reset_output: SweepOutput, stderr: TextIO
) -> ExitCode:
    """Run the demo; returns the exit code of its sweep, which finds what was broken on purpose.

    `page` names the file for the report when it is to be written; with None it is not. Raises UsageError when it
    cannot be.
    """
    with _ended_in_order(), tempfile.TemporaryDirectory(prefix="sparkctl-demo-") as name:
        folder = Path(name)
        print(f"Starting {nodes} simulated nodes on loopback: real SSH, made-up machines.", file=stderr, flush=True)
        try:
            started = control.up(folder / "lab", nodes, seed=1, seconds=LAB_SECONDS)
            places = Places(started.fleet_file, folder / "state", {})
            limits = Limits.within(VISIT_SECONDS, concurrency=24)
            code = sweep(RunRequest(places=places, selector="all", limits=limits, alerting=False), sweep_output)
            victim = started.nodes[0].name
            control.break_node(folder / "lab", victim, STORY)
            print(f"\nMeanwhile {victim} went down and came back. Asked how it ended:\n", file=stderr, flush=True)
            reset_reason(RunRequest(places=places, selector=victim, limits=limits, alerting=False), None, reset_output)
            if page is not None:
                written = write_report(ReportRequest(places=places), page())
                print(f"\nAll of it as one page for a browser: {written.file.absolute()}", file=stderr, flush=True)
            return code
        finally:
            control.down(folder / "lab")
