"""`sparkctl alerts`: what changed and wants a person, told once."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import (
    Decorated,
    duration_option,
    exit_of_problems,
    selector_argument,
    sinks_option,
    tell_problems,
    with_format,
    with_places,
)
from sparkctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from sparkctl.app.alert_desk import Desk

_with_rules = click.option(
    "--rules",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Rules of alerting [SPARKCTL_ALERTS, alerts.yaml beside the inventory].",
)
_with_by = click.option("--by", metavar="NAME", help="Who says so [this user].")


@click.group(short_help="What changed and wants a person, told once.")
def alerts() -> None:
    """See, acknowledge and mute what changed in the fleet and wants a person. Every run brings it up to date."""


def _with_desk(command: Decorated) -> Decorated:
    """Add the places, `--rules` and `--format`."""
    return with_places(_with_rules(with_format(command)))


def _desk(fleet: Path | None, state: Path | None, rules: Path | None, sinks: Path | None = None) -> "Desk":
    from sparkctl.app.alert_desk import Desk
    from sparkctl.app.places import places

    return Desk(places(fleet, state, sinks), rules)


@alerts.command("list")
@selector_argument
@click.option(
    "--only",
    type=click.Choice(["open", "acknowledged", "new", "resolved"]),
    multiple=True,
    help="Alerts in this state; may be given several times [all but resolved].",
)
@duration_option("--since", "First seen, or resolved, no longer ago (24h, 7d).")
@_with_desk
def list_command(
    selector: tuple[str, ...],
    only: tuple[str, ...],
    since: timedelta | None,
    fleet: Path | None,
    state: Path | None,
    rules: Path | None,
    form: str,
) -> int:
    """List alerts; exit 1 when one of them is open that nobody has acknowledged or muted.

    `new` are those that were seen and not told: held down, or muted. Resolved ones are those of the last 24 hours,
    where --since says nothing else. Many nodes on which the same happened share one alert.

    \b
    Example:
      sparkctl alerts list
      sparkctl alerts list rack=a1 --only open --since 24h
    """
    from sparkctl.app.alert_desk import list_alerts, utc_now
    from sparkctl.model.alert import AlertState

    now = utc_now()
    states = [AlertState(word) for word in only]
    found = list_alerts(_desk(fleet, state, rules), ",".join(selector) or None, states, since, now)
    for words in found.troubles:
        click.echo(f"sparkctl: {words}", err=True)
    if form == "human":
        from sparkctl.report.alerts import show_alerts

        show_alerts(found.alerts, found.mutes, now, sys.stdout)
    else:
        _print(form, found.alerts)
    return ExitCode.FINDINGS if found.pressing else ExitCode.OK


def _print(form: str, documents: "Sequence[BaseModel]") -> None:
    """JSON lines, or one JSON list."""
    lines = [document.model_dump_json() for document in documents]
    if form == "json":
        click.echo("[" + ",\n".join(lines) + "]")
    elif lines:
        click.echo("\n".join(lines))


@alerts.command()
@click.argument("fingerprint")
@_with_desk
def show(fingerprint: str, fleet: Path | None, state: Path | None, rules: Path | None, form: str) -> None:
    """Show the alert FINGERPRINT, its first characters being enough, and all that happened to it.

    Example: sparkctl alerts show 3fa9c012
    """
    from sparkctl.app.alert_desk import show_alert, utc_now

    now = utc_now()
    history = show_alert(_desk(fleet, state, rules), fingerprint, now)
    if form == "human":
        from sparkctl.report.alerts import show_history

        show_history(history, now, sys.stdout)
        return
    click.echo(history.model_dump_json())


@alerts.command()
@click.argument("fingerprints", nargs=-1, required=True)
@_with_by
@click.option("--note", metavar="TEXT", help="What is done about it.")
@_with_desk
def ack(
    fingerprints: tuple[str, ...],
    by: str | None,
    note: str | None,
    fleet: Path | None,
    state: Path | None,
    rules: Path | None,
    form: str,
) -> None:
    """Acknowledge the alerts FINGERPRINTS: somebody sees to them.

    They stay so until they are resolved, and are open again when they become worse: a failure where there was a
    warning, or more nodes. A change of a field, or the end of a boot, has happened and is over with this.

    Example: sparkctl alerts ack 3fa9c012 --note 'disk ordered'
    """
    from sparkctl.app.alert_desk import acknowledge_alerts, utc_now

    changes = acknowledge_alerts(_desk(fleet, state, rules), fingerprints, by=by, note=note, now=utc_now())
    if form == "human":
        from sparkctl.report.alerts import show_changes

        show_changes(changes, sys.stdout)
    else:
        _print(form, changes)


@alerts.command()
@selector_argument
@duration_option("--for", "How long (30m, 2h, 3d).", required=True)
@click.option("--reason", metavar="TEXT", required=True, help="Why nothing is to be told.")
@_with_by
@_with_desk
def mute(
    selector: tuple[str, ...],
    reason: str,
    by: str | None,
    fleet: Path | None,
    state: Path | None,
    rules: Path | None,
    form: str,
    **when: timedelta,
) -> None:
    """Tell nothing of the nodes SELECTOR for a while, beginning now. What is seen on them is recorded all the same.

    What is still there when the time is over is told with the next run. That a told alert is over is told at once.

    Example: sparkctl alerts mute rack=a1 --for 2h --reason 'new power supplies'
    """
    from sparkctl.app.alert_desk import mute_nodes, utc_now
    from sparkctl.report.alerts import mute_words

    if not selector:
        raise click.UsageError("say whom: SELECTOR names nodes (rack=a1), or all of them (all)")
    desk = _desk(fleet, state, rules)
    made = mute_nodes(desk, ",".join(selector), when["for"], reason=reason, by=by, now=utc_now())
    click.echo(f"muted: {mute_words(made)}" if form == "human" else made.model_dump_json())


@alerts.command()
@click.argument("number", type=click.IntRange(1, 10**9))
@_with_desk
def unmute(number: int, fleet: Path | None, state: Path | None, rules: Path | None, form: str) -> None:
    """End the mute NUMBER before its time; `alerts list` has the numbers.

    Example: sparkctl alerts unmute 3
    """
    from sparkctl.app.alert_desk import unmute as end
    from sparkctl.app.alert_desk import utc_now

    ended = end(_desk(fleet, state, rules), number, utc_now())
    click.echo(f"#{number} has ended: {ended.selector}" if form == "human" else ended.model_dump_json())


@alerts.command()
@duration_option("--since", "The time before now that it is about (24h, 7d).", default="24h", show_default=True)
@click.option("--send", is_flag=True, help="Send it to the sinks that get digests, and print nothing.")
@sinks_option
@_with_desk
def digest(
    since: timedelta,
    send: bool,
    sinks: Path | None,
    fleet: Path | None,
    state: Path | None,
    rules: Path | None,
    form: str,
) -> int:
    """Tell what became of alerts lately, and how much of the fleet was looked at. The text is fit for a mail.

    \b
    Example:
      sparkctl alerts digest --format human | mail -s 'DGX Spark fleet' ops@example.org
      sparkctl alerts digest --since 7d --send
    """
    from sparkctl.app.alert_desk import utc_now
    from sparkctl.app.alert_digest import digest as summed_up
    from sparkctl.app.alert_digest import send_digest

    desk = _desk(fleet, state, rules, sinks)
    found = summed_up(desk, since, utc_now())
    if send:
        return send_digest(desk, found, lambda words: click.echo(f"sparkctl: {words}", err=True))
    if form == "human":
        from sparkctl.report.alerts import write_digest

        write_digest(found, sys.stdout)
    else:
        click.echo(found.model_dump_json())
    return ExitCode.OK


@alerts.command()
@_with_desk
def check(fleet: Path | None, state: Path | None, rules: Path | None, form: str) -> int:
    """Find everything that is wrong with the rules file. Exit 2 when it cannot be used, 1 for warnings only.

    Example: sparkctl alerts check --rules alerts.yaml
    """
    from sparkctl.app.alert_desk import check_rules

    found = check_rules(_desk(fleet, state, rules))
    if form == "json":
        _print(form, found)
    else:
        tell_problems(found, form)
    return exit_of_problems(found)
