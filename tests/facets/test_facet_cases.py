"""Every facet against its recorded cases."""

from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.facet_catalogue import load_facets
from sparkctl.model.facets.catalogue import FACETS
from tests.facets.harness import at, collected, every_case, load_cases
from tests.support.trees import build_tree


@pytest.mark.parametrize(("name", "case"), every_case())
def test_case(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    build_tree(
        tmp_path, files=case["files"], links=case["links"], commands=case["commands"], facts=case.get("facts", {})
    )
    whole, expected = collected(name, tmp_path, case.get("elevation", "none")), case["expect"]
    for part in ("data", "volatile"):
        wanted = expected.get(part, {})
        assert {path: at(whole[part], path) for path in wanted} == wanted
    assert {gap["path"]: gap["reason"] for gap in whole["gaps"]} == expected.get("gaps", {})


@pytest.mark.parametrize("name", FACETS)
def test_every_facet_has_a_case_with_gaps_and_one_without(name: str) -> None:
    gaps = [bool(case["expect"].get("gaps")) for case in load_cases(name)]
    assert set(gaps) == {True, False}


def test_the_models_and_the_node_name_the_same_facets() -> None:
    assert set(load_facets()) == set(FACETS)
