"""`sparkctl bundle`: evidence of nodes, sealed."""

import sys
from pathlib import Path
from typing import Any

import click

from sparkctl.cli.options import say
from sparkctl.cli.run_options import (
    output_for,
    run_request,
    trust_of,
    with_bundle_options,
    with_run_options,
    with_trust,
)


@click.group()
def bundle() -> None:
    """Collect evidence of nodes into sealed bundles, and read them."""


@bundle.command()
@with_run_options
@with_bundle_options
@click.option("--also", multiple=True, metavar="COLLECTOR", help="Take this as well, which is only taken when named.")
@click.option("-v", "--verbose", is_flag=True, help="Name all that could not be taken, and costs.")
def collect(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    out: Path | None,
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
    from sparkctl.app.bundle_collect import BundleOptions, collect_bundles

    if bounds["workers"] != 1:
        raise click.UsageError("bundles are sealed in processes of their own already: leave --workers out")
    request = run_request(selector, fleet, state, bounds)
    output = output_for(form, verbose=verbose)
    options = BundleOptions(out=out or Path(), key=key, also=also, total_bytes=total_size)
    return collect_bundles(request, options, output)


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
