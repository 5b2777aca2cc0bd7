"""`sparkctl airgap`: what crosses to a site without internet."""

import click

from sparkctl.cli.airgap_iso import iso
from sparkctl.cli.airgap_mirror import mirror
from sparkctl.cli.airgap_seed import seed
from sparkctl.cli.airgap_transfer import TRANSFER_COMMANDS


@click.group(short_help="Sites without internet: seeds for new nodes, bundles for media, signed.")
def airgap() -> None:
    """Prepare what a site without internet needs, and carry it there, with every signature on."""


for command in (seed, iso, mirror, *TRANSFER_COMMANDS):
    airgap.add_command(command)
