"""`sparkctl inventory`: nodes and where they come from."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import say, selector_argument, tell_problems, with_format, with_places
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
    from sparkctl.app.inventory import selection
    from sparkctl.app.places import places

    found = selection(places(fleet, state), ",".join(selector) or "all")
    if form == "human":
        from sparkctl.report.inventory import show_nodes

        show_nodes(found.nodes, sys.stdout)
        return
    if form == "json":
        click.echo(found.model_dump_json())
        return
    for node in found.nodes:
        click.echo(node.model_dump_json())


@inventory.command()
@click.argument("node")
@with_places
@with_format
def show(node: str, fleet: Path | None, state: Path | None, form: str) -> None:
    """Show one node with every group setting applied, as JSON.

    Example: sparkctl inventory show spark03
    """
    from sparkctl.app.inventory import one_node
    from sparkctl.app.places import places

    found = one_node(places(fleet, state), node)
    click.echo(found.model_dump_json(indent=2 if form == "human" else None))


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
    tell_problems(found, form)
    return ExitCode.USAGE if any(problem.severity is Severity.ERROR for problem in found) else ExitCode.OK


@inventory.command()
@click.argument("selector", nargs=-1, required=True)
@with_places
@click.option("--fingerprint", help="Pin only a key with this fingerprint (SHA256:...); for one node.")
@click.option("--yes", is_flag=True, help="Pin whatever key is shown, without asking. You vouch for the network.")
@with_format
def pin(
    selector: tuple[str, ...], fleet: Path | None, state: Path | None, fingerprint: str | None, yes: bool, form: str
) -> int:
    """Fetch host keys, show their fingerprints, and pin those you confirm.

    Compare the fingerprint with the one on the machine's own screen: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub

    Example: sparkctl inventory pin spark03 --fingerprint SHA256:...
    """
    from sparkctl.app.inventory import Unreached, accept, candidates, refuse_wrong
    from sparkctl.app.places import places

    if fingerprint is None and not yes and not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to confirm a fingerprint", hint="give --fingerprint, or --yes if you are sure"
        )
    unpinned, here = 0, places(fleet, state)
    for candidate in candidates(here, ",".join(selector)):
        name = candidate.node.node_id
        if isinstance(candidate, Unreached):
            say(form, f"{name}  not pinned: {candidate.why}", node=name, pinned=False, why=candidate.why)
            unpinned += 1
            continue
        key = candidate.key
        if form == "human":
            click.echo(f"{name}  {key.host} port {key.port}  {key.key_type}  {key.fingerprint}")
        refuse_wrong(candidate, fingerprint)
        confirmed = candidate.is_known or fingerprint is not None or yes or click.confirm("Pin this key?", err=True)
        if confirmed and not candidate.is_known:
            accept(here, candidate)
        unpinned += not confirmed
        words = "pinned already" if candidate.is_known else "pinned" if confirmed else "not pinned"
        say(
            form,
            f"{name}  {words}",
            node=name,
            pinned=confirmed,
            host=key.host,
            port=key.port,
            key_type=key.key_type,
            fingerprint=key.fingerprint,
        )
    return ExitCode.UNJUDGED if unpinned else ExitCode.OK
