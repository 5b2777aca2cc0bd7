"""`sparkctl demo`: the whole thing on a simulated fleet."""

import sys

import click

from sparkctl.errors import ExitCode


@click.command()
@click.option("--nodes", type=click.IntRange(1, 500), default=24, show_default=True, help="How many simulated nodes.")
def demo(nodes: int) -> int:
    """Judge a simulated fleet, some of it broken and some of it hostile, and take it down again.

    Everything happens on loopback and in a temporary folder. Exit 0 means that the demo ran, not that all nodes are
    well.

    Example: sparkctl demo
    """
    from sparkctl.app.demo import run_demo

    run_demo(nodes, sys.stdout, sys.stderr)
    return ExitCode.OK
