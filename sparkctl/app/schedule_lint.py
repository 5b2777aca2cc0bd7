"""Everything that is wrong with a file of schedules and with what was installed of it, as far as it can be seen."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from sparkctl.app.places import SINKS_NAME
from sparkctl.app.schedule_file import examine
from sparkctl.app.schedule_install import Found, Target, installed, planned, systemd_runs
from sparkctl.app.schedule_units import Way, writable
from sparkctl.app.sink_file import read_sinks
from sparkctl.errors import UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.selector import select
from sparkctl.model.inventory import Problem
from sparkctl.model.schedule import Schedule, SchedulePlan

_CRONS = frozenset({"cron", "crond"})


def lint(path: Path, target: Target) -> list[Problem]:
    """Everything that is wrong; empty when nothing is."""
    plan, found = examine(path)
    if plan is None:
        return found
    problems = Problems()
    _selectors(plan, problems)
    _rights(plan, problems)
    _sinks(plan, problems)
    _lock(plan, problems)
    files = installed(target)
    for schedule in plan.schedules.values():
        _installed(plan, schedule, [one for one in files if one.mark.name == schedule.name], target, problems)
    _left_over(plan, files, problems)
    if target.is_live:
        _running({one.way for one in files}, problems)
    return [*found, *problems.listed()]


def _at(plan: SchedulePlan, key: str) -> Where:
    return Where(str(plan.file), None, key)


def _selectors(plan: SchedulePlan, problems: Problems) -> None:
    """Selectors that select nobody would fail at every start."""
    asking = [schedule for schedule in plan.schedules.values() if schedule.does.selects]
    try:
        fleet = load_fleet(plan.fleet) if asking else None
    except UsageError as error:
        problems.error(_at(plan, "fleet"), error.message, error.hint or "Correct it.")
        return
    for schedule in asking:
        try:
            if fleet is not None and not select(fleet, ",".join(schedule.selector) or "all"):
                raise UsageError("this selects no node")
        except UsageError as error:
            where = _at(plan, f"schedules.{schedule.name}.selector")
            problems.error(where, error.message, error.hint or "Correct the selector.")


def _sinks(plan: SchedulePlan, problems: Problems) -> None:
    """A file of sinks that cannot be read would fail every run."""
    if plan.sinks is None and not (plan.fleet.parent / SINKS_NAME).exists():
        return
    path = plan.sinks or plan.fleet.parent / SINKS_NAME
    try:
        read_sinks(path)
    except UsageError as error:
        problems.error(_at(plan, "sinks"), error.message, error.hint or "Correct it.")


def _rights(plan: SchedulePlan, problems: Problems) -> None:
    if plan.user == "root":
        action = "Name an ordinary account that has the SSH keys for the nodes."
        problems.warning(_at(plan, "user"), "the schedules run as root, which none of them needs", action)
    for path in (plan.file, plan.fleet):
        if path.exists() and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            problems.warning(Where(str(path)), "others than its owner may write this file", f"chmod go-w {path}")
    for path in dict.fromkeys(path for one in plan.schedules.values() for path in writable(plan, one)):
        if not path.is_dir():
            message = "there is no such folder, to which schedules write"
            problems.warning(Where(str(path)), message, "Make it, and give it to the user of the schedules.")


def _lock(plan: SchedulePlan, problems: Problems) -> None:
    """All schedules of a file write to one state folder, one at a time."""
    for long in plan.schedules.values():
        for often in plan.schedules.values():
            lost = long.deadline_s // often.times.gaps_s[0]
            if long is not often and long.does.locks and often.does.locks and lost >= often.complain_after:
                problems.warning(
                    _at(plan, f"schedules.{long.name}.deadline"),
                    f"{long.name} may hold the lock for {long.deadline_s} s, in which {lost} starts of {often.name} are"
                    " skipped",
                    f"Shorten it, or raise `complain_after` of {often.name} if that is meant.",
                )


def _installed(
    plan: SchedulePlan, schedule: Schedule, files: Sequence[Found], target: Target, problems: Problems
) -> None:
    where = _at(plan, f"schedules.{schedule.name}")
    ways = list(dict.fromkeys(one.way for one in files))
    if not ways:
        problems.warning(where, "it is not installed", "sparkctl schedule install --cron, or --systemd")
    if len(ways) > 1:
        action = f"Remove one: sparkctl schedule remove {schedule.name}, and install again."
        problems.warning(where, f"it is installed for {' and '.join(ways)}; it runs once all the same", action)
    for one in files:
        if one.mark.changed:
            action = "Bring the change into the file of schedules; then: sparkctl schedule install --force"
            problems.warning(Where(str(one.path)), "it was changed since sparkctl wrote it", action)
    for way in ways:
        try:
            differing = list(_differing(way, plan, schedule, files, target))
        except UsageError as error:
            problems.error(where, error.message, error.hint or "Correct it.")
            continue
        action = f"sparkctl schedule install --{'systemd --user' if way is Way.USER else way}"
        for path in differing:
            problems.warning(Where(str(path)), f"it is not what {plan.file} says now", action)
        for one in files:
            if one.way is way and one.path.suffix == ".timer" and not _is_enabled(one.path):
                problems.warning(Where(str(one.path)), "it is not enabled", f"systemctl enable --now {one.path.name}")


def _differing(
    way: Way, plan: SchedulePlan, schedule: Schedule, files: Sequence[Found], target: Target
) -> Iterator[Path]:
    """The files that installing would write."""
    present = {one.path: one for one in files}
    for path, text in planned(way, plan, [schedule], target).items():
        found = present.get(path)
        if found is None or (found.text != text and not found.mark.changed):
            yield path


def _is_enabled(timer: Path) -> bool:
    """Whether systemd starts the timer at boot, by the link that `systemctl enable` makes."""
    return (timer.parent / "timers.target.wants" / timer.name).is_symlink()


def _left_over(plan: SchedulePlan, files: Sequence[Found], problems: Problems) -> None:
    """Files that start what is in the file no more fail at every start."""
    for one in files:
        if one.mark.name not in plan.schedules and f" --file {plan.file}\n" in one.text:
            action = f"sparkctl schedule remove {one.mark.name}"
            problems.warning(Where(str(one.path)), f"it starts {one.mark.name}, which {plan.file} has no more", action)


def _running(ways: set[Way], problems: Problems) -> None:
    if Way.CRON in ways and not _cron_runs():
        problems.warning(Where("/etc/cron.d"), "no cron is seen to run here", "systemctl enable --now cron")
    if ways & {Way.SYSTEMD, Way.USER} and not systemd_runs():
        problems.warning(Where("/run/systemd/system"), "systemd does not run here", "Install with --cron.")


def _cron_runs() -> bool:
    """Whether a process is called as a cron daemon is."""
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() in _CRONS:
                return True
        except (OSError, UnicodeDecodeError):
            continue
    return False
