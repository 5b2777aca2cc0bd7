"""`sparkctl sinks`: where results go, and what waits to go there."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparkctl.cli.options import (
    Decorated,
    Seconds,
    duration_option,
    exit_of_problems,
    say,
    sinks_option,
    tell_problems,
    with_format,
    with_places,
    with_state,
)
from sparkctl.errors import ExitCode

if TYPE_CHECKING:
    from sparkctl.app.places import Places
    from sparkctl.model.sink import SinkPlan


@click.group(short_help="Where results go: SIEM, webhook, file, mail, metrics.")
def sinks() -> None:
    """See to where results go after a run, and to what still waits to go there."""


def with_sinks(command: Decorated) -> Decorated:
    """Add `--sinks`, the places and `--format`."""
    return sinks_option(with_places(with_format(command)))


def _places(sinks: Path | None, fleet: Path | None, state: Path | None) -> "Places":
    from sparkctl.app.places import places

    return places(fleet, state, sinks)


def _plan(places: "Places") -> "SinkPlan":
    from sparkctl.app.sinks import plan_of

    return plan_of(places)


@sinks.command("list")
@with_sinks
def list_(sinks: Path | None, fleet: Path | None, state: Path | None, form: str) -> None:
    """Show each sink: what waits for it, since when, when it last took something, and what went wrong last.

    Sinks that are not in the file any more and still have events are shown, too.

    Example: sparkctl sinks list
    """
    from sparkctl.app.sinks import statuses

    here = _places(sinks, fleet, state)
    found = statuses(here.state, _plan(here))
    if form == "human":
        from sparkctl.report.sinks import show_sinks

        show_sinks(found, sys.stdout)
        return
    for status in found:
        click.echo(status.model_dump_json())


@sinks.command()
@with_sinks
def check(sinks: Path | None, fleet: Path | None, state: Path | None, form: str) -> int:
    """Find everything that is wrong with the file of sinks, and with the files that it names. Nothing is sent.

    Exit 2 when the file cannot be used, 1 when there are warnings only.

    Example: sparkctl sinks check --sinks /etc/sparkctl/sinks.yaml
    """
    from sparkctl.app.sink_check import check as examine
    from sparkctl.errors import UsageError

    here = _places(sinks, fleet, state)
    if here.sinks is None:
        raise UsageError("there is no sinks.yaml beside the inventory, and none is named", hint="name one with --sinks")
    found = examine(here, here.sinks)
    tell_problems(found, form)
    return exit_of_problems(found)


@sinks.command()
@click.argument("sink")
@with_sinks
def test(sink: str, sinks: Path | None, fleet: Path | None, state: Path | None, form: str) -> int:
    """Send one event to SINK now that says that it is a test, and show what the far side answers.

    It is of the kind `test`, goes past the outbox and past what the sink wants otherwise. Exit 69 when it is not taken.

    Example: sparkctl sinks test siem
    """
    from sparkctl.app.sinks import named, try_sink
    from sparkctl.model.sink import Verdict

    tried = try_sink(named(_plan(_places(sinks, fleet, state)), sink))
    words = f"{tried.sink}: {tried.verdict}: {tried.words} (event {tried.event_id})"
    say(form, words, sink=tried.sink, verdict=tried.verdict, answer=tried.words, event_id=tried.event_id)
    return ExitCode.OK if tried.verdict is Verdict.ACCEPTED else ExitCode.SINK_FAILED


@sinks.command()
@click.option("--sink", "names", multiple=True, metavar="SINK", help="Only this one; may be repeated [all].")
@click.option("--now", is_flag=True, help="Also to sinks that failed and are given a rest.")
@click.option(
    "--within", type=Seconds(1, 86400), default=120.0, show_default=True, help="Seconds for all of it together."
)
@with_sinks
def send(
    names: tuple[str, ...],
    now: bool,
    within: float,
    sinks: Path | None,
    fleet: Path | None,
    state: Path | None,
    form: str,  # noqa: ARG001 - there is nothing to print
) -> int:
    """Deliver what is due, now. Silent when all was taken; for cron, between runs.

    It needs no lock: a run may go on meanwhile, and two of them at once send nothing twice. What a sink of the scheme
    `stdout` is to get is printed here. Exit 69 when a sink did not take what it was to take.

    Example: sparkctl sinks send --sink siem --now
    """
    from sparkctl.app.deliver import Pace
    from sparkctl.app.sinks import send as deliver
    from sparkctl.app.telling import words_of

    here = _places(sinks, fleet, state)
    results = deliver(here.state, _plan(here), names, Pace(within, at_once=now))
    for result in results:
        for words in words_of(result):
            click.echo(f"sparkctl: {words}", err=True)
        if sys.stderr.isatty() and result.tally.delivered:
            click.echo(f"{result.sink}: {result.tally.delivered:,} taken", err=True)
    return ExitCode.SINK_FAILED if any(result.trouble for result in results) else ExitCode.OK


@sinks.command()
@click.option("--sink", metavar="SINK", help="Only of this one [all].")
@with_state
@with_format
def dead(sink: str | None, state: Path | None, form: str) -> None:
    """List events that were given up: refused for good, tried too often, or too old; with why.

    Example: sparkctl sinks dead --sink siem
    """
    from sparkctl.app.places import places
    from sparkctl.app.sinks import dead_letters

    found = dead_letters(places(None, state).state, sink)
    if form == "human":
        from sparkctl.report.sinks import show_deliveries

        show_deliveries(found, sys.stdout)
        return
    for one in found:
        click.echo(one.model_dump_json())


@sinks.command()
@click.argument("sink")
@with_sinks
def forget(sink: str, sinks: Path | None, fleet: Path | None, state: Path | None, form: str) -> None:
    """Let go of SINK, which was taken out of the file of sinks, and of all that it was still to get.

    Until then its events wait, and keep `store prune` from the records that they tell of.

    Example: sparkctl sinks forget old-siem
    """
    from sparkctl.app.sink_file import plan_at
    from sparkctl.app.sinks import forget_sink

    here = _places(sinks, fleet, state)
    dropped = forget_sink(here.state, plan_at(here), sink)  # the whole file may be gone as well
    words = f"{sink} is forgotten, and {dropped:,} {'event' if dropped == 1 else 'events'} that it was still to get"
    say(form, words, sink=sink, dropped=dropped)


@sinks.command()
@click.argument("event_ids", metavar="[EVENT]...", nargs=-1)
@click.option("--sink", metavar="SINK", help="Only for this one [all].")
@duration_option("--since", "Only what was settled in the last so long (90m, 36h, 7d, 2w) [all].")
@click.option("--delivered", is_flag=True, help="Also what was taken, as far as it is still kept.")
@with_state
@with_format
def replay(
    event_ids: tuple[str, ...],
    sink: str | None,
    since: timedelta | None,
    delivered: bool,
    state: Path | None,
    form: str,
) -> None:
    """Let dead events wait again, under the ids that they had: a receiver that knows one does not take it twice.

    EVENT is an id, or the beginning of one. They are sent by the next run or `sparkctl sinks send`.

    Example: sparkctl sinks replay --sink siem --since 24h --delivered
    """
    from sparkctl.app.places import places
    from sparkctl.app.sinks import replay as again
    from sparkctl.report.words import count

    here = places(None, state)
    number = again(here.state, sink=sink, within=since, delivered=delivered, event_ids=event_ids)
    say(form, f"{count(number, 'event')} to be sent again", replayed=number)


@sinks.command()
@click.argument("event_id", metavar="EVENT")
@with_state
@with_format
def show(event_id: str, state: Path | None, form: str) -> None:
    """Show all of an event, and how it fares with each sink. EVENT is its id, or the beginning of it.

    Example: sparkctl sinks show 3f2a81c9 --format json
    """
    from sparkctl.app.places import places
    from sparkctl.app.sinks import event_with_deliveries

    event, deliveries = event_with_deliveries(places(None, state).state, event_id)
    if form == "human":
        from sparkctl.report.sinks import show_event

        show_event(event, deliveries, sys.stdout)
        return
    click.echo(event.json)
    for one in deliveries:
        click.echo(one.model_dump_json())
