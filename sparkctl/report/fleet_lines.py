"""The report of a fleet for programs: the pages of nodes as they come, and the page of the fleet last."""

from typing import Protocol, TextIO

from sparkctl.model.fleet_page import FleetPage
from sparkctl.model.node_page import NodePage


class PageOutput(Protocol):
    """Takes the pages of nodes as they come, then that of the fleet."""

    def node(self, page: NodePage) -> None:
        """One node is done."""

    def fleet(self, page: FleetPage) -> None:
        """All are done."""


class PageLines:
    """A line for each page."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def node(self, page: NodePage) -> None:
        """Print the page as one line."""
        self._stream.write(page.model_dump_json() + "\n")

    def fleet(self, page: FleetPage) -> None:
        """Print the page as one line."""
        self._stream.write(page.model_dump_json() + "\n")
        self._stream.flush()


class PageDocument:
    """One JSON object, `{"nodes": [...], "fleet": {...}}`, written as the pages come."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before = '{"nodes":[\n'

    def node(self, page: NodePage) -> None:
        """Add a node."""
        self._stream.write(self._before + page.model_dump_json())
        self._before = ",\n"

    def fleet(self, page: FleetPage) -> None:
        """Add the fleet and close the object."""
        opening = '{"nodes":[' if self._before.startswith("{") else "\n"
        self._stream.write(f'{opening}],"fleet":{page.model_dump_json()}}}\n')
        self._stream.flush()


def json_output(form: str, stream: TextIO) -> PageOutput:
    """The output for `json` or `jsonl`."""
    return PageDocument(stream) if form == "json" else PageLines(stream)
