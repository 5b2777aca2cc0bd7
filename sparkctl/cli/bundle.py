"""`sparkctl bundle`: evidence of nodes, sealed."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkctl.cli.options import say
from sparkctl.cli.run_options import output_for, run_request, with_run_options

if TYPE_CHECKING:
    from sparkctl.evidence.trust import Trust

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def _size(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """A number of bytes with its unit, such as `2G`."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6})([KMGT])", value)
    if match is None or int(match[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a size: write 500M or 2G", context, option)
    return int(match[1]) * _UNITS[match[2]]


@click.group()
def bundle() -> None:
    """Collect evidence of nodes into sealed bundles, and read them."""


@bundle.command()
@with_run_options
@click.option("--out", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where bundles go [.].")
@click.option(
    "--sign", "key", type=click.Path(path_type=Path), metavar="KEY", help="Sign with this OpenSSH or PEM key."
)
@click.option("--also", multiple=True, metavar="COLLECTOR", help="Take this as well, which is only taken when named.")
@click.option(
    "--total-size", callback=_size, metavar="SIZE", help="Stop when the bundles have this size together (2G)."
)
@click.option("-v", "--verbose", is_flag=True, help="Name all that could not be taken, and costs.")
def collect(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    out: Path,
    key: Path | None,
    also: tuple[str, ...],
    total_size: int | None,
    verbose: bool,
    **bounds: Any,
) -> int:
    """Bring what an engineer will want to read (L2) from each node, redacted and sealed, one file a node.

    Nothing is written on a node. Names, addresses, serials and secrets are replaced before anything is sealed; a bundle
    in which one is found afterwards is not kept.

    \b
    Example:
      sparkctl bundle collect spark07 --sign ~/.ssh/id_ed25519
      sparkctl bundle collect rack=a1 --out evidence --total-size 2G
    """
    from sparkctl.app.bundle_collect import collect_bundles

    if bounds["workers"] != 1:
        raise click.UsageError("bundles are sealed in processes of their own already: leave --workers out")
    request = run_request(selector, fleet, state, bounds)
    output = output_for(form, verbose=verbose)
    return collect_bundles(request, out, output, key=key, also=also, total_bytes=total_size)


_with_trust = (
    click.option(
        "--allowed-signers", type=click.Path(path_type=Path), metavar="FILE", help="Believe who stands there."
    ),
    click.option("--public-key", type=click.Path(path_type=Path), metavar="FILE", help="Believe this key alone."),
)


def with_trust(command: Any) -> Any:
    """Add the two ways of saying whose signature is believed."""
    for option in reversed(_with_trust):
        command = option(command)
    return command


def trust_of(allowed_signers: Path | None, public_key: Path | None) -> "Trust | None":
    """Whose signature is believed; None where only integrity is asked for."""
    from sparkctl.evidence.trust import AllowedSigners, PublicKey

    if allowed_signers is not None and public_key is not None:
        raise click.UsageError("--allowed-signers and --public-key say two things; give one of them")
    if allowed_signers is not None:
        return AllowedSigners(allowed_signers)
    return PublicKey(public_key) if public_key is not None else None


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path))
@with_trust
@click.option("--format", "form", type=click.Choice(["human", "json"]), help="How to print [human on a terminal].")
def verify(file: Path, allowed_signers: Path | None, public_key: Path | None, form: str | None) -> int:
    """Hold every byte of a bundle against what was sealed and, with a key, against who signed it.

    Without a key only the integrity is known: anybody may have made it, and that is said.

    \b
    Example:
      sparkctl bundle verify spark07.spark-evidence.tar.zst --public-key ops.pub
    """
    from sparkctl.app.bundle_read import verified_fields, verified_lines
    from sparkctl.evidence.verifying import verify as hold

    found = hold(file, trust_of(allowed_signers, public_key))
    chosen = form or ("human" if sys.stdout.isatty() else "json")
    say(chosen, "\n".join(verified_lines(found)), **verified_fields(found))
    return 0
