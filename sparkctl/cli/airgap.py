"""`sparkctl airgap`: what crosses a gap that no network crosses."""

import click

from sparkctl.cli.airgap_transfer import TRANSFER_COMMANDS


@click.group(short_help="Across the air gap: bundles for media, verified, scanned, applied.")
def airgap() -> None:
    """Carry files to a site without a network, so that each side can prove what crossed."""


for command in TRANSFER_COMMANDS:
    airgap.add_command(command)
