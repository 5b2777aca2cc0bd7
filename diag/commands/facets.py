"""`facets`: list the facets of `collect` and the commands that would need root."""

from __future__ import annotations

import argparse

from diag.nodekit import document
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.machine import Machine


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:  # noqa: ARG001 - as every command
    """Print the catalogue; returns the exit status."""
    facets = [
        {
            "facet": name,
            "title": task.facet.title,
            "seconds": task.facet.seconds,
            "elevated": [list(argv) for argv in task.facet.elevated],
        }
        for name, task in load_facets().items()
    ]
    document.write(document.encode({"facets": facets}), None, "")
    return 0
