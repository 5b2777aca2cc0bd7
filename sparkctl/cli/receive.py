"""`sparkctl receive`: take in what was ordered, and accept it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkctl.cli.options import Decorated, say, simulated, with_format, with_places
from sparkctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sparkctl.app.receiving import Delivery

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(short_help="Take in what was ordered: match, record, pin, accept.")
def receive() -> None:
    """Take in machines: match them with their papers, record how they arrived, and accept them by a test."""


def with_delivery(command: Decorated) -> Decorated:
    """Add the papers of a delivery."""
    options: list[Any] = [
        click.option("--order", type=_FILE, required=True, help="The purchase order: CSV or JSON."),
        click.option("--notice", type=_FILE, required=True, help="The shipping notice (ASN): CSV or JSON."),
        click.option("--scans", type=_FILE, help="What was scanned off the labels: CSV or JSON."),
        click.option("--observed", metavar="SELECTOR", help="Take what was collected last of these nodes."),
        click.option("--observed-file", type=_FILE, help="Take what `sparkctl show` printed, from this file."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _delivery(
    order: Path, notice: Path, scans: Path | None, observed: str | None, observed_file: Path | None
) -> "Delivery":
    from sparkctl.app.receiving import Delivery

    if observed is not None and observed_file is not None:
        raise UsageError("--observed and --observed-file are two sources of the same", hint="leave one of them out")
    return Delivery(order, notice, scans, observed, observed_file)


@receive.command("match")
@with_delivery
@with_places
@with_format
def match_(
    order: Path,
    notice: Path,
    scans: Path | None,
    observed: str | None,
    observed_file: Path | None,
    fleet: Path | None,
    state: Path | None,
    form: str,
) -> int:
    """Hold order, notice, labels and machines against each other, machine by machine. Nothing is entered.

    Exit 1 when something needs a person, 3 when machines are yet to be observed, 0 when all agree.

    Example: sparkctl receive match --order po.csv --notice asn.csv --scans scans.csv --observed rack=b2
    """
    from sparkctl.app.places import places
    from sparkctl.app.receiving import match_delivery
    from sparkctl.report.receiving import show_match

    report = match_delivery(places(fleet, state), _delivery(order, notice, scans, observed, observed_file))
    if form == "human":
        show_match(report, sys.stdout)
    else:
        click.echo(report.model_dump_json())
    return report.exit_code


@receive.command()
@with_delivery
@click.option("--out", type=_FILE, help="The as-received record [STATE/receiving/as-received-....json].")
@with_places
@with_format
def record(
    order: Path,
    notice: Path,
    scans: Path | None,
    observed: str | None,
    observed_file: Path | None,
    out: Path | None,
    fleet: Path | None,
    state: Path | None,
    form: str,
) -> int:
    """Match a delivery, write the as-received record, and enter what was scanned: received, or quarantined.

    All of it is entered in one step or nothing, and what was entered before is not entered again. Exits as `match`.

    Example: sparkctl receive record --order po.csv --notice asn.csv --scans scans.csv --observed rack=b2
    """
    from sparkctl.app.places import places
    from sparkctl.app.receive_record import record as enter
    from sparkctl.report.receiving import show_recorded

    recorded = enter(places(fleet, state), _delivery(order, notice, scans, observed, observed_file), out)
    if form == "human":
        show_recorded(recorded, sys.stdout)
        return recorded.report.exit_code
    click.echo(recorded.model_dump_json())
    return recorded.report.exit_code


@receive.command()
@click.argument("selector", nargs=-1, required=True)
@with_places
@with_format
def pins(selector: tuple[str, ...], fleet: Path | None, state: Path | None, form: str) -> int:
    """Enter the host keys that are pinned for nodes as evidence. `sparkctl inventory pin` pins them.

    Exit 3 when nothing is pinned for one of them.

    Example: sparkctl receive pins 'spark[01-16]'
    """
    from sparkctl.app.places import places
    from sparkctl.app.receive_accept import pins as enter

    unpinned = 0
    for one in enter(places(fleet, state), ",".join(selector)):
        unpinned += one.entry is None
        entry = one.entry
        words = f"entry {entry.seq}, {one.path}{simulated(entry.simulated)}" if entry else f"not entered: {one.why}"
        say(
            form, f"{one.node_id}  {words}", node=one.node_id, entry=entry.seq if entry else None, file=one.path,
            why=one.why, simulated=entry.simulated if entry else None,
        )  # fmt: skip
    return ExitCode.UNJUDGED if unpinned else ExitCode.OK


@receive.command()
@click.argument("node")
@click.option("--run", "run_id", help="Judge by the sweep of this run [the newest].")
@with_places
@with_format
def accept(node: str, run_id: str | None, fleet: Path | None, state: Path | None, form: str) -> None:
    """Judge the acceptance test of a received NODE by its sweep and its facts, and enter that it passed.

    It passes when every required check was evaluated, none failed, and its serial is the one that was received. Exit 4,
    with everything that is not so, when it has not.

    Example: sparkctl health spark03 && sparkctl collect spark03 && sparkctl receive accept spark03
    """
    from sparkctl.app.places import places
    from sparkctl.app.receive_accept import accept as judge

    entry, path = judge(places(fleet, state), node, run_id)
    words = f"{node}  passed, entry {entry.seq}, {path}{simulated(entry.simulated)}"
    say(
        form, f"{words}\n  → sparkctl node move {node} accepted --reason ...", node=node, entry=entry.seq, file=path,
        simulated=entry.simulated,
    )  # fmt: skip


@receive.command()
@click.argument("file", type=_FILE)
@click.option("--enrolment", type=_FILE, help="Secret that its seed was made with [STATE/seed-enrolment.key].")
@with_places
@with_format
def beacon(file: Path, enrolment: Path | None, fleet: Path | None, state: Path | None, form: str) -> None:
    """Prove the beacon FILE that a node left on its stick at its first boot, and pin the host keys in it.

    Exit 4 when it was not made with the secret of that node's stick, is of an older seed or another machine, or when
    other keys are pinned already.

    Example: sparkctl receive beacon beacon.json && sparkctl receive pins spark03
    """
    from sparkctl.app.beacon import read_beacon
    from sparkctl.app.places import places

    read = read_beacon(places(fleet, state), file, enrolment)
    if form != "human":
        click.echo(read.model_dump_json())
        return
    for word, fingerprints in (("pinned", read.pinned), ("pinned already", read.known_before)):
        for fingerprint in fingerprints:
            click.echo(f"{read.node_id}  {word} as {read.pinned_as}: {fingerprint}")
