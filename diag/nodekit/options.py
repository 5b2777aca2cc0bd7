"""The options that every program on a node has."""

from __future__ import annotations

import argparse
from typing import Any

from diag.nodekit.vocabulary import Elevation


def flags(*, seconds: float | None = None, limit: int | None = None) -> argparse.ArgumentParser:
    """A parser to inherit from; without defaults of `seconds` and `limit` (bytes) none of its options has one.

    Then the flags may stand before or after a sub-command, and the defaults come from the caller.
    """
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS if seconds is None else None)
    parser.add_argument("--root", metavar="DIR", help="look at a saved tree instead of this machine")
    parser.add_argument("--seconds", type=positive(float), help="limit on the whole run (default: 30)")
    parser.add_argument("--bytes", type=positive(int), help="limit on the document")
    parser.add_argument(
        "--elevation", choices=[Elevation.NONE, Elevation.COMMANDS, Elevation.ROOT], help="rights to use"
    )
    parser.add_argument("--nonce", help=argparse.SUPPRESS)
    parser.add_argument("--program-sha256", help=argparse.SUPPRESS)
    if seconds is not None:
        parser.set_defaults(seconds=seconds, bytes=limit, elevation=Elevation.NONE)
    return parser


def positive(kind: type) -> Any:
    """A type of argument: a number above zero and below 1e9."""

    def read(text: str) -> Any:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return value

    read.__name__ = kind.__name__
    return read
