"""spark_controlctl: change this machine in one exact way, and print one JSON document of what became of it.

    python3 spark_controlctl.py controllers      list what can change a machine
    python3 spark_controlctl.py control --controller=NAME --phase=PHASE --act=HEX --fence=N --boot=BOOT_ID --with=JSON

The bastion streams this program with its modules as one text; by hand it runs from its folder. What an act runs, runs
in a unit of systemd and goes on when this program and its connection are gone.
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

from diag.nodekit.acting import ActingMachine
from diag.nodekit.envelope import EMIT_SECONDS, VERSION
from diag.nodekit.options import flags as common_flags
from diag.nodekit.vocabulary import Elevation

TOOL = "spark_controlctl"
EXIT_USAGE = 2


def main(argv: list[str]) -> int:
    """Run one sub-command; returns the exit status."""
    started = time.monotonic()
    options = parse(argv)
    # Whatever else goes wrong, the kernel ends this program soon after its limit.
    signal.setitimer(signal.ITIMER_REAL, options.seconds + EMIT_SECONDS)
    try:
        machine = ActingMachine(options.root, options.elevation)
    except OSError as problem:
        print(f"{TOOL}: --root {options.root}: {problem.strerror}", file=sys.stderr)
        return EXIT_USAGE
    command = importlib.import_module(f"diag.commands.{options.command}")
    status: int = command.run(options, machine, started)
    return status


def parse(argv: list[str]) -> argparse.Namespace:
    """Read the command line; flags may stand before or after the sub-command."""
    flags = common_flags()
    parser = argparse.ArgumentParser(prog=TOOL, description=__doc__, parents=[flags],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    control = commands.add_parser("control", parents=[flags], help="do, or look at, one phase of one act")
    control.add_argument("--controller", required=True, metavar="NAME", help="what changes the machine")
    control.add_argument("--phase", required=True, help="precheck, apply, observe, postcheck or undo")
    control.add_argument("--act", required=True, metavar="HEX", help="the name of the act: 32 hexadecimal digits")
    control.add_argument("--fence", required=True, type=int, metavar="N", help="acts with a lower one are refused")
    control.add_argument("--boot", required=True, metavar="BOOT_ID", help="the boot that the act is meant for")
    control.add_argument("--with", dest="given", default="{}", metavar="JSON", help="the controller's parameters")
    commands.add_parser("controllers", parents=[flags], help="list what can change a machine")
    defaults: dict[str, Any] = {
        "root": None, "seconds": 30.0, "bytes": 262144, "elevation": Elevation.NONE, "nonce": None,
        "program_sha256": None,
    }  # fmt: skip
    return parser.parse_args(argv, argparse.Namespace(**defaults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
