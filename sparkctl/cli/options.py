"""Options that several commands share."""

import json
import math
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sparkctl.errors import ExitCode

if TYPE_CHECKING:
    from sparkctl.model.inventory import Problem

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


with_state = click.option("--state", type=click.Path(path_type=Path), help="Folder for runs and pins [SPARKCTL_STATE].")
"""Add `--state`."""

_with_fleet = click.option(
    "--fleet", type=click.Path(path_type=Path), help="Inventory to use [SPARKCTL_FLEET, ./fleet.yaml]."
)


def with_places(command: Decorated) -> Decorated:
    """Add `--fleet` and `--state`."""
    return _with_fleet(with_state(command))


sinks_option = click.option(
    "--sinks",
    type=click.Path(path_type=Path),
    help="File of sinks [SPARKCTL_SINKS, sinks.yaml beside the inventory]; `none` for no sinks.",
)
"""Add `--sinks`."""


def with_format(command: Decorated) -> Decorated:
    """Add `--format`; people on a terminal get a screen, pipes get JSON lines."""
    return _format_option(
        lambda: "human" if sys.stdout.isatty() else "jsonl", "How to print [human on a terminal, else jsonl]."
    )(command)


def with_format_for_files(command: Decorated) -> Decorated:
    """Add `--format` to a command whose output is a file's text: it stays that in a pipe, unless JSON is asked for."""
    return _format_option("human", "How to print [human: the plain text].")(command)


def _format_option(default: Any, words: str) -> Callable[[Decorated], Decorated]:
    choice = click.Choice(["human", "json", "jsonl"])
    return click.option("--format", "form", type=choice, default=default, help=words)


def say(form: str, words: str, **fields: Any) -> None:
    """Print one sentence to people, the same as one JSON object to programs."""
    click.echo(words if form == "human" else json.dumps(fields, default=str, ensure_ascii=False))


def simulated(yes: bool) -> str:
    """What to end a line with that tells of a simulated node."""
    return "  SIMULATED" if yes else ""


def tell_problems(problems: "list[Problem]", form: str) -> None:
    """Print what is wrong with a file of the operator's: to people, or a JSON line for each."""
    if form == "human":
        from sparkctl.report.inventory import show_problems

        show_problems(problems, sys.stdout)
        return
    for problem in problems:
        click.echo(problem.model_dump_json())


def exit_of_problems(problems: "list[Problem]") -> ExitCode:
    """USAGE when a file cannot be used, FINDINGS when there are warnings only."""
    from sparkctl.model.vocabulary import Severity

    if any(problem.severity is Severity.ERROR for problem in problems):
        return ExitCode.USAGE
    return ExitCode.FINDINGS if problems else ExitCode.OK


def complete_selector(context: click.Context, _argument: click.Parameter, begun: str) -> list[str]:
    """What a shell offers for a selector that somebody types."""
    from sparkctl.app.completion import selectors_like

    return selectors_like(begun, context.params.get("fleet"))


def selector_argument(command: Decorated) -> Decorated:
    """Add the optional SELECTOR words, joined by `or`."""
    return click.argument("selector", nargs=-1, shell_complete=complete_selector)(command)


class Amount(click.FloatRange):
    """A number within bounds; NaN, which compares with nothing, is refused."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error."""
        amount: float = super().convert(value, param, ctx)
        if math.isnan(amount):
            self.fail(f"{value!r} is not a {self.name}", param, ctx)
        return amount


class Seconds(Amount):
    """A number of seconds."""

    name = "number of seconds"


class Days(Amount):
    """A number of days."""

    name = "number of days"


_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36500)


def _duration(context: click.Context, option: click.Parameter, value: str | None) -> timedelta | None:
    """A number with its unit, such as `36h`, as a duration of more than nothing and at most 36500 days."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,8})([mhdw])", value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a duration: write 90m, 36h, 7d or 2w", context, option)
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if not timedelta(0) < duration <= _LONGEST:
        raise click.BadParameter(f"{value!r} is not between 1m and {_LONGEST.days}d", context, option)
    return duration


def duration_option(name: str, words: str, **how: Any) -> Callable[[Decorated], Decorated]:
    """An option of a duration, a timedelta or None; `words` say what of."""
    return click.option(name, metavar="DURATION", callback=_duration, help=words, **how)


def max_age_option(words: str) -> Callable[[Decorated], Decorated]:
    """An option `--max-age`, a timedelta or None; `words` say what of."""
    return duration_option("--max-age", words)


with_max_age = max_age_option("Facts older than this (90m, 36h, 7d, 2w) are not judged [no limit].")
"""Add `--max-age` of facts."""
