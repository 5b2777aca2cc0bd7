"""`artefacts`: list what a bundle takes, and the commands that would need root."""

from __future__ import annotations

import argparse
import sys

from diag.nodekit import document
from diag.nodekit.collector import Command, File, Keep, Take, Values
from diag.nodekit.collector_names import named_in, with_limits
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.taking import jobs_of

EXIT_USAGE = 2


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:  # noqa: ARG001 - as every command
    """Print the catalogue; returns the exit status."""
    try:
        loaded = with_limits(named_in(options.named))
    except ValueError as wrong:
        print(f"spark_diagctl: {wrong}", file=sys.stderr)
        return EXIT_USAGE
    listed = [
        {
            "collector": one.collector_id,
            "title": one.collector.title,
            "volatility": one.collector.volatility.name.lower(),
            "opt_in": one.collector.opt_in,
            "called": one.called,
            "reports": bool(one.collector.reports),
            "takes": None
            if callable(one.collector.takes)
            else [{**job.described(), **_bounds(job.take)} for job in jobs_of([one], {})],
            "elevated": [list(argv) for argv in one.collector.elevated],
        }
        for one in loaded
    ]
    document.write(document.encode({"collectors": listed}), None, "")
    return 0


def _bounds(take: Take) -> Document:
    return {
        "files": list(take.files) if isinstance(take, Values) else [],
        "limit": take.limit,
        "seconds": take.seconds,
        "longest": take.longest,
        "keep": take.keep if isinstance(take, (Command, File)) else Keep.OLDEST,
        "elevate": bool(take.elevated),
    }
