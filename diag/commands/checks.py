"""`checks`: list the checks of `health` and the commands that would need root."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from diag.nodekit import document
from diag.nodekit.catalogue import load_checks
from diag.nodekit.check import LoadedCheck
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:  # noqa: ARG001 - as every command
    """Print the catalogue; returns the exit status."""
    document.write(document.encode({"checks": [_describe(loaded) for loaded in load_checks()]}), None, "")
    return 0


def _describe(loaded: LoadedCheck) -> Document:
    """Id, title, whether required, budget in seconds, commands that need root, thresholds."""
    return {
        "check": loaded.check_id,
        "title": loaded.check.title,
        "required": loaded.check.required,
        "seconds": loaded.check.seconds,
        "elevated": [list(argv) for argv in loaded.check.elevated],
        "thresholds": [asdict(threshold) for threshold in loaded.thresholds],
    }
