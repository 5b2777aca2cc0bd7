"""Collect facets of trees, and read recorded cases; a case file beside `diag/facets/NAME.py` is `cases/NAME.yaml`.

A case lays out a tree and states what must come of it: `data` and `volatile` map dotted paths to values (null: absent),
`gaps` maps the path of every gap to its reason.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.document import encode
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.machine import Machine
from sparkctl.model.facets.catalogue import FACETS, Facets
from tests.support.cases import load_cases as cases_in

CASES = Path(__file__).parent / "cases"


def load_cases(name: str) -> list[dict[str, Any]]:
    return cases_in(CASES / f"{name}.yaml")


def every_case() -> list[Any]:
    return [
        pytest.param(name, case, id=f"{name}-{case['name'].replace(' ', '_')}")
        for name in FACETS
        for case in load_cases(name)
    ]


def collected(name: str, root: Path, elevation: str) -> dict[str, Any]:
    """One facet of a tree, validated as the bastion validates it, with the nulls that the model adds."""
    task = load_facets()[name]
    machine = Machine(str(root), elevation, frozenset(task.facet.elevated))
    documents, bugs = task.judge(machine)
    assert bugs == []
    document = {key: value for key, value in documents[0].items() if key != "facet"}
    facets = Facets.model_validate_json(encode({name: document}))
    whole: dict[str, Any] = json.loads(facets.model_dump_json())[name]
    return whole


def at(document: Any, path: str) -> Any:
    """The value at a dotted path; `[...]` holds a name with other characters, None where there is nothing."""
    for step in steps(path):
        if document is None:
            return None
        document = document.get(step)
    return document


def steps(path: str) -> list[str]:
    found: list[str] = []
    rest = path
    while rest:
        if rest.startswith("["):
            name, _, rest = rest[1:].partition("]")
        else:
            cut = min((rest.find(mark) for mark in ".[" if mark in rest), default=len(rest))
            name, rest = rest[:cut], rest[cut:]
        found.append(name)
        rest = rest.removeprefix(".")
    return found
