"""Every check against its recorded cases; a case file beside `diag/checks/NAME.py` is `cases/NAME.yaml`."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.catalogue import check_modules, load_checks
from diag.nodekit.catalogue import elevated_commands as declared_commands
from diag.nodekit.check import LoadedCheck, check_id
from diag.nodekit.document import encode
from diag.nodekit.judge import Observation
from diag.nodekit.machine import Machine
from sparkctl.model.health import Finding
from tests.support.cases import load_cases as cases_in
from tests.support.trees import build_tree

CASES = Path(__file__).parent / "cases"
EVALUATED = {"pass", "warn", "fail"}


def load_cases(name: str) -> list[dict[str, Any]]:
    """The cases of one check, with the parts under `base` put below each of them."""
    return cases_in(CASES / f"{name}.yaml")


def every_case() -> list[Any]:
    """All cases of all checks, as pytest parameters."""
    return [
        pytest.param(name, case, id=f"{name}-{case['name'].replace(' ', '_')}")
        for name in check_modules()
        if (CASES / f"{name}.yaml").exists()
        for case in load_cases(name)
    ]


def judge(name: str, root: Path, elevation: str = "none") -> Finding:
    """The finding of one check on a tree, validated as the bastion validates it."""
    module = importlib.import_module(f"diag.checks.{name}")
    loaded = LoadedCheck(check_id(name), module.CHECK, module.observe, module.evaluate)
    machine = Machine(str(root), elevation, frozenset(loaded.check.elevated))
    findings, bugs = Observation([loaded]).judge(machine)
    assert bugs == []
    return Finding.model_validate_json(encode(findings[0]))


@pytest.mark.parametrize(("name", "case"), every_case())
def test_case(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    build_tree(
        tmp_path, files=case["files"], links=case["links"], commands=case["commands"], facts=case.get("facts", {})
    )
    finding = judge(name, tmp_path, case.get("elevation", "none"))
    expected = case["expect"]
    assert {key: str(getattr(finding, key)) for key in expected if key != "words"} == {
        key: str(value) for key, value in expected.items() if key != "words"
    }
    for words in expected.get("words", []):
        assert words in f"{finding.summary} {finding.action or ''}"


@pytest.mark.parametrize("name", check_modules())
def test_every_check_has_cases_that_evaluate_and_cases_that_cannot(name: str) -> None:
    statuses = {case["expect"]["status"] for case in load_cases(name)}
    assert statuses & EVALUATED
    assert statuses - EVALUATED


def test_ids_are_unique_and_commands_exact() -> None:
    checks = load_checks()
    ids = [loaded.check_id for loaded in checks]
    assert len(ids) == len(set(ids))
    for argv in declared_commands(checks):
        assert not any(character in part for part in argv for character in "*?[]!\\,:=# ")
