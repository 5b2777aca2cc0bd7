"""Schedules on the screen."""

from typing import TextIO

from rich.text import Text

from sparkctl.model.durations import told_age
from sparkctl.model.schedule import ScheduleStatus
from sparkctl.report.screen import STYLES, screen_on

_MINUTE = "%a %Y-%m-%d %H:%M:%S"


def show_schedules(statuses: list[ScheduleStatus], stream: TextIO) -> None:
    """A few lines for each schedule; all times are UTC."""
    with screen_on(stream) as console:
        for status in statuses:
            console.print(Text.assemble((status.name, "bold"), f"  {_what(status)}, {status.when}"))
            for title, words in _lines(status):
                style = STYLES["fail"] if title == "last" and not status.healthy else ""
                console.print(Text.assemble((f"  {title:<10}", "dim"), (words, style)))


def _what(status: ScheduleStatus) -> str:
    return f"{status.run} of {status.selector}" if status.selector else status.run


def _lines(status: ScheduleStatus) -> list[tuple[str, str]]:
    starts = ", ".join(start.strftime(_MINUTE) for start in status.next_starts)
    splay, deadline = told_age(status.splay_s), told_age(status.deadline_s)
    lines = [
        ("next", f"{starts} UTC"),
        ("bounds", f"splay of this host {splay}, deadline {deadline}, too old after {told_age(status.max_age_s)}"),
        ("installed", ", ".join(status.installed) or "nowhere"),
        ("last", status.words),
    ]
    if status.skips.total:
        skips = status.skips
        last = f", the last at {skips.last_at:{_MINUTE}} UTC: {skips.last_why}" if skips.last_at else ""
        lines.append(("skips", f"{skips.total}, {skips.in_a_row} in a row{last}"))
    return lines
