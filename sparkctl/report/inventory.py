"""An inventory on the screen."""

from typing import TextIO

from rich.table import Table
from rich.text import Text

from sparkctl.model.inventory import Node, Problem
from sparkctl.model.vocabulary import Severity
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import count

COLUMNS = ("node", "address", "unit", "site", "rack", "state", "groups", "where")


def show_nodes(nodes: list[Node], stream: TextIO) -> None:
    """One line a node; columns that no node fills are left out."""
    rows = [_row(node) for node in nodes]
    used = [index for index in range(len(COLUMNS)) if any(row[index] for row in rows)]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index in used:
        table.add_column(COLUMNS[index], overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[index]) for index in used))
    with screen_on(stream) as console:
        console.print(table)


def _row(node: Node) -> tuple[str, ...]:
    address = node.ssh.host or node.node_id
    address += f":{node.ssh.port}" if node.ssh.port else ""
    name = f"{node.node_id} (simulated)" if node.simulated else node.node_id
    place = (node.unit or "", node.site or "", node.rack or "", node.state or "")
    return (name, address if node.transport != "local" else "local", *place, " ".join(node.groups), node.origin)


def show_problems(problems: list[Problem], stream: TextIO) -> None:
    """One line a problem, with what to do under it."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    with screen_on(stream) as console:
        for problem in problems:
            style = STYLES["fail"] if problem.severity is Severity.ERROR else STYLES["warn"]
            console.print(Text.assemble((problem.severity.value, style), "  ", problem.sentence))
            console.print(Text.assemble("  ", ("→ ", "bold"), problem.action))
        console.print(Text(f"{count(errors, 'error')}, {count(len(problems) - errors, 'warning')}"))
