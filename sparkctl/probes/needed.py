"""Which modules of `diag/` a program needs: those it imports, those they import, and whole folders that are listed.

A module that says `import diag.checks` lists that folder, so all of it comes along.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from sparkctl.errors import SparkctlError


def needed(diag: Path, roots: Iterable[str]) -> dict[str, Path]:
    """The sources of `roots` and of all that they import, by module name, sorted.

    Raises SparkctlError for a module of `diag` that does not exist.
    """
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _source(diag, name)
        found[name] = path
        parent = name.rpartition(".")[0]
        waiting += [*([parent] if parent else []), *_imports(path, diag)]
    return dict(sorted(found.items()))


def _source(diag: Path, name: str) -> Path:
    place = diag.joinpath(*name.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    raise SparkctlError(f"the program needs the module {name}, and {diag} has none")


def _imports(path: Path, diag: Path) -> Iterator[str]:
    """The modules of `diag` that a source names, with every member of a folder that is imported itself."""
    for module, names in _named(path.read_text("utf-8")):
        yield from _from(module, names, diag) if names else _listed(module, diag)


@cache  # our programs have many modules in common
def _named(source: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The modules of `diag` that a source imports, each with the names that are taken from it; none is all of it."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found.append((node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
    return tuple((module, names) for module, names in found if module.split(".")[0] == "diag")


def _from(module: str, names: Iterable[str], diag: Path) -> Iterator[str]:
    """`from diag.nodekit import document` names a module, `from diag.nodekit.document import fit` does not."""
    folder = diag.joinpath(*module.split(".")[1:])
    yield module
    yield from (f"{module}.{name}" for name in names if (folder / f"{name}.py").is_file())


def _listed(name: str, diag: Path) -> Iterator[str]:
    yield name
    folder = diag.joinpath(*name.split(".")[1:])
    yield from (f"{name}.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__")
