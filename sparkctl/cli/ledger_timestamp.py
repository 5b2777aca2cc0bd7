"""`sparkctl ledger timestamp-request` and `timestamp-verify`: RFC 3161, by files."""

from pathlib import Path

import click

from sparkctl.cli.options import say, with_format

_with_note = click.argument("checkpoint", type=click.Path(path_type=Path))


@click.command("timestamp-request")
@_with_note
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The request to write.")
@with_format
def timestamp_request(checkpoint: Path, out: Path, form: str) -> None:
    """Write a request (RFC 3161) to have an exported CHECKPOINT stamped by an authority; carry it there as you like.

    \b
    Example:
      sparkctl ledger timestamp-request bastion-1.checkpoint.json --out bastion-1.tsq
      curl -H 'Content-Type: application/timestamp-query' --data-binary @bastion-1.tsq \\
        https://tsa.example.org > bastion-1.tsr
    """
    from sparkctl.app.ledger_timestamp import write_request

    made = write_request(checkpoint, out)
    words = f"{out}: a request over the checkpoint of {made.origin} over {made.size:,} entries"
    say(form, words, origin=made.origin, size=made.size, file=str(out))


@click.command("timestamp-verify")
@_with_note
@click.option("--response", type=click.Path(path_type=Path), required=True, metavar="FILE", help="What it answered.")
@click.option("--ca", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Its root certificate, PEM.")
@with_format
def timestamp_verify(checkpoint: Path, response: Path, ca: Path, form: str) -> None:
    """Say when an authority saw an exported CHECKPOINT; exit 4 when the response is not over it, or not of them.

    Everything under the checkpoint was there then. No network is used.

    Example: sparkctl ledger timestamp-verify bastion-1.checkpoint.json --response bastion-1.tsr --ca tsa.pem
    """
    from sparkctl.app.ledger_timestamp import verify_stamp

    found = verify_stamp(checkpoint, response, ca)
    made = found.checkpoint
    words = f"{made.origin} had these {made.size:,} entries at {found.at:%Y-%m-%d %H:%M:%SZ}"
    say(form, words, origin=made.origin, size=made.size, at=found.at.isoformat())
