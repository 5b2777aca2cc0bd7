"""`sparkctl playbook run`, and what one does with a run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkctl.cli.options import Seconds, with_format, with_places
from sparkctl.cli.playbook_options import desk_of, limits_of, print_documents, run_argument, with_desk, with_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparkctl.app.playbook_parts import Desk
    from sparkctl.app.playbook_run import Driven
    from sparkctl.executor.limits import Limits
    from sparkctl.model.journal import JournalEntry
    from sparkctl.playbook.state import RunState

_by = click.option("--by", metavar="NAME", help="Who says so [this user].")
_why = click.option("--why", metavar="WORDS", required=True, help="Why, for the journal.")


@click.command()
@run_argument
@click.option("--wait", "patient", is_flag=True, help="Wait for the next window instead of ending.")
@with_limits
@with_desk
def run(
    run_id: str,
    patient: bool,
    timeout: float,
    concurrency: int,
    fleet: Path | None,
    state: Path | None,
    site: Path | None,
    form: str,
) -> int:
    """Run the plan RUN, once it has been approved.

    Ctrl-C ends it in good order, and so does anything that kills it: what was begun on nodes goes on there, and
    `playbook resume` looks what became of it. Exit 0 when all nodes came out well, 1 when some failed, 3 when some did
    not answer, 4 when it was refused or no window is open, 5 when a person is needed.

    Example: sparkctl playbook run 20261130T031500Z-a1b2c3
    """
    return _drive(run_id, None, patient, limits_of(timeout, concurrency), desk_of(fleet, state, site), form)


@click.command()
@run_argument
@click.option("--release", metavar="WHY", help="Let a run go on that is held; what failed so far counts no more.")
@click.option("--wait", "patient", is_flag=True, help="Wait for the next window instead of ending.")
@_by
@with_limits
@with_desk
def resume(
    run_id: str,
    release: str | None,
    patient: bool,
    by: str | None,
    timeout: float,
    concurrency: int,
    fleet: Path | None,
    state: Path | None,
    site: Path | None,
    form: str,
) -> int:
    """Take up RUN where it was left: look what became of every act that was begun, and go on.

    \b
    Example:
      sparkctl playbook resume RUN
      sparkctl playbook resume RUN --release 'spark07 was replaced'
    """
    from sparkctl.app.playbook_parts import by_whom, words_of

    released = None if release is None else (by_whom(by), words_of("--release", release, 1000))
    return _drive(run_id, released, patient, limits_of(timeout, concurrency), desk_of(fleet, state, site), form)


def _drive(
    run_id: str, release: "tuple[str, str] | None", patient: bool, limits: "Limits", desk: "Desk", form: str
) -> int:
    from sparkctl.app.playbook_parts import state_of_nodes
    from sparkctl.app.playbook_plan import utc_now
    from sparkctl.app.playbook_run import DriveRequest, drive
    from sparkctl.app.playbook_status import status_of_state
    from sparkctl.store.store import Store

    telling = desk.telling
    with Store.open(desk.places.state, create=False) as store:
        request = DriveRequest(
            telling=telling,
            places=desk.places,
            site=desk.site,
            run_id=run_id,
            limits=limits,
            state_of=state_of_nodes(store),
            changed=_follower(form),
            patient=patient,
            release=release,
        )
        driven: Driven = drive(request, store)
        status = status_of_state(store.journals.run(run_id), driven.state, request.site, utc_now())
    if form == "human":
        from sparkctl.report.playbook import show_status

        click.echo()
        show_status(status, sys.stdout)
    else:
        click.echo(status.model_dump_json())
    sys.stdout.flush()
    say = lambda words: click.echo(f"sparkctl: {words}", err=True)  # noqa: E731 - as other commands hand it on
    return telling.deliver(desk.places.state, driven.exit_code, None, say)


def _follower(form: str) -> "Callable[[JournalEntry, RunState], None]":
    """Print every record as it comes: a line for people, JSON for programs."""
    if form == "json":
        return lambda _entry, _state: None
    if form == "jsonl":
        return lambda entry, _state: click.echo(entry.model_dump_json())
    from sparkctl.report.playbook import entry_line, soak_line

    def tell(entry: "JournalEntry", state: "RunState") -> None:
        for line in (entry_line(entry), soak_line(entry, state)):
            if line is not None:
                click.echo(line)

    return tell


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--watch", type=Seconds(0.2, 3600), metavar="SECONDS", help="Look again every so often, until it is over."
)
@click.option("-v", "--verbose", is_flag=True, help="Show all nodes.")
@with_desk
def status(
    run_id: str | None,
    watch: float | None,
    verbose: bool,
    fleet: Path | None,
    state: Path | None,
    site: Path | None,
    form: str,
) -> None:
    """Say how RUN stands, what it waits for, and what to do; without one, list all plans and runs.

    \b
    Example:
      sparkctl playbook status
      sparkctl playbook status RUN --watch 2
    """
    from sparkctl.app.playbook_plan import utc_now
    from sparkctl.app.playbook_status import status_of
    from sparkctl.store.store import Store

    desk = desk_of(fleet, state, site)
    rules = desk.site
    with Store.open(desk.places.state, create=False) as store:
        if run_id is None:
            found = [status_of(store, one.run_id, rules, utc_now()) for one in store.journals.runs(50)]
            _show_runs(found, form)
        elif watch is not None:
            _watch(lambda: status_of(store, run_id, rules, utc_now()), watch, form, verbose=verbose)
        else:
            _show_status(status_of(store, run_id, rules, utc_now()), form, verbose=verbose)


def _show_runs(found: "Sequence[Any]", form: str) -> None:
    if form == "human":
        from sparkctl.report.playbook import show_runs

        show_runs(found, sys.stdout)
    else:
        print_documents(form, found)


def _show_status(found: Any, form: str, *, verbose: bool) -> None:
    if form == "human":
        from sparkctl.report.playbook import show_status

        show_status(found, sys.stdout, verbose=verbose)
    else:
        click.echo(found.model_dump_json())


def _watch(look: "Callable[[], Any]", seconds: float, form: str, *, verbose: bool) -> None:
    import time

    from sparkctl.app.leaving import leaving_in_order
    from sparkctl.model.playbook_status import RunStanding

    with leaving_in_order():
        while True:
            found = look()
            if form == "human" and sys.stdout.isatty():
                click.clear()
            _show_status(found, form, verbose=verbose)
            if found.standing is RunStanding.ENDED:
                return
            time.sleep(seconds)


@click.command()
@run_argument
@click.argument("node_id", metavar="NODE")
@click.argument("said", metavar="ANSWER", type=click.Choice(["done", "failed", "repeat"]))
@_why
@_by
@with_places
@with_format
def answer(
    run_id: str, node_id: str, said: str, why: str, by: str | None, fleet: Path | None, state: Path | None, form: str
) -> None:
    """Answer what RUN asks of NODE: that the step is `done`, that it `failed`, or that it is to be done again.

    Example: sparkctl playbook answer RUN spark07 done --why 'asset tag 4711 is on it'
    """
    from sparkctl.app.playbook_desk import answer as say_it
    from sparkctl.app.playbook_parts import by_whom, words_of
    from sparkctl.app.playbook_plan import utc_now
    from sparkctl.model.journal import Answer
    from sparkctl.store.store import Store

    with Store.open(desk_of(fleet, state, None).places.state, create=False) as store:
        made = say_it(
            store, run_id, node_id, Answer(said), by=by_whom(by), why=words_of("--why", why, 500), now=utc_now()
        )  # fmt: skip
    _tell_entries(made, form, f"sparkctl playbook resume {run_id}")


@click.command()
@run_argument
@_why
@_by
@with_places
@with_format
def stop(run_id: str, why: str, by: str | None, fleet: Path | None, state: Path | None, form: str) -> None:
    """End RUN for good: no more of it is done, and its nodes are free for other runs.

    Example: sparkctl playbook stop RUN --why 'superseded by another plan'
    """
    from sparkctl.app.playbook_desk import stop as end_it
    from sparkctl.app.playbook_parts import by_whom, words_of
    from sparkctl.app.playbook_plan import utc_now
    from sparkctl.store.store import Store

    with Store.open(desk_of(fleet, state, None).places.state, create=False) as store:
        made = end_it(store, run_id, by=by_whom(by), why=words_of("--why", why, 500), now=utc_now())
    _tell_entries(made, form, None)


@click.command()
@run_argument
@with_places
@with_format
def journal(run_id: str, fleet: Path | None, state: Path | None, form: str) -> None:
    """Print all that happened in RUN: every intent and its end, with commands, digests and durations.

    The chain of its digests is checked; a record that was changed is named (exit 4).

    Example: sparkctl playbook journal RUN
    """
    from sparkctl.store.store import Store

    with Store.open(desk_of(fleet, state, None).places.state, create=False) as store:
        entries = list(store.journals.entries(run_id))
    if form == "human":
        from sparkctl.report.playbook import show_journal

        show_journal(entries, sys.stdout)
    else:
        print_documents(form, entries)


def _tell_entries(entries: "Sequence[JournalEntry]", form: str, hint: str | None) -> None:
    from sparkctl.report.playbook import entry_line

    if form != "human":
        print_documents(form, entries)
        return
    for entry in entries:
        if (line := entry_line(entry)) is not None:
            click.echo(line)
    if hint:
        click.echo(f"  → {hint}")


RUN_COMMANDS = (run, resume, status, answer, stop, journal)
"""What one does with a run, in the order in which one does it."""
