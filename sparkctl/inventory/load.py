"""The door of the inventory: load a fleet, or list everything that is wrong with it."""

from pathlib import Path
from typing import Any

from sparkctl.errors import UsageError
from sparkctl.inventory.audit import audit
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.ranges import natural_key
from sparkctl.inventory.resolve import Resolved, resolve
from sparkctl.inventory.sources import read_sources
from sparkctl.model.inventory import Fleet, Problem, SshSettings
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Severity

_NO_SSH = SshSettings()  # most nodes say nothing of it, and one for all is made once


def load_fleet(path: Path) -> Fleet:
    """Read a fleet file, an Ansible inventory or a CSV file, with everything it includes.

    Raises UsageError for the first error that `check_fleet` would list, with file, line and key.
    """
    problems = Problems()
    nodes, sources = _read(path, problems)
    errors = [problem for problem in problems.listed() if problem.severity is Severity.ERROR]
    if errors:
        raise _usage_error(errors)
    nodes.sort(key=lambda node: natural_key(node.draft.name))
    # One validation of them all costs half of what one of each node would.
    return Fleet.model_validate({"nodes": [_node(node) for node in nodes], "sources": sources})


def check_fleet(path: Path) -> list[Problem]:
    """Return everything that is wrong with an inventory, file by file from top to bottom; empty when nothing is."""
    problems = Problems()
    _read(path, problems)
    return problems.listed()


def _read(path: Path, problems: Problems) -> tuple[list[Resolved], list[str]]:
    draft, files = read_sources(path, problems)
    nodes = resolve(draft, files)
    audit(draft, nodes)
    if not nodes and not problems.has_errors():
        problems.error(Where(str(path)), "the inventory describes no node", "Write at least one name under `nodes:`.")
    return nodes, draft.sources


def _usage_error(errors: list[Problem]) -> UsageError:
    first, more = errors[0], len(errors) - 1
    hint = first.action
    if more:
        hint += f" `sparkctl inventory check` lists {more:,} more {'error' if more == 1 else 'errors'}."
    return UsageError(first.sentence, hint=hint)


def _node(resolved: Resolved) -> dict[str, Any]:
    """The fields of a node; a setting `ssh.port` is the field `port` of `ssh`."""
    where = resolved.draft.where
    node: dict[str, Any] = {
        "node_id": resolved.draft.name,
        "ssh": {},
        "labels": {},
        "groups": resolved.groups,
        "origin": printable(f"{where.file}:{where.line}", 1000),
    }
    for key, setting in resolved.settings.items():
        part, dot, name = key.partition(".")
        if dot:
            node[part][name] = setting.value
        else:
            node[key] = setting.value
    return node if node["ssh"] else node | {"ssh": _NO_SSH}
