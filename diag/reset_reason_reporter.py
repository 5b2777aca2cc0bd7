"""reset_reason_reporter: say how the last boots of this machine ended, as far as its evidence proves it.

    python3 reset_reason_reporter.py             the newest: how the boot before this one ended
    python3 reset_reason_reporter.py --boot -1   the one before; --all: up to twelve
    python3 reset_reason_reporter.py --root DIR  of a saved tree of another machine
    python3 reset_reason_reporter.py --list      what it reads, and the commands that would need root

Prints one JSON document. Reads only; writes no file. The bastion streams this program with its modules as one text.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

if __package__ in (None, "") and "__file__" in globals():
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from diag.nodekit import document as emit
from diag.nodekit import envelope
from diag.nodekit.judge import Document
from diag.nodekit.options import flags
from diag.nodekit.recording import machine_at
from diag.nodekit.workers import Results
from diag.reset import drops
from diag.reset.evidence import Report
from diag.reset.report import document
from diag.reset.scope import MOST_BACK, Scope
from diag.reset.source_task import load_sources

TOOL = "reset_reason_reporter"
SCHEMA = "sparkctl.reset/1"
EXIT_USAGE = 2
BYTES = 64 * 1024


def main(argv: list[str]) -> int:
    """Print the document; returns the exit status."""
    started = time.monotonic()
    options = parse(argv)
    if options.list:
        emit.write(emit.encode({"sources": [task.described() for task in load_sources(Scope())]}), None, "")
        return 0
    # Whatever else goes wrong, the kernel ends this program soon after its limit.
    signal.setitimer(signal.ITIMER_REAL, options.seconds + envelope.EMIT_SECONDS)
    try:
        machine = machine_at(options.root, options.elevation)
    except OSError as problem:
        print(f"{TOOL}: --root {options.root}: {problem.strerror}", file=sys.stderr)
        return EXIT_USAGE
    back = None if options.all else -options.boot
    tasks = load_sources(Scope(back, machine.ends or MOST_BACK))
    machine.elevated_commands = frozenset(argv for task in tasks for argv in task.elevated)

    def data(results: Results) -> Document:
        reports = [Report.of(part) for part in results.documents if "seen" in part]
        order = {task.name: number for number, task in enumerate(tasks)}
        reports.sort(key=lambda report: order.get(report.source, len(order)))
        return document(reports, running(reports), back)

    return envelope.run(
        options, machine, tasks, tool=TOOL, schema=SCHEMA, data=data, drops=drops.DROPS, started=started
    )  # fmt: skip


def running(reports: list[Report]) -> str | None:
    """The boot that runs, as a source read it: the parent itself reads nothing that may block."""
    return next((report.facts["boot_id"] for report in reports if report.facts.get("boot_id")), None)


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=TOOL,
        description=__doc__,
        parents=[flags(seconds=30.0, limit=BYTES)],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=envelope.VERSION)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--boot", type=_boot, default=0, metavar="-N", help="an earlier one (default: 0, the newest)")
    which.add_argument("--all", action="store_true", help=f"all, up to {MOST_BACK}")
    parser.add_argument("--list", action="store_true", help="list the sources and the commands that would need root")
    return parser.parse_args(argv)


def _boot(text: str) -> int:
    number = int(text)
    if not -MOST_BACK < number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 down to -{MOST_BACK - 1}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
