"""spark_diagctl: look at this machine and print one JSON document. Reads only; writes no file.

    python3 spark_diagctl.py health            judge the machine (L1)
    python3 spark_diagctl.py checks            list the checks and the commands that would need root
    python3 spark_diagctl.py health --root DIR judge a saved tree of another machine

The bastion streams this program with its modules as one text; by hand it runs from its folder.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from typing import Any

if __package__ in (None, "") and "__file__" in globals():
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from diag.nodekit import document
from diag.nodekit.catalogue import elevated_commands, load_checks
from diag.nodekit.check import LoadedCheck
from diag.nodekit.judge import Document, group_by_observation
from diag.nodekit.machine import Machine
from diag.nodekit.node_facts import NodeFacts
from diag.nodekit.printable import printable
from diag.nodekit.vocabulary import Elevation, Severity
from diag.nodekit.workers import Results, judge_all

VERSION = "0.1.0"
EMIT_SECONDS = 1.0  # kept back from the limit for building and printing the document
EXIT_OK, EXIT_NOT_OK, EXIT_USAGE = 0, 1, 2


def main(argv: list[str]) -> int:
    """Run one sub-command; returns the exit status."""
    started = time.monotonic()
    options = parse(argv)
    # Whatever else goes wrong, the kernel ends this program soon after its limit.
    signal.setitimer(signal.ITIMER_REAL, options.seconds + EMIT_SECONDS)
    try:
        machine = Machine(options.root, options.elevation)
    except OSError as problem:
        print(f"spark_diagctl: --root {options.root}: {problem.strerror}", file=sys.stderr)
        return EXIT_USAGE
    checks = load_checks()
    machine.elevated_commands = elevated_commands(checks)
    if options.command == "checks":
        document.write(document.encode(describe(checks)), None, "")
        return EXIT_OK
    results = judge_all(
        [NodeFacts(), *group_by_observation(checks)], machine, deadline=started + options.seconds - EMIT_SECONDS
    )
    whole = assemble(options, machine, results, started)
    encoded = document.fit(whole, options.bytes)
    document.write(encoded, options.nonce, hashlib.sha256(encoded).hexdigest())
    return EXIT_OK if whole["ok"] else EXIT_NOT_OK


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; flags may stand before or after the sub-command."""
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    flags.add_argument("--level", choices=["L1"], help="how deep to look (default: L1)")
    flags.add_argument("--root", metavar="DIR", help="look at a saved tree instead of this machine")
    flags.add_argument("--seconds", type=_positive(float), help="limit on the whole run (default: 30)")
    flags.add_argument("--bytes", type=_positive(int), help="limit on the document (default: 262144)")
    flags.add_argument(
        "--elevation", choices=[Elevation.NONE, Elevation.COMMANDS, Elevation.ROOT], help="rights to use"
    )
    flags.add_argument("--nonce", help=argparse.SUPPRESS)
    flags.add_argument("--program-sha256", help=argparse.SUPPRESS)
    parser = argparse.ArgumentParser(prog="spark_diagctl", description=__doc__, parents=[flags],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("health", parents=[flags], help="judge the machine")
    commands.add_parser("checks", parents=[flags], help="list the checks")
    defaults: dict[str, Any] = {
        "level": "L1", "root": None, "seconds": 30.0, "bytes": 262144, "elevation": Elevation.NONE, "nonce": None,
        "program_sha256": None,
    }  # fmt: skip
    return parser.parse_args(argv, argparse.Namespace(**defaults))


def _positive(kind: type) -> Any:
    def read(text: str) -> Any:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return value

    read.__name__ = kind.__name__
    return read


def describe(checks: list[LoadedCheck]) -> Document:
    """The catalogue of checks: id, title, whether required, budget in seconds, commands that need root, thresholds."""
    return {
        "checks": [
            {
                "check": loaded.check_id,
                "title": loaded.check.title,
                "required": loaded.check.required,
                "seconds": loaded.check.seconds,
                "elevated": [list(argv) for argv in loaded.check.elevated],
                "thresholds": [asdict(threshold) for threshold in loaded.thresholds],
            }
            for loaded in checks
        ]
    }


def assemble(options: argparse.Namespace, machine: Machine, results: Results, started: float) -> Document:
    """The envelope of a health document."""
    facts = next(part for part in results.documents if "node" in part)
    findings = sorted((part for part in results.documents if "check" in part), key=lambda finding: finding["check"])
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "ok": True,
        "data": {"level": options.level, "findings": findings, "rollup": document.roll_up(findings)},
        "errors": [document.error("check.bug", printable(bug), severity=Severity.WARNING) for bug in results.bugs[:50]],
        "meta": {
            "tool": "spark_diagctl",
            "version": VERSION,
            "schema": "sparkctl.health/1",
            "collected_at_utc": _utc(machine.now()),
            "node": facts["node"],
            "program_sha256": options.program_sha256,
            "limits": {"seconds": options.seconds, "bytes": options.bytes},
            "cost": {
                "wall_ms": round((time.monotonic() - started) * 1000),
                "cpu_ms": round((own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime) * 1000),
                "children": results.children,
                "bytes": results.bytes,
            },
            "elevation": options.elevation,
            "origin": machine.origin,
            "truncated": False,
            "truncation": [],
            "clock": facts["clock"],
        },
    }


def _utc(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
