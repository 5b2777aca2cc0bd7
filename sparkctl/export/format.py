"""What a format of an export is: a name, its mapping as data, and a pure function from nodes to text."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sparkctl.export.fields import Section
from sparkctl.export.subject import Subject


@dataclass(frozen=True, slots=True)
class Format:
    """One target.

    `pieces` makes the text of nodes, piece by piece; with `streams` a piece is given away as soon as its node is
    known, else all nodes are needed before the first. `of_unknown` says that a node of which nothing is known is
    exported as such; else it is left out. `sections` is the mapping that `pieces` carries out.
    """

    name: str
    title: str
    target: str
    sections: tuple[Section, ...]
    pieces: Callable[[Iterable[Subject]], Iterator[str]]
    streams: bool = True
    of_unknown: bool = True


def line(record: Any) -> str:
    """A JSON document on a line of its own."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def line_for_each(records: Callable[[Subject], Iterable[Any]]) -> Callable[[Iterable[Subject]], Iterator[str]]:
    """A format that is JSON lines, some for each node."""

    def pieces(nodes: Iterable[Subject]) -> Iterator[str]:
        for subject in nodes:
            yield "".join(line(record) for record in records(subject))

    return pieces
