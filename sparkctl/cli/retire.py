"""`sparkctl retire`: what becomes of the media of a machine that leaves, and the certificate of it."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import say, with_format, with_state
from sparkctl.errors import ExitCode


@click.group(short_help="Judge the sanitisation of a machine that leaves, and certify it.")
def retire() -> None:
    """Judge whether the media of a machine are sanitised, and issue the certificate of it."""


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
@with_state
@with_format
def certificate(
    record: Path, out: Path, records: tuple[Path, ...], key: Path | None, state: Path | None, form: str
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
    issued = make_certificate(where, what, out, key=key, now=utc_now())
    made = issued.certificate
    lines = [f"certificate {made.number}: {made.node_id}, {made.method.value}", *(f"  {file}" for file in issued.files)]
    lines.append(f"  entry {issued.entry.seq} of the ledger{', signed' if issued.signed else ', not signed'}")
    say(
        form, "\n".join(lines), number=made.number, method=made.method.value, entry=issued.entry.seq,
        signed=issued.signed, files=[str(file) for file in issued.files],
    )  # fmt: skip
