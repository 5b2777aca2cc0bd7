"""The simulated fleet on the screen."""

import json
from collections.abc import Mapping
from typing import TextIO

from rich.table import Table
from rich.text import Text

from sparkctl.lab.state import Lab
from sparkctl.report.screen import screen_on
from sparkctl.report.words import SIMULATED


def show_lab(lab: Lab, stream: TextIO) -> None:
    """One line a node: what it is and what is wrong with it."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("node", "address", "make", "fault"):
        table.add_column(column)
    for node in lab.nodes:
        table.add_row(node.name, f"{node.address}:{lab.port}", node.make, Text(node.fault or "", "yellow"))
    with screen_on(stream) as console:
        console.print(Text.assemble((SIMULATED, "bold cyan"), f"  {lab.directory}  process {lab.pid}"))
        console.print(table)


def show_kinds(kinds: Mapping[str, str], stream: TextIO) -> None:
    """What simulated nodes can be like, one a line."""
    table = Table.grid(padding=(0, 2))
    for name, description in kinds.items():
        table.add_row(Text(name, "bold"), Text(description))
    with screen_on(stream) as console:
        console.print(Text.assemble((SIMULATED, "bold cyan"), "  what the nodes of a lab can be like"))
        console.print(table)


def write_lab(lab: Lab, stream: TextIO) -> None:
    """One JSON line a node."""
    for node in lab.nodes:
        line = {"node": node.name, "host": node.address, "port": lab.port, "make": node.make, "fault": node.fault}
        stream.write(json.dumps({**line, "simulated": True}) + "\n")


def write_kinds(kinds: Mapping[str, str], stream: TextIO) -> None:
    """One JSON line a kind."""
    for name, description in kinds.items():
        stream.write(json.dumps({"character": name, "description": description}) + "\n")
