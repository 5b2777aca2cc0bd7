"""`sparkctl airgap mirror ca`: the certificates with which a site signs what it mirrors."""

from pathlib import Path

import click

from sparkctl.cli.options import say, with_format

_PATH = click.Path(path_type=Path)
_DAYS = click.IntRange(1, 7300)


def _name(context: click.Context, option: click.Parameter, value: str) -> str:
    """A name that stands in certificates."""
    if not 1 <= len(value) <= 40 or not value.isprintable():
        raise click.BadParameter("write a printable name of 1 to 40 characters", context, option)
    return value


@click.group("ca", short_help="The site's own certificates, with which it signs what it mirrors.")
def mirror_ca() -> None:
    """Make certificates with which the site signs what it mirrors, and that clients are given to trust."""


@mirror_ca.command("firmware", short_help="Make a CA for firmware, and a certificate to sign it with.")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="The folder in which the files are made.")
@click.option("--name", default="Site", show_default=True, callback=_name, help="Whose they are, as fwupd shows it.")
@click.option("--from", "ca", type=_PATH, metavar="DIR", help="Have the CA in DIR issue one more signing certificate.")
@click.option("--days", type=_DAYS, default=730, show_default=True, help="How long the signing certificate is valid.")
@click.option("--ca-days", type=_DAYS, default=3650, show_default=True, help="How long a new CA is valid.")
@with_format
def firmware(out: Path, name: str, ca: Path | None, days: int, ca_days: int, form: str) -> None:
    """Make a CA for firmware, and a certificate to sign it with; nothing is overwritten.

    `firmware-sign.pem` and `firmware-sign.key` are `sign_cert` and `sign_key` in mirror.yaml. The key of the CA is
    needed again only for the next signing certificate: keep `firmware-ca.key` on a medium in a safe.

    \b
    Example:
      sparkctl airgap mirror ca firmware --out /media/safe/firmware-ca --name "Example Site"
      sparkctl airgap mirror ca firmware --out keys/2027 --from /media/safe/firmware-ca
    """
    from sparkctl.app.airgap_files import utc_now
    from sparkctl.app.mirror_ca import firmware_ca, firmware_signing

    if ca is None:
        made = firmware_ca(out, name, utc_now(), days=days, ca_days=ca_days)
    else:
        made = firmware_signing(out, ca, name, utc_now(), days=days)
    words = "\n".join(str(file) for file in made.files)
    words += f"\nclients refuse what it signs from {made.valid_until:%Y-%m-%d} on: make the next one before"
    say(form, words, files=[str(file) for file in made.files], valid_until=made.valid_until.isoformat())
