"""What a shell offers while somebody types a selector."""

import re
from collections.abc import Iterator
from pathlib import Path

from sparkctl.app.places import places
from sparkctl.errors import SparkctlError
from sparkctl.inventory.load import load_fleet
from sparkctl.model.inventory import Fleet

_FIELDS = ("site", "rack", "power_group", "unit", "state")
_LAST_TERM = re.compile(r"(?s)(.*[,&!(\s])?(.*)")


def selectors_like(begun: str, fleet: Path | None) -> list[str]:
    """Selectors that go on as it was begun: nodes, groups and fields; none where the inventory cannot be read."""
    try:
        known = load_fleet(places(fleet, None).fleet)
    except SparkctlError:
        return []
    match = _LAST_TERM.fullmatch(begun)
    before, term = (match[1] or "", match[2]) if match else ("", begun)
    return [before + word for word in dict.fromkeys(_terms(known)) if word.startswith(term)]


def _terms(fleet: Fleet) -> Iterator[str]:
    yield "all"
    for node in fleet.nodes:
        yield node.node_id
    for node in fleet.nodes:
        yield from (f"@{group}" for group in node.groups)
        yield from (f"{name}={value}" for name in _FIELDS if (value := getattr(node, name)) is not None)
        yield from (f"{name}={value}" for name, value in node.labels.items())
