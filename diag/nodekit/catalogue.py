"""Find the checks by listing their folder, in a checkout and in the streamed program alike."""

from __future__ import annotations

import importlib

import diag.checks
from diag.nodekit.check import Check, LoadedCheck, check_id
from diag.nodekit.finding import Threshold
from diag.nodekit.listing import modules_of


def check_modules() -> list[str]:
    """Sorted names of the check modules."""
    return modules_of(diag.checks)


def load_checks() -> list[LoadedCheck]:
    """Import every check; a module without the three names is an error of whoever wrote it."""
    return [_load(name) for name in check_modules()]


def elevated_commands(checks: list[LoadedCheck]) -> frozenset[tuple[str, ...]]:
    """Every argv that some check declares as needing root."""
    return frozenset(argv for loaded in checks for argv in loaded.check.elevated)


def _load(name: str) -> LoadedCheck:
    module = importlib.import_module(f"diag.checks.{name}")
    check: Check = module.CHECK
    thresholds = tuple(value for value in vars(module).values() if isinstance(value, Threshold))
    return LoadedCheck(check_id(name), check, module.observe, module.evaluate, thresholds)
