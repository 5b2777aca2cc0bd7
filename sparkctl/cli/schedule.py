"""`sparkctl schedule`: runs by cron or systemd, from one file."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import Decorated, exit_of_problems, max_age_option, say, tell_problems, with_format
from sparkctl.errors import ExitCode

if TYPE_CHECKING:
    from sparkctl.app.schedule_install import Target
    from sparkctl.model.schedule import Schedule, SchedulePlan


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


def _target(root: Path | None) -> "Target":
    from sparkctl.app.schedule_install import target_of

    return target_of(root)


def _named(plan: "SchedulePlan", names: tuple[str, ...]) -> "list[Schedule]":
    from sparkctl.app.schedule_run import schedule_named

    return [schedule_named(plan, name) for name in names or plan.schedules]


with_root = click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="An image, in place of /."
)
with_force = click.option("--force", is_flag=True, help="Also files of ours that were changed by hand.")


@schedule.command()
@click.argument("names", nargs=-1)
@with_file
@click.option("--cron", "way", flag_value="cron", help="Write /etc/cron.d/sparkctl-NAME.")
@click.option("--systemd", "way", flag_value="systemd", help="Write a service and a timer for each.")
@click.option("--user", is_flag=True, help="With --systemd: for your own systemd, without root.")
@click.option("--dry-run", is_flag=True, help="Print the files, and write nothing.")
@with_force
@with_root
@with_format
def install(
    names: tuple[str, ...],
    file: Path | None,
    way: str | None,
    user: bool,
    dry_run: bool,
    force: bool,
    root: Path | None,
    form: str,
) -> None:
    """Have cron or systemd start the schedules NAMES [all of the file].

    Only files that sparkctl wrote are ever replaced. Below --root nothing is enabled: do it with
    `systemctl --root DIR enable`.

    \b
    Example:
      sparkctl schedule install --systemd --dry-run
      sudo sparkctl schedule install --cron --file /etc/sparkctl/schedules.yaml
    """
    from sparkctl.app.schedule_install import install as put
    from sparkctl.app.schedule_install import planned
    from sparkctl.app.schedule_units import Way

    if way is None:
        raise click.UsageError("say who starts them: --cron or --systemd")
    if user and (way != "systemd" or root is not None):
        raise click.UsageError("--user goes with --systemd, and not with --root")
    plan = _plan(file)
    schedules, target = _named(plan, names), _target(root)
    chosen = Way.USER if user else Way(way)
    if dry_run:
        for path, text in planned(chosen, plan, schedules, target).items():
            say(form, f"==> {path}\n{text}", file=path, text=text)
        return
    for change in put(chosen, plan, schedules, target, force=force):
        say(form, f"{change.done}: {change.path}", file=change.path, done=change.done)


@schedule.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that sparkctl ever installed here.")
@with_force
@with_root
@with_format
def remove(names: tuple[str, ...], every: bool, force: bool, root: Path | None, form: str) -> int:
    """Remove the schedules NAMES from cron and systemd; state, logs and heartbeats stay.

    Only files that sparkctl wrote are removed. The file of schedules is neither needed nor changed.

    Example: sparkctl schedule remove sweep
    """
    from sparkctl.app.schedule_install import remove as take_away

    if every == bool(names):
        raise click.UsageError("name schedules, or give --all")
    changes = take_away(None if every else names, _target(root), force=force)
    for change in changes:
        say(form, f"{change.done}: {change.path}", file=change.path, done=change.done)
    if not changes and form == "human":
        click.echo("nothing of that is installed")
    return ExitCode.OK


@schedule.command()
@click.argument("names", nargs=-1)
@with_file
@with_root
@with_format
def show(names: tuple[str, ...], file: Path | None, root: Path | None, form: str) -> None:
    """Show schedules: when they start next (UTC), where they are installed, how they went.

    Example: sparkctl schedule show
    """
    from sparkctl.app.schedule_status import statuses

    plan = _plan(file)
    found = statuses(plan, _named(plan, names), _target(root))
    if form == "human":
        from sparkctl.report.schedule import show_schedules

        show_schedules(found, sys.stdout)
        return
    for status in found:
        click.echo(status.model_dump_json())


@schedule.command()
@click.argument("names", nargs=-1)
@with_file
@max_age_option("Longest time since a run was done (90m, 36h, 7d) [that of each schedule].")
@with_format
def check(names: tuple[str, ...], file: Path | None, max_age: timedelta | None, form: str) -> int:
    """Say whether the schedules NAMES live: one line each, exit 1 when one does not. For an outside watcher.

    A schedule lives when its last run did its work and that was not longer ago than --max-age, which by default is
    the schedule's own `max_age`; not when it never ran, or was skipped too often in a row.

    Example: sparkctl schedule check sweep --max-age 45m
    """
    from sparkctl.app.schedule_status import statuses

    plan = _plan(file)
    found = statuses(plan, _named(plan, names), _target(None), max_age)
    for status in found:
        words = f"{'OK' if status.healthy else 'NOT OK'} {status.name}: {status.words}"
        click.echo(words if form == "human" else status.model_dump_json())
    return ExitCode.OK if all(status.healthy for status in found) else ExitCode.FINDINGS


@schedule.command()
@with_file
@with_root
@with_format
def lint(file: Path | None, root: Path | None, form: str) -> int:
    """Find everything that is wrong with the file of schedules and with what is installed of it.

    Exit 2 when the file cannot be used, 1 when there are warnings only.

    Example: sparkctl schedule lint --file /etc/sparkctl/schedules.yaml
    """
    from sparkctl.app.schedule_file import schedule_file
    from sparkctl.app.schedule_lint import lint as examine

    found = examine(schedule_file(file, os.environ), _target(root))
    tell_problems(found, form)
    return exit_of_problems(found)
