"""`sparkctl sudoers`: what a node must allow for `elevation: commands`."""

import re

import click

from sparkctl.cli.options import say, with_format_for_files


@click.command(short_help="Print the sudoers rules for elevation: commands.")
@click.option("--user", default="sparkctl", show_default=True, help="The account that sparkctl logs in as.")
@click.option(
    "--with", "named", multiple=True, metavar="NAME[=SECONDS]", help="Allow this report: nvidia-bug-report, sosreport."
)
@with_format_for_files
def sudoers(user: str, named: tuple[str, ...], form: str) -> None:
    """Print the sudoers drop-in for nodes with `elevation: commands`.

    It allows exactly the commands that checks, facets, reset-reason and bundles declare, with their exact arguments.
    The reports of tools of other makers are among them where they are named, each with its limit of seconds.

    \b
    Example:
      sparkctl sudoers --user ops > 60-sparkctl
      sparkctl sudoers --with nvidia-bug-report --with sosreport=600 > 60-sparkctl
    """
    from sparkctl.app.sudo_rules import collected_commands, elevated_commands, reporting_commands, sudoers_text

    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise click.UsageError(f"{user!r} is not a user name")
    if form == "human":
        click.echo(sudoers_text(user, named), nl=False)
        return
    for argv, checks in (elevated_commands() | collected_commands() | reporting_commands(named)).items():
        say(form, "", user=user, argv=argv, checks=checks)
