"""`sparkctl airgap iso`: one stick that installs the machines of a rack without a network."""

import re
from pathlib import Path

import click

from sparkctl.cli.options import with_format

_FILE = click.Path(path_type=Path, dir_okay=False)


def _digest(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A SHA-256 as `sha256sum` prints it, in lower case."""
    if value is not None and not re.fullmatch("[0-9a-fA-F]{64}", value):
        raise click.BadParameter(f"{value!r} is no SHA-256: it has 64 hexadecimal digits", context, option)
    return value and value.lower()


@click.command()
@click.argument("installer", type=_FILE)
@click.option("--seeds", type=click.Path(path_type=Path), required=True, metavar="DIR", help="A folder of seeds.")
@click.option("--key", type=_FILE, required=True, help="The OpenSSH key that signed the seeds, or its public half.")
@click.option("--out", type=_FILE, required=True, help="The ISO to write; a file that is not there yet.")
@click.option("--sha256", metavar="HEX", callback=_digest, help="What the SHA-256 of INSTALLER must be.")
@click.option("--sums", type=_FILE, help="Or the SHA256SUMS that were published with it,")
@click.option("--sums-signature", type=_FILE, help="their OpenPGP signature [SUMS.gpg],")
@click.option("--keyring", type=_FILE, help="and the keyring of those who publish it.")
@click.option("--hwe", is_flag=True, help="Boot its kernel for new hardware, where INSTALLER brings one.")
@with_format
def iso(
    installer: Path,
    seeds: Path,
    key: Path,
    out: Path,
    sha256: str | None,
    sums: Path | None,
    sums_signature: Path | None,
    keyring: Path | None,
    hwe: bool,
    form: str,
) -> None:
    """Make of the ISO file INSTALLER one that installs the nodes of a folder of seeds by itself, without a network.

    The installer is proven first, and so are the seeds. Only its menu is replaced, and seeds are added; all else stays
    byte for byte, its boot records too, which is proven from what was written. Machines are known by their serial.

    \b
    Example:
      sparkctl airgap iso ubuntu-24.04.3-live-server-arm64.iso --seeds seeds --key ~/.ssh/seed_key \\
        --sums SHA256SUMS --keyring /usr/share/keyrings/ubuntu-archive-keyring.gpg --out rack-b2.iso
    """
    from sparkctl.app.installer_source import SignedSums, Voucher
    from sparkctl.app.seed_iso import IsoRequest, make_iso

    if (sums is None) != (keyring is None) or (sums_signature is not None and sums is None):
        raise click.UsageError("name --sums and --keyring together: a list that nobody signed proves nothing")
    signed = None
    if sums is not None and keyring is not None:
        signed = SignedSums(sums, sums_signature or sums.with_name(f"{sums.name}.gpg"), keyring)
    report = make_iso(IsoRequest(installer, Voucher(sha256, signed), seeds, key, out, hwe))
    if form != "human":
        click.echo(report.model_dump_json())
        return
    nodes = f"{len(report.nodes):,} {'node' if len(report.nodes) == 1 else 'nodes'}"
    vouched = f"signed by {', '.join(report.verified_by)}" if report.verified_by else "of the digest that you named"
    click.echo(
        f"{report.file}: {report.installer}, {vouched}, with the seeds of {nodes}, signed by {report.seeds_signed_by}\n"
        f"  {report.kept:,} files and the boot records are what they were; new: its menu, its sums, and seeds\n"
        f"  SHA-256 {report.sha256}, {report.bytes_written:,} bytes\n"
        f"  → it ERASES every machine that it knows, and holds their password hashes: keep it as you keep keys"
    )
    if report.by_mac:
        click.echo(
            f"  → the inventory names no serial of {', '.join(report.by_mac)}: a firmware rarely tells a stick the MAC"
            f" address, so that you may have to choose them in the menu"
        )
