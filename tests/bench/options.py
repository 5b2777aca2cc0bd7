"""What the command lines of the benchmarks have in common."""

import argparse
from pathlib import Path

from tests.bench import peers


def parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """A command line whose help is the text of the benchmark, as it is written."""
    return argparse.ArgumentParser(
        prog=f"python -m tests.bench.{name}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_concurrency(to: argparse.ArgumentParser) -> None:
    """How many nodes are visited at once."""
    to.add_argument("--concurrency", type=int, default=50, help="nodes at once (default %(default)s)")


def add_peers_venv(to: argparse.ArgumentParser) -> None:
    """Where the clients are that sparkctl is compared with."""
    words = "where peers are installed (default %(default)s)"
    to.add_argument("--peers-venv", type=Path, default=peers.default_folder(), help=words)
