"""`sparkctl report`: the fleet on one page, from what is stored."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import duration_option, max_age_option, say, selector_argument, with_format, with_places

if TYPE_CHECKING:
    from sparkctl.app.report import ReportRequest

SECONDS = "5"


@click.command()
@selector_argument
@with_places
@with_format
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write one page for a browser instead.")
@click.option(
    "--watch",
    type=click.FloatRange(0.5, 3600),
    is_flag=False,
    flag_value=SECONDS,
    metavar="[SECONDS]",
    help=f"Stay, and read the store again every so many seconds [{SECONDS}]; q ends.",
)
@max_age_option("Judgements older than this (90m, 36h, 7d) are stale [26h].")
@duration_option("--window", "How far changes, resets and trends reach back (12h, 7d, 4w) [7d].")
def report(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    html: Path | None,
    watch: float | None,
    max_age: timedelta | None,
    window: timedelta | None,
) -> int:
    """Show what needs hands today and how we know, who did not answer, what changed, and how old everything is.

    No node is asked: everything is from the store, and says how old it is. A node that was not judged lately is not
    called well. The exit code is that of a sweep: 1 when a check failed, 4 when a node is refused, 3 when somebody or
    something required was not judged.

    \b
    Example:
      sparkctl report
      sparkctl report rack=a1 --html /srv/www/fleet.html
      sparkctl report --watch
    """
    from sparkctl.app.places import places
    from sparkctl.app.report import MAX_AGE, WINDOW, ReportRequest

    if html is not None and watch is not None:
        raise click.UsageError("--html writes a file and ends: leave --watch out")
    request = ReportRequest(
        places=places(fleet, state),
        selector=",".join(selector) or "all",
        max_age=max_age or MAX_AGE,
        window=window or WINDOW,
        trends=html is not None or form != "human",
    )
    if html is not None:
        return _write(request, html, form)
    if watch is not None and form == "human" and sys.stdout.isatty():
        return _watch(request, watch)
    return _print(request, form)


def _write(request: "ReportRequest", html: Path, form: str) -> int:
    from sparkctl.app.report_html import write_report
    from sparkctl.report.words import count, size

    written = write_report(request, html)
    page = written.page
    words = f"{written.file}: {count(page.coverage.selected, 'node')}, {size(written.bytes)}"
    if page.simulated:
        words += ", SIMULATED"
    say(
        form,
        words,
        file=str(written.file),
        bytes=written.bytes,
        selected=page.coverage.selected,
        reported=page.coverage.reported,
        unreported=page.coverage.unreported,
        simulated=page.simulated,
        exit_code=page.exit_code,
        exit_name=page.exit_name,
    )
    return page.exit_code


def _watch(request: "ReportRequest", seconds: float) -> int:
    from sparkctl.app.keys import keys_of_terminal
    from sparkctl.app.leaving import leaving_in_order
    from sparkctl.app.report_watch import Watcher
    from sparkctl.app.report_watch import watch as stay
    from sparkctl.report.fleet_watch import WatchScreen

    watcher = Watcher(request)
    with leaving_in_order(), keys_of_terminal() as keys, WatchScreen(sys.stdout) as screen:
        stay(watcher, screen, keys, seconds)
    return 0


def _print(request: "ReportRequest", form: str) -> int:
    from sparkctl.app.report import report as build
    from sparkctl.report.fleet_lines import json_output

    if form == "human":
        from sparkctl.report.fleet_screen import show_page

        page = build(request, lambda _: None)
        show_page(page, sys.stdout)
        return page.exit_code
    output = json_output(form, sys.stdout)
    page = build(request, output.node)
    output.fleet(page)
    return page.exit_code
