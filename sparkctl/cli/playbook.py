"""`sparkctl playbook`: change nodes by a plan that was approved, and not otherwise."""

import sys
from pathlib import Path

import click

from sparkctl.cli.options import (
    exit_of_problems,
    selector_argument,
    tell_problems,
)
from sparkctl.cli.playbook_options import (
    desk_of,
    limits_of,
    print_documents,
    run_argument,
    with_desk,
    with_desk_for_files,
    with_limits,
)
from sparkctl.cli.playbook_runs import RUN_COMMANDS
from sparkctl.errors import ExitCode


@click.group(short_help="Change nodes by a plan that was approved.")
def playbook() -> None:
    """Plan, approve, run: what changes nodes, in waves, and stops when it should.

    \b
      sparkctl playbook list
      sparkctl playbook plan maintenance/reboot rack=a1
      sparkctl playbook approve RUN --key ~/.ssh/id_ed25519
      sparkctl playbook run RUN
    """


@playbook.command("list")
@with_desk
def list_command(fleet: Path | None, state: Path | None, site: Path | None, form: str) -> None:
    """List the playbooks: those of sparkctl, and those of the site.

    Example: sparkctl playbook list
    """
    from sparkctl.app.playbook_shelf import playbook_files, playbook_named

    rules = desk_of(fleet, state, site).site
    found = [playbook_named(name, rules) for name in playbook_files(rules)]
    if form == "human":
        from sparkctl.report.playbook import show_playbooks

        show_playbooks(found, sys.stdout)
        return
    print_documents(form, found)


@playbook.command()
@click.argument("name", metavar="PLAYBOOK")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["markdown", "html", "ansible"]),
    default="markdown",
    show_default=True,
    help="What to print: the runbook for people, or a play.",
)
@with_desk_for_files
def show(name: str, kind: str, fleet: Path | None, state: Path | None, site: Path | None, form: str) -> None:
    """Print the runbook of PLAYBOOK for people, as Markdown or as a page to be printed; or an Ansible play of it.

    The play has no journal, no approvals and no fencing; it says at its top what else it has not. With `--format json`
    the playbook itself is printed as it was read.

    \b
    Example:
      sparkctl playbook show maintenance/reboot
      sparkctl playbook show monitoring/round --as html > round.html
      sparkctl playbook show monitoring/round --as ansible > round.yaml
    """
    from sparkctl.app.playbook_shelf import playbook_named

    rules = desk_of(fleet, state, site).site
    found = playbook_named(name, rules)
    if form != "human":
        click.echo(found.model_dump_json())
        return
    from sparkctl.report.runbooks import KINDS

    click.echo(KINDS[kind](found, rules.approvals[found.risk]), nl=False)


@playbook.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@with_desk
def check(file: Path | None, fleet: Path | None, state: Path | None, site: Path | None, form: str) -> int:
    """Say everything that is wrong with the playbook FILE; without one, with the site's rules and its playbooks.

    Example: sparkctl playbook check playbooks/maintenance/ours.yaml
    """
    from sparkctl.app.playbook_file import examine_playbook
    from sparkctl.app.playbook_shelf import playbook_files
    from sparkctl.app.playbook_site import examine_site

    desk = desk_of(fleet, state, site)
    if file is not None:
        problems = examine_playbook(file)[1]
    else:
        rules = desk.site_file
        problems = examine_site(rules)[1] if rules is not None else []
        if not problems:
            files = playbook_files(desk.site).values()
            problems = [problem for path in files for problem in examine_playbook(path)[1]]
    tell_problems(problems, form)
    return exit_of_problems(problems)


@playbook.command()
@click.argument("name", metavar="PLAYBOOK")
@selector_argument
@click.option("--set", "said", multiple=True, metavar="NAME=VALUE", help="The value of a parameter.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the plan there, too."
)
@click.option("-v", "--verbose", is_flag=True, help="Show the exact commands.")
@with_limits
@with_desk
def plan(
    name: str,
    selector: tuple[str, ...],
    said: tuple[str, ...],
    out: Path | None,
    verbose: bool,
    timeout: float,
    concurrency: int,
    fleet: Path | None,
    state: Path | None,
    site: Path | None,
    form: str,
) -> int:
    """Say what PLAYBOOK would do to the selected nodes, in which waves and for how long, and keep that as a plan.

    Nodes are asked; nothing is changed on any of them. A node that does not answer, or may not be treated, is left out:
    then the exit code is 3. The plan is approved by its hash, and run by its name.

    \b
    Example:
      sparkctl playbook plan maintenance/reboot rack=a1
      sparkctl playbook plan ota-update spark[01-16] --set packages=dgx-release=7.4.0
    """
    from sparkctl.app.playbook_desk import write_plan
    from sparkctl.app.playbook_parts import state_of_nodes
    from sparkctl.app.playbook_plan import PlanRequest, make_plan, utc_now
    from sparkctl.app.playbook_shelf import playbook_named
    from sparkctl.store.store import Store

    desk = desk_of(fleet, state, site)
    rules = desk.site
    found = playbook_named(name, rules)
    with Store.open(desk.places.state) as store:
        request = PlanRequest(
            places=desk.places,
            playbook=found,
            site=rules,
            selector=",".join(selector) or "all",
            values=_pairs(said),
            limits=limits_of(timeout, concurrency),
            state_of=state_of_nodes(store),
        )
        made = make_plan(request, store, utc_now())
    if out is not None:
        write_plan(made, out)
    if form == "human":
        from sparkctl.report.playbook import show_plan

        show_plan(made, sys.stdout, verbose=verbose)
    else:
        click.echo(made.model_dump_json())
    return ExitCode.UNJUDGED if made.left_out else ExitCode.OK


def _pairs(said: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for words in said:
        name, equals, value = words.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{words!r} is not NAME=VALUE", param_hint="--set")
        if name in found:
            raise click.BadParameter(f"{name} stands twice", param_hint="--set")
        found[name] = value
    return found


@playbook.command()
@run_argument
@click.option("--key", type=click.Path(path_type=Path), help="Key to sign with; an agent may hold its private part.")
@click.option("--signature", type=click.Path(path_type=Path), help="A signature that was made elsewhere.")
@with_desk
def approve(
    run_id: str,
    key: Path | None,
    signature: Path | None,
    fleet: Path | None,
    state: Path | None,
    site: Path | None,
    form: str,
) -> None:
    """Approve the plan RUN by an OpenSSH signature over its hash.

    Who may approve is in the file that `allowed_signers` of the site's rules names. The namespace of the signature is
    that of the plan's risk: spark-approve-reversible, spark-approve-disruptive, spark-approve-destructive.

    \b
    Example:
      sparkctl playbook approve RUN --key ~/.ssh/id_ed25519
      echo HASH | ssh-keygen -Y sign -f KEY -n spark-approve-disruptive > plan.sig
      sparkctl playbook approve RUN --signature plan.sig
    """
    from sparkctl.app.playbook_approval import approval_by_key, approval_by_signature
    from sparkctl.app.playbook_plan import utc_now
    from sparkctl.app.playbook_status import status_of
    from sparkctl.store.store import Store

    if (key is None) == (signature is None):
        raise click.UsageError("name one of --key and --signature")
    desk, now = desk_of(fleet, state, site), utc_now()
    rules = desk.site
    with Store.open(desk.places.state, create=False) as store:
        made = store.journals.plan(run_id)
        if key is not None:
            approval = approval_by_key(made, key, rules, now)
        else:
            assert signature is not None  # noqa: S101 - one of them was named
            approval = approval_by_signature(made, signature, rules, now)
        store.journals.approve(run_id, approval)
        status = status_of(store, run_id, rules, now)
    if form == "human":
        click.echo(f"{approval.principal} approved {run_id}; {status.why}")
        click.echo(f"  → {status.next}")
    else:
        click.echo(status.model_dump_json())


for command in RUN_COMMANDS:
    playbook.add_command(command)
