"""`sparkctl bundle`: evidence of nodes, sealed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from sparkctl.evidence.reading import OpenedBundle
    from sparkctl.evidence.verifying import Verified


@click.group()
def bundle() -> None:
    """Collect evidence of nodes into sealed bundles, and read them."""


@bundle.command()
@with_run_options
@with_bundle_options
@click.option("-v", "--verbose", is_flag=True, help="Name all that could not be taken, and costs.")
def collect(
    selector: tuple[str, ...],
    fleet: Path | None,
    state: Path | None,
    form: str,
    out: Path | None,
    key: Path | None,
    named: tuple[str, ...],
    total_size: int | None,
    verbose: bool,
    **bounds: Any,
) -> int:
    """Bring what an engineer will want to read (L2) from each node, redacted and sealed, one file a node.

    Nothing is written to the disk of a node. Names, addresses, serials and secrets are replaced before anything is
    sealed; a bundle in which one is found afterwards is not kept. The reports of NVIDIA's and the distribution's own
    tools are taken when they are named only; they add their time to that of --timeout.

    \b
    Example:
      sparkctl bundle collect spark07 --sign ~/.ssh/id_ed25519
      sparkctl bundle collect rack=a1 --out evidence --total-size 2G
      sparkctl bundle collect spark07 --with nvidia-bug-report --with sosreport=600
    """
    from sparkctl.app.bundle_collect import BundleOptions, collect_bundles

    if bounds["workers"] != 1:
        raise click.UsageError("bundles are sealed in processes of their own already: leave --workers out")
    request = run_request(selector, fleet, state, bounds)
    output = output_for(form, verbose=verbose)
    options = BundleOptions(out=out or Path(), key=key, named=named, total_bytes=total_size)
    return collect_bundles(request, options, output)


_SHOWN_BYTES = 2 * 2**20  # of one entry
with_form = click.option(
    "--format", "form", type=click.Choice(["human", "json"]), help="How to print [human on a terminal, else json]."
)


def form_of(form: str | None) -> str:
    """How to print."""
    return form or ("human" if sys.stdout.isatty() else "json")


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path))
@with_trust
@with_form
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
    say(form_of(form), "\n".join(verified_lines(found)), **verified_fields(found))
    return 0


def _show_entry(opening: "OpenedBundle", found: "Verified", name: str, form: str) -> None:
    from sparkctl.app.bundle_read import whose
    from sparkctl.app.bundle_show import content_of, entry_named
    from sparkctl.model.printable import printable

    wanted = entry_named(opening, name)
    shown = content_of(opening, wanted, _SHOWN_BYTES)
    if form == "human" and found.signed_by is None:
        click.echo(f"sparkctl: {found.path}: {whose(found)}", err=True)
    say(form, shown.text, entry=wanted.path, text=shown.text, binary=shown.binary, left_out=shown.left_out)
    if form == "human" and shown.left_out:
        click.echo(f"sparkctl: {shown.left_out:,} more bytes of {printable(wanted.path)} are not shown", err=True)


def _write_html(opening: "OpenedBundle", found: "Verified", out: Path, form: str) -> None:
    from sparkctl.app.bundle_read import whose
    from sparkctl.app.bundle_show import write_html

    write_html(opening, found, out)
    say(form, f"{out}: the page of {found.path}\n  {whose(found)}", file=str(out), bundle=str(found.path))


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("entry", required=False)
@with_trust
@with_form
@click.option("-v", "--verbose", is_flag=True, help="Say of everything that is missing why.")
@click.option("--html", type=click.Path(path_type=Path), metavar="OUT", help="Write the page for a browser instead.")
def show(
    file: Path,
    entry: str | None,
    allowed_signers: Path | None,
    public_key: Path | None,
    form: str | None,
    verbose: bool,
    html: Path | None,
) -> int:
    """Verify a bundle and print a page about it, or the text of one ENTRY.

    Of an entry that is no text the first bytes are printed in hexadecimal. What could steer a terminal is shown as an
    escape. The page for a browser is one file, with the texts in it; it loads nothing and runs nothing.

    \b
    Example:
      sparkctl bundle show spark07.spark-evidence.tar.zst --public-key ops.pub
      sparkctl bundle show spark07.spark-evidence.tar.zst kernel/dmesg.txt
      sparkctl bundle show spark07.spark-evidence.tar.zst --html spark07.html
    """
    from sparkctl.app.bundle_show import page_of
    from sparkctl.evidence.reading import opened
    from sparkctl.evidence.verifying import verified
    from sparkctl.report.bundle_page import show_page

    if html is not None and (entry is not None or html.exists()):
        raise click.UsageError("--html takes no ENTRY" if entry is not None else f"{html} exists: name another file")
    with opened(file) as opening:
        found = verified(opening, trust_of(allowed_signers, public_key))
        if html is not None:
            _write_html(opening, found, html, form_of(form))
            return 0
        if entry is not None:
            _show_entry(opening, found, entry, form or "human")  # a text stays one in a pipe
            return 0
        page = page_of(opening, found)
    if form_of(form) == "human":
        show_page(page, sys.stdout, verbose=verbose)
    else:
        click.echo(page.model_dump_json())
    return 0


def _recipient(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A name in one printable line."""
    from sparkctl.model.printable import printable

    if value is not None and (not value.strip() or printable(value, 120) != value):
        raise click.BadParameter("the name is one line of 1 to 120 printable characters", context, option)
    return value


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="OUT", help="The bundle to write.")
@click.option("--for", "recipient", callback=_recipient, metavar="RECIPIENT", help="Redact it again for them.")
@click.option("--verbatim", is_flag=True, help="As it was signed, with proofs, and with its stand-ins.")
@click.option("--entry", "globs", multiple=True, metavar="GLOB", help="Only entries of this path, `*` for anything.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="Only this group, as `bundle show` names it.")
@click.option(
    "--sign", "key", type=click.Path(path_type=Path), metavar="KEY", help="Sign with this OpenSSH or PEM key."
)
@with_trust
@with_form
def disclose(
    file: Path,
    out: Path,
    recipient: str | None,
    verbatim: bool,
    globs: tuple[str, ...],
    groups: tuple[str, ...],
    key: Path | None,
    allowed_signers: Path | None,
    public_key: Path | None,
    form: str | None,
) -> int:
    """Verify a bundle, and write a part of it, or all of it, for somebody else.

    With --for it is redacted once more: every name, address and serial gets a stand-in that no other bundle has, so
    that two recipients cannot join what they got. With --verbatim the bytes and the signature hold, and so do the
    stand-ins.

    \b
    Example:
      sparkctl bundle disclose spark07.tar.zst --for "vendor, case 4711" --out vendor.tar.zst
      sparkctl bundle disclose spark07.tar.zst --verbatim --group kernel --out kernel.tar.zst
    """
    from sparkctl.app.bundle_disclose import Choice, disclose_again, disclose_verbatim
    from sparkctl.app.bundle_read import disclosed_fields, disclosed_lines

    trust, choice = trust_of(allowed_signers, public_key), Choice(globs, groups)
    if verbatim:
        if recipient is not None or key is not None:
            raise click.UsageError("--verbatim changes nothing: it takes neither --for nor --sign")
        if not globs and not groups:
            raise click.UsageError("name with --entry or --group what is handed on; all of it is the file as it is")
        made = disclose_verbatim(file, trust, choice, out)
    elif recipient is None:
        raise click.UsageError("say for whom it is (--for), or that it may be as it is (--verbatim)")
    else:
        made = disclose_again(file, trust, choice, out, recipient=recipient, key=key)
    say(form_of(form), "\n".join(disclosed_lines(made, recipient)), **disclosed_fields(made, recipient))
    return 0


@bundle.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@with_trust
@with_form
def diff(old: Path, new: Path, allowed_signers: Path | None, public_key: Path | None, form: str | None) -> int:
    """Verify two bundles of one node, and print what is otherwise: exit 0 when nothing is, 1 when something is.

    Observations are compared and not texts: findings, facts, boots that ended, what is new or missing. Names are
    stand-ins, other ones in each bundle, and are never a change by themselves. Exit 3 when no change was found, but
    not all could be compared.

    \b
    Example:
      sparkctl bundle diff before.tar.zst after.tar.zst --allowed-signers signers
    """
    from sparkctl.app.bundle_diff import diff_bundles, exit_code

    found = diff_bundles(old, new, trust_of(allowed_signers, public_key))
    if form_of(form) == "human":
        from sparkctl.report.bundle_diff import show_diff

        show_diff(found, sys.stdout)
    else:
        click.echo(found.model_dump_json())
    return exit_code(found)
