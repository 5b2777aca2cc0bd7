"""`sparkctl program`: the very text that runs on nodes."""

import click

from sparkctl.cli.options import say, with_format_for_files


@click.command(short_help="Print the program that runs on nodes.")
@click.argument("command", type=click.Choice(["health", "collect", "reset-reason", "bundle"]), default="health")
@with_format_for_files
def program(command: str, form: str) -> None:
    """Print the program text that is streamed to nodes for COMMAND [health], to be read, or run there by hand.

    Its SHA-256 is the `program_sha256` of every document.

    Example: sparkctl program > spark_diagctl.py; python3 -I -S spark_diagctl.py health
    """
    from sparkctl.probes.program import bundle
    from sparkctl.resources import shipped

    whole = bundle(shipped("diag"), command)
    if form == "human":
        click.echo(whole.text, nl=False)
        return
    say(
        form,
        "",
        entry=whole.entry,
        sha256=whole.sha256,
        checks=sorted(whole.checks),
        facets=whole.facets,
        text=whole.text.decode(),
    )
