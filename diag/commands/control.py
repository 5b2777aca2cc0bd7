"""`control`: do, or look at, one phase of one act of a controller."""

from __future__ import annotations

import argparse
import re
import sys

from diag.controllers.words import ControlPhase
from diag.nodekit import document, envelope
from diag.nodekit.control_task import ControlTask
from diag.nodekit.controller_catalogue import load_controllers
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.workers import Results

TOOL, SCHEMA = "spark_controlctl", "sparkctl.control/1"
EXIT_USAGE = 2
PHASES = tuple(value for key, value in vars(ControlPhase).items() if key.isupper())
ACT_ID = re.compile(r"[0-9a-f]{32}")
BOOT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_FENCE = 2**53 - 1
RESERVE_SECONDS = 1.5  # of the program's time, for what is around the phase


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:
    """Print the control document; returns the exit status."""
    controllers = load_controllers()
    complaint = _complaint(options, list(controllers))
    if complaint:
        print(f"{TOOL}: {complaint}", file=sys.stderr)
        return EXIT_USAGE
    task = ControlTask(
        options.controller, controllers[options.controller], options.phase, options.act, options.fence, options.boot,
        options.given, max(options.seconds - RESERVE_SECONDS, 0.5),
    )  # fmt: skip

    def data(results: Results) -> Document:
        return next(part for part in results.documents if "controller" in part)

    return envelope.run(options, machine, [task], tool=TOOL, schema=SCHEMA, data=data, drops=DROPS, started=started)


def _complaint(options: argparse.Namespace, names: list[str]) -> str | None:
    if options.controller not in names:
        return f"no controller {options.controller!r}; there are: {', '.join(names)}"
    if options.phase not in PHASES:
        return f"no phase {options.phase!r}; there are: {', '.join(PHASES)}"
    if not ACT_ID.fullmatch(options.act):
        return "--act takes 32 hexadecimal digits"
    if not BOOT_ID.fullmatch(options.boot):
        return "--boot takes a boot id as /proc/sys/kernel/random/boot_id has it"
    return None if 0 <= options.fence <= MAX_FENCE else f"--fence takes a number from 0 to {MAX_FENCE}"


def _drop_output(data: Document) -> int:
    return len(data.pop("output", []))


def _drop_observed(data: Document) -> int:
    return len(data.pop("observed", {}))


DROPS: tuple[document.Drop, ...] = (("output", _drop_output), ("what was observed", _drop_observed))
