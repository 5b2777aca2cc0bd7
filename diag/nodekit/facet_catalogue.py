"""Find the facets by listing their folder, in a checkout and in the streamed program alike."""

from __future__ import annotations

import importlib

import diag.facets
from diag.nodekit.facet import FacetTask
from diag.nodekit.listing import modules_of


def load_facets() -> dict[str, FacetTask]:
    """Every facet by its name, which is that of its module."""
    return {name: _load(name) for name in modules_of(diag.facets)}


def _load(name: str) -> FacetTask:
    module = importlib.import_module(f"diag.facets.{name}")
    return FacetTask(name, module.FACET, module.collect, getattr(module, "DROPS", ()), getattr(module, "APART", ()))
