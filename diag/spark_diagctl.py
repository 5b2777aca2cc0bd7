"""spark_diagctl: look at this machine and print one JSON document. Reads only; writes no file.

    python3 spark_diagctl.py health            judge the machine (L1)
    python3 spark_diagctl.py checks            list the checks and the commands that would need root
    python3 spark_diagctl.py collect           say what the machine is, facet by facet
    python3 spark_diagctl.py health --root DIR judge a saved tree of another machine

The bastion streams this program with its modules as one text; by hand it runs from its folder.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import time
from typing import Any

if __package__ in (None, "") and "__file__" in globals():
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from diag.nodekit.envelope import EMIT_SECONDS, VERSION
from diag.nodekit.options import flags as common_flags
from diag.nodekit.options import positive
from diag.nodekit.recording import machine_at
from diag.nodekit.vocabulary import Elevation

EXIT_USAGE = 2


def main(argv: list[str]) -> int:
    """Run one sub-command; returns the exit status."""
    started = time.monotonic()
    options = parse(argv)
    # Whatever else goes wrong, the kernel ends this program soon after its limit.
    signal.setitimer(signal.ITIMER_REAL, options.seconds + EMIT_SECONDS)
    try:
        machine = machine_at(options.root, options.elevation)
    except OSError as problem:
        print(f"spark_diagctl: --root {options.root}: {problem.strerror}", file=sys.stderr)
        return EXIT_USAGE
    try:
        command = importlib.import_module(f"diag.commands.{options.command}")
    except ModuleNotFoundError:
        print(f"spark_diagctl: this program text is without the command {options.command}", file=sys.stderr)
        return EXIT_USAGE
    status: int = command.run(options, machine, started)
    return status


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; flags may stand before or after the sub-command."""
    flags = common_flags()
    flags.add_argument("--level", choices=["L1"], help="how deep to look (default: L1)")
    parser = argparse.ArgumentParser(prog="spark_diagctl", description=__doc__, parents=[flags],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("health", parents=[flags], help="judge the machine")
    commands.add_parser("checks", parents=[flags], help="list the checks")
    collect = commands.add_parser("collect", parents=[flags], help="say what the machine is")
    collect.add_argument("--facets", metavar="NAME,...", help="only these facets (default: all)")
    commands.add_parser("facets", parents=[flags], help="list the facets")
    bundled = commands.add_parser("bundle", parents=[flags], help="bring what an engineer will want to read (L2)")
    bundled.add_argument(
        "--budget", type=positive(int), default=argparse.SUPPRESS, help="limit on all entries together, in bytes"
    )
    listed = commands.add_parser("artefacts", parents=[flags], help="list what a bundle takes")
    for command in (bundled, listed):
        command.add_argument(
            "--with", dest="named", metavar="NAME[=SECONDS],...", default=argparse.SUPPRESS,
            help="collectors that are taken when they are named only, and the limits of reports",
        )  # fmt: skip
    defaults: dict[str, Any] = {
        "level": "L1", "root": None, "seconds": 30.0, "bytes": 262144, "elevation": Elevation.NONE, "nonce": None,
        "program_sha256": None, "budget": 50 * 1024 * 1024, "named": None,
    }  # fmt: skip
    return parser.parse_args(argv, argparse.Namespace(**defaults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
