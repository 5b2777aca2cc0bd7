"""The source of a module that runs as an act's command, as it stands in a checkout or in the streamed program."""

from __future__ import annotations

import importlib

PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")


def program(name: str) -> tuple[str, ...]:
    """The command that runs a module of the node kit, which imports nothing of ours; its arguments follow."""
    full = f"diag.nodekit.{name}"
    loader = importlib.import_module(full).__loader__
    return (*PYTHON, str(loader.get_source(full)))  # type: ignore[union-attr]
