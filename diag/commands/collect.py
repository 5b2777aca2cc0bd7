"""`collect`: say what the machine is, facet by facet, and judge nothing."""

from __future__ import annotations

import argparse
import sys

from diag.nodekit import envelope
from diag.nodekit.facet import merged
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.workers import Results

EXIT_USAGE = 2


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:
    """Print the facts document; returns the exit status."""
    facets = load_facets()
    wanted = options.facets.split(",") if options.facets else list(facets)
    if unknown := sorted(set(wanted) - facets.keys()):
        print(f"spark_diagctl: no facet {', '.join(unknown)}; there are {', '.join(facets)}", file=sys.stderr)
        return EXIT_USAGE
    tasks = [facets[name] for name in wanted]
    machine.elevated_commands = frozenset(argv for task in tasks for argv in task.facet.elevated)

    def data(results: Results) -> Document:
        pieces = [piece for piece in results.documents if "facet" in piece]
        found = {name: merged([piece for piece in pieces if piece["facet"] == name]) for name in wanted}
        return {"facets": {name: _without_name(facet) for name, facet in found.items()}}

    drops = [(drop.part, drop.apply) for task in tasks for drop in task.drops]
    pieces = [piece for task in tasks for piece in task.pieces]
    return envelope.run(options, machine, pieces, schema="sparkctl.facts/1", data=data, drops=drops, started=started)


def _without_name(part: Document) -> Document:
    return {key: value for key, value in part.items() if key != "facet"}
