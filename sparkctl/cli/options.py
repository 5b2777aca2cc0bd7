"""Options that several commands share."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


with_state = click.option("--state", type=click.Path(path_type=Path), help="Folder for runs and pins [SPARKCTL_STATE].")
"""Add `--state`."""

_with_fleet = click.option(
    "--fleet", type=click.Path(path_type=Path), help="Inventory to use [SPARKCTL_FLEET, ./fleet.yaml]."
)


def with_places(command: Decorated) -> Decorated:
    """Add `--fleet` and `--state`."""
    return _with_fleet(with_state(command))


def with_format(command: Decorated) -> Decorated:
    """Add `--format`; people on a terminal get a screen, pipes get JSON lines."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["human", "json", "jsonl"]),
        default=lambda: "human" if sys.stdout.isatty() else "jsonl",
        help="How to print [human on a terminal, else jsonl].",
    )(command)


def selector_argument(command: Decorated) -> Decorated:
    """Add the optional SELECTOR words, joined by `or`."""
    return click.argument("selector", nargs=-1)(command)


class Seconds(click.FloatRange):
    """A number of seconds within bounds; NaN, which compares with nothing, is refused."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds
