"""`sparkctl inventory`: nodes and where they come from."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import selector_argument, with_format, with_places
from sparkctl.errors import ExitCode, UsageError


@click.group(short_help="List, check and show nodes; pin host keys.")
def inventory() -> None:
    """Look at the inventory: fleet.yaml, an Ansible inventory, or a CSV file."""


@inventory.command("list")
@selector_argument
@with_places
@with_format
def list_(selector: tuple[str, ...], fleet: Path | None, state: Path | None, form: str) -> None:
    """List nodes.

    Example: sparkctl inventory list 'rack=a1'
    """
    from sparkctl.app.inventory import nodes
    from sparkctl.app.places import places

    found = nodes(places(fleet, state), ",".join(selector) or "all")
    if form == "human":
        from sparkctl.report.inventory import show_nodes

        show_nodes(found, sys.stdout)
        return
    for node in found:
        click.echo(node.model_dump_json())


@inventory.command()
@click.argument("node")
@with_places
def show(node: str, fleet: Path | None, state: Path | None) -> None:
    """Show one node with every group setting applied, as JSON.

    Example: sparkctl inventory show spark03
    """
    from sparkctl.app.inventory import one_node
    from sparkctl.app.places import places

    click.echo(one_node(places(fleet, state), node).model_dump_json(indent=2))


@inventory.command()
@with_places
@with_format
def check(fleet: Path | None, state: Path | None, form: str) -> int:
    """Find everything that is wrong with the inventory; exit 2 when it cannot be used.

    Example: sparkctl inventory check --fleet hosts.ini
    """
    from sparkctl.app.inventory import problems
    from sparkctl.app.places import places
    from sparkctl.model.vocabulary import Severity

    found = problems(places(fleet, state))
    if form == "human":
        from sparkctl.report.inventory import show_problems

        show_problems(found, sys.stdout)
    else:
        for problem in found:
            click.echo(problem.model_dump_json())
    return ExitCode.USAGE if any(problem.severity is Severity.ERROR for problem in found) else ExitCode.OK


@inventory.command()
@click.argument("selector", nargs=-1, required=True)
@with_places
@click.option("--fingerprint", help="Pin only a key with this fingerprint (SHA256:...); for one node.")
@click.option("--yes", is_flag=True, help="Pin whatever key is shown, without asking. You vouch for the network.")
def pin(selector: tuple[str, ...], fleet: Path | None, state: Path | None, fingerprint: str | None, yes: bool) -> int:
    """Fetch host keys, show their fingerprints, and pin those you confirm.

    Compare the fingerprint with the one on the machine's own screen: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub

    Example: sparkctl inventory pin spark03 --fingerprint SHA256:...
    """
    from sparkctl.app.inventory import accept, candidates
    from sparkctl.app.places import places

    if fingerprint is None and not yes and not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to confirm a fingerprint", hint="give --fingerprint, or --yes if you are sure"
        )
    left_out, here = 0, places(fleet, state)
    for candidate in candidates(here, ",".join(selector)):
        key = candidate.key
        click.echo(f"{candidate.node.node_id}  {key.host}:{key.port}  {key.key_type}  {key.fingerprint}", nl=False)
        if candidate.is_known:
            click.echo("  pinned already")
            continue
        click.echo()
        if candidate.is_new and fingerprint is None and not yes and not click.confirm("Pin this key?"):
            left_out += 1
            continue
        accept(here, candidate, fingerprint)
        click.echo(f"{candidate.node.node_id}  pinned")
    return ExitCode.REFUSED if left_out else ExitCode.OK
