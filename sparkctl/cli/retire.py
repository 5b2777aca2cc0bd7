"""`sparkctl retire`: what becomes of the media of a machine that leaves, and the certificate of it."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import say, with_format, with_state
from sparkctl.errors import ExitCode


@click.group(short_help="Judge the sanitisation of a machine that leaves, and certify it.")
def retire() -> None:
    """Judge whether the media of a machine are sanitised, and issue the certificate of it."""


@retire.command("record")
@click.argument("node_id", metavar="NODE")
@click.option("--run", "run_id", metavar="RUN", required=True, help="The run of a playbook that erased it.")
@click.option(
    "--details", type=click.Path(path_type=Path), required=True, metavar="FILE", help="What only people know, as YAML."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where the record goes.")
@with_state
@with_format
def make_record(node_id: str, run_id: str, details: Path, out: Path, state: Path | None, form: str) -> None:
    """Make the record of a sanitisation from the journal of RUN, those of earlier runs on NODE, and what people know.

    It has every attempt on every drive, what the drives said and what read back, and the digests of the documents
    that tell it. What nothing tells is null. Exit 4 for a run that is not of NODE, that is in doubt, or whose journal
    is not what was written.

    Example: sparkctl retire record spark07 --run RUN --details spark07.yaml --out spark07.record.json
    """
    from sparkctl.app.ledger_file import write_document
    from sparkctl.app.places import places
    from sparkctl.app.retire_details import read_details
    from sparkctl.app.retire_record import record_of

    made = record_of(places(None, state).state, node_id, run_id, read_details(details))
    write_document(made, out)
    lines = [f"{out}: {made.node_id}, {made.machine_serial}{', simulated' if made.simulated else ''}"]
    lines += [f"  drive {drive.serial}: {len(drive.attempts)} attempts" for drive in made.drives]
    lines.append(f"  {len(made.records)} documents; judge it: sparkctl retire judge {out}")
    say(
        form, "\n".join(lines), node_id=made.node_id, file=str(out), records=len(made.records),
        attempts={drive.serial: len(drive.attempts) for drive in made.drives},
    )  # fmt: skip


@retire.command()
@click.argument("record", type=click.Path(path_type=Path))
@with_format
def judge(record: Path, form: str) -> int:
    """Judge a record of sanitisation: what each drive comes to, why, and what may still be done. Exit 4 unless all is.

    RECORD is a document of the schema sanitisation-record. Nothing is changed or entered.

    Example: sparkctl retire judge spark07.record.json
    """
    from sparkctl.app.ledger_file import read_document
    from sparkctl.lifecycle.sanitisation import judge as weigh
    from sparkctl.model.sanitisation import SanitisationRecord

    judgement = weigh(read_document(SanitisationRecord, record))
    if form == "human":
        from sparkctl.report.sanitisation import show_judgement

        show_judgement(judgement, sys.stdout)
    else:
        click.echo(judgement.model_dump_json())
    return ExitCode.OK if judgement.sanitised else ExitCode.REFUSED


@retire.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the certificate."
)
@click.option(
    "--records",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file that RECORD names under `records`: its digest is held against it; repeatable.",
)
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="KEY", help="OpenSSH key to sign it and its entry with."
)
@click.option(
    "--copy", type=click.Path(path_type=Path), metavar="FILE", help="A copy of the JSON, under a name of your choice."
)
@with_state
@with_format
def certificate(
    record: Path,
    out: Path,
    records: tuple[Path, ...],
    key: Path | None,
    copy: Path | None,
    state: Path | None,
    form: str,
) -> None:
    """Issue the certificate of sanitisation of a record, as JSON, Markdown and HTML, and enter it in the ledger.

    It has the fields of NIST SP 800-88r2, section 4.6. It is refused with exit 4 for media that are not sanitised:
    of a drive whose erase failed only its destruction, which somebody saw, can be certified.

    Example: sparkctl retire certificate spark07.record.json --out certificates --key ~/.ssh/id_ed25519
    """
    from sparkctl.app.certificate import make_certificate, require_records
    from sparkctl.app.ledger import utc_now
    from sparkctl.app.ledger_file import read_document
    from sparkctl.app.places import places
    from sparkctl.model.sanitisation import SanitisationRecord

    where = places(None, state).state
    what = read_document(SanitisationRecord, record)
    require_records(what, records)
    issued = make_certificate(where, what, out, key=key, now=utc_now(), copy=copy)
    made = issued.certificate
    lines = [f"certificate {made.number}: {made.node_id}, {made.method.value}", *(f"  {file}" for file in issued.files)]
    lines.append(f"  entry {issued.entry.seq} of the ledger{', signed' if issued.signed else ', not signed'}")
    say(
        form, "\n".join(lines), number=made.number, method=made.method.value, entry=issued.entry.seq,
        signed=issued.signed, files=[str(file) for file in issued.files],
    )  # fmt: skip
