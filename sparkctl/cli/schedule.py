"""`sparkctl schedule`: runs by cron or systemd, from one file."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import Decorated, say, with_format

if TYPE_CHECKING:
    from sparkctl.model.schedule import SchedulePlan


@click.group(short_help="Runs by cron or systemd timers, from one file.")
def schedule() -> None:
    """Run sweeps and other work by the clock: cron or systemd timers, written from one file of schedules."""


def with_file(command: Decorated) -> Decorated:
    """Add `--file`."""
    return click.option(
        "--file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of schedules [SPARKCTL_SCHEDULES, ./schedules.yaml].",
    )(command)


def _plan(file: Path | None) -> "SchedulePlan":
    from sparkctl.app.schedule_file import read_plan, schedule_file

    return read_plan(schedule_file(file, os.environ))


@schedule.command()
@click.argument("name")
@with_file
@with_format
@click.option("--now", is_flag=True, help="Run it now, due or not, and without splay.")
def run(name: str, file: Path | None, form: str, now: bool) -> None:
    """Run the schedule NAME if it is due. This is what cron and systemd start.

    It waits for this host's splay, and then for the lock of the state folder. Nothing is printed when all went well:
    the run's report is in the log, its result in the heartbeat. Two of them at once run the schedule once.

    Example: sparkctl schedule run sweep --now
    """
    from sparkctl.app.schedule_run import run_schedule

    if not run_schedule(_plan(file), name, now=now) and sys.stderr.isatty():
        words = f"{name} did not run: it is not due, or another run holds the lock; --now runs it when it is not due"
        say(form, words, name=name, ran=False)
