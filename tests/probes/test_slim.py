"""Slimming changes comments and docstrings, and nothing else."""

import ast
from pathlib import Path

import pytest

from sparkctl.probes.slim import slim
from sparkctl.resources import shipped

SOURCES = sorted(path for folder in ("diag",) for path in shipped(folder).rglob("*.py"))


def without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = ""
    return ast.dump(tree)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_node_module_means_the_same(path: Path) -> None:
    source = path.read_text("utf-8")
    slimmed = slim(source)
    assert without_docstrings(slimmed) == without_docstrings(source)
    assert len(slimmed.splitlines()) == len(source.splitlines())


def test_what_goes_and_what_stays() -> None:
    source = (
        '"""Words\nof a module."""\n'
        "x = '# not a comment'  # a comment\n"
        "def f():\n"
        '    """Doc."""  # and a comment\n'
        "    # alone\n"
        '    return """a value"""\n'
        "url = f'{x}#{x}'  # end\n"
    )
    assert slim(source) == (
        '""\n\nx = \'# not a comment\'\ndef f():\n    ""\n\n    return """a value"""\nurl = f\'{x}#{x}\'\n'
    )
