"""`sparkctl program`: the very text that runs on nodes."""

import click


@click.command(short_help="Print the program that runs on nodes.")
def program() -> None:
    """Print the program text that is streamed to nodes, to be read, or run there by hand.

    Its SHA-256 is the `program_sha256` of every document.

    Example: sparkctl program > spark_diagctl.py; python3 -I -S spark_diagctl.py health
    """
    from sparkctl.probes.program import bundle
    from sparkctl.resources import shipped

    click.echo(bundle(shipped("diag")).text, nl=False)
