"""`sparkctl airgap`: what crosses to a site without internet."""

import click

from sparkctl.cli.airgap_seed import seed


@click.group(short_help="Sites without internet: seeds for new nodes, signed.")
def airgap() -> None:
    """Prepare what a site without internet needs, with every signature on."""


for command in (seed,):
    airgap.add_command(command)
