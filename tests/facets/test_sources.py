"""A source that fails is never taken for a thing that is gone: what depends on it is covered by a gap."""

import errno
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.command import Ran
from diag.nodekit.document import encode
from diag.nodekit.facet_catalogue import load_facets
from diag.nodekit.machine import Machine
from sparkctl.model.facets.catalogue import FACETS, Facets
from sparkctl.model.facets.difference import Kind, differences, leaves, value_at
from sparkctl.model.facets.paths import to_text
from tests.facets.test_makes import trees

Source = str | tuple[str, ...]
"""A path, or the argv of a command."""
RECORDED = "/cmd/"  # where a tree keeps its commands; a node has no such thing
MANY = ("hardware", "network")  # hundreds of sources
OTHERS = ("dell", "hp", "msi")  # of other words, fillers and drives than the founders make


class Failing(Machine):
    """A machine of which one source fails, a file with `number` and a command by taking too long."""

    failing: Source | None = None
    number = errno.EIO

    def __init__(self, root: Path) -> None:
        super().__init__(str(root), "root")
        self.asked: dict[Source, None] = {}

    def _locate(self, path: str, *, follow_last: bool = True) -> str:
        self.asked[path] = None
        if path == self.failing:
            raise OSError(self.number, "simulated", path)
        return super()._locate(path, follow_last=follow_last)

    def _replay(self, argv: tuple[str, ...], seconds: float, limit: int) -> Ran:
        self.asked[argv] = None
        if argv == self.failing:
            raise TimeoutError(f"{argv[0]} did not end within {seconds:g} s")
        return super()._replay(argv, seconds, limit)


def collected(name: str, machine: Failing) -> dict[str, Any]:
    """A facet as the bastion compares it."""
    documents, bugs = load_facets()[name].judge(machine)
    assert bugs == []
    document = {key: value for key, value in documents[0].items() if key != "facet"}
    facet = getattr(Facets.model_validate_json(encode({name: document})), name)
    compared: dict[str, Any] = json.loads(facet.text)
    return compared


def untold(name: str, root: Path, choose: Callable[[list[Source]], list[Source]], number: int) -> dict[Source, Any]:
    """What looks like a change when a source fails, by the source; a gap over the whole facet counts as well."""
    whole = Failing(root)
    before = collected(name, whole)
    assert before["gaps"] == {}
    sources = [source for source in whole.asked if not (isinstance(source, str) and source.startswith(RECORDED))]
    found: dict[Source, Any] = {}
    for source in choose(sources):
        machine = Failing(root)
        machine.failing, machine.number = source, number
        after = collected(name, machine)
        changes = [one for one in differences(before, after) if one.kind is not Kind.UNREADABLE]
        whole_facet = ["the whole facet"] * ("" in after["gaps"])
        if wrong := [*changes, *guesses(before, after), *whole_facet]:
            found[source] = wrong
    return found


def guesses(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Flags and numbers that came out otherwise than with all sources, a gap above them or not: nobody knows them."""
    return [
        f"{to_text(path)} is {value}"
        for path, value in leaves(after["data"])
        if isinstance(value, bool | int | float) and value_at(before, path) not in (None, value)
    ]


def one_of_a_kind(sources: list[Source]) -> list[Source]:
    """Of the files with the same name but for numbers, the last; all commands."""
    kinds = {(unnumbered(one.rpartition("/")[2]) if isinstance(one, str) else one): one for one in sources}
    return list(kinds.values())


def one_of_a_number(sources: list[Source]) -> list[Source]:
    """Of those that differ in their numbers only, the last."""
    return list({unnumbered(str(source)): source for source in sources}.values())


def unnumbered(text: str) -> str:
    return re.sub(r"[0-9a-f:.]*\d[0-9a-f:.]*", "0", text)


def in_which_stage(name: str, make: str) -> list[pytest.MarkDecorator]:
    """A facet with many sources takes seconds; the gate tries each of them on one of the other makes."""
    if name not in MANY:
        return []
    return [pytest.mark.slow] + [pytest.mark.thorough] * ((name, make) not in (("hardware", "dell"), ("network", "hp")))


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The tree of a node of a make, as root sees it."""
    return cache(lambda make: trees(make, tmp_path_factory.mktemp(make))[1])


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, marks=[pytest.mark.thorough] * (name in MANY and number == errno.EACCES))
        for name in FACETS
        for number in (errno.EIO, errno.EACCES)
    ],
)
def test_a_source_that_fails_is_no_change(name: str, number: int, roots: Callable[[str], Path]) -> None:
    choose = one_of_a_kind if name in MANY else list
    assert untold(name, roots("founders"), choose, number) == {}


@pytest.mark.parametrize(
    ("name", "make"),
    [pytest.param(name, make, marks=in_which_stage(name, make)) for name in FACETS for make in OTHERS],
)
def test_a_source_that_fails_on_another_make_is_no_change(name: str, make: str, roots: Callable[[str], Path]) -> None:
    choose = one_of_a_kind if name in MANY else list
    assert untold(name, roots(make), choose, errno.EIO) == {}


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("name", MANY)
def test_more_sources_that_fail_are_no_change(name: str, roots: Callable[[str], Path]) -> None:
    assert untold(name, roots("founders"), one_of_a_number, errno.EIO) == {}
