"""Find the controllers by listing their folder, in a checkout and in the streamed program alike."""

from __future__ import annotations

import importlib

import diag.controllers
from diag.nodekit.controller import Controller
from diag.nodekit.listing import modules_of

NO_CONTROLLERS = frozenset({"words"})


def load_controllers() -> dict[str, Controller]:
    """Every controller by its name, which is that of its module with hyphens."""
    names = [name for name in modules_of(diag.controllers) if name not in NO_CONTROLLERS]
    return {name.replace("_", "-"): importlib.import_module(f"diag.controllers.{name}").CONTROLLER for name in names}
