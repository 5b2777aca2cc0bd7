"""`controllers`: list what can change a node, with the exact command of each."""

from __future__ import annotations

import argparse
from typing import Any

from diag.nodekit import document
from diag.nodekit.controller import Asked, Controller
from diag.nodekit.controller_catalogue import load_controllers
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.parameters import Flag, Pairs, Parameter, Words

UNKNOWN_BOOT = "00000000-0000-0000-0000-000000000000"


def run(options: argparse.Namespace, machine: Machine, started: float) -> int:  # noqa: ARG001 - as every command
    """Print the catalogue; returns the exit status."""
    listed = [_describe(name, controller) for name, controller in load_controllers().items()]
    document.write(document.encode({"controllers": listed}), None, "")
    return 0


def _describe(name: str, controller: Controller) -> Document:
    asked = Asked({key: _stand_in(key, kind) for key, kind in controller.parameters.items()}, UNKNOWN_BOOT, _Always())
    return {
        "controller": name,
        "title": controller.title,
        "parameters": {
            key: {"about": kind.about, "required": kind.required, "schema": kind.schema}
            for key, kind in controller.parameters.items()
        },
        "argv": list(controller.argv(asked)),
        "undo": None if controller.undo is None else list(controller.undo(asked)),
        "no_undo": controller.no_undo,
        "needs_before": controller.needs_before,
        "longest_s": controller.longest_s,
    }


def _stand_in(name: str, kind: Parameter) -> Any:
    """What stands for a value in the list: its name in capitals."""
    if isinstance(kind, Flag):
        return False
    word = name.upper()
    return {word: word} if isinstance(kind, Pairs) else (word,) if isinstance(kind, Words) else word


class _Always(dict[str, Any]):
    """For the list: every unit was active before, and what else was observed stands under its name in capitals."""

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002 - as dict has it
        return key.upper() if key.islower() and "." not in key else "active"
