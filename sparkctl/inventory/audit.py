"""What can only be seen once every node has its settings: names, addresses, serials, units and key files."""

import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sparkctl.inventory.draft import FleetDraft, Setting
from sparkctl.inventory.problems import Problems
from sparkctl.inventory.resolve import Resolved
from sparkctl.inventory.values import SCALARS
from sparkctl.model.base import NodeId
from sparkctl.model.printable import printable

_DEFAULT_PORT = "22"


def audit(draft: FleetDraft, nodes: list[Resolved]) -> None:
    """Note everything that is wrong with the nodes as a whole."""
    problems = draft.problems
    _names(draft, problems)
    _unit_names(draft, problems)
    _addresses(nodes, problems)
    _serials(nodes, problems)
    _units(nodes, problems)
    _key_files(nodes, problems)


def _names(draft: FleetDraft, problems: Problems) -> None:
    valid = TypeAdapter(NodeId).validate_python
    for node in draft.nodes.values():
        if node.name == "all":
            problems.error(node.where, "`all` means every node and cannot name one", "Give the node another name.")
        elif not _is_valid(valid, node.name):
            message = f"'{printable(node.name)}' is not a valid name of a node"
            action = (
                "Use 1 to 253 letters, digits, dots, hyphens and underscores; begin and end with a letter or digit."
            )
            problems.error(node.where, message, action)


def _is_valid(validate: Callable[[str], str], text: str) -> bool:
    try:
        validate(text)
    except ValidationError:
        return False
    return True


def _unit_names(draft: FleetDraft, problems: Problems) -> None:
    """Units and groups become words of nodes, and must be fit for it."""
    named = [("unit", unit.name, unit.where) for unit in draft.units]
    named += [("group", group.name, group.where) for group in draft.groups.values()]
    for kind, name, where in named:
        try:
            SCALARS["unit"](name, Path())
        except ValueError as error:
            problems.error(where, f"the name of a {kind} {error}, not '{printable(name)}'", "Choose another name.")


def _addresses(nodes: Iterable[Resolved], problems: Problems) -> None:
    """Two nodes at one address are one machine under two names; behind different jump hosts they may be two."""
    first: dict[tuple[str, str, str], Resolved] = {}
    for node in nodes:
        if node.value("transport") == "local":
            continue
        host = (node.value("ssh.host") or node.draft.name).lower()
        port = node.value("ssh.port") or _DEFAULT_PORT
        other = first.setdefault((host, port, node.value("ssh.jump") or "[]"), node)
        if other is not node:
            message = (
                f"{printable(node.draft.name)} has the same address as {_placed(other)}: {printable(host)} port {port}"
            )
            setting = node.settings.get("ssh.host")
            where = setting.where if setting else node.draft.where
            problems.error(where, message, "Correct one of the addresses, or remove one of the nodes.")


def _serials(nodes: Iterable[Resolved], problems: Problems) -> None:
    first: dict[str, Resolved] = {}
    for node in nodes:
        setting = node.settings.get("serial")
        if setting is None:
            continue
        other = first.setdefault(str(setting.value).casefold(), node)
        if other is not node:
            message = (
                f"{printable(node.draft.name)} has the same serial as {_placed(other)}: {printable(str(setting.value))}"
            )
            problems.error(setting.where, message, "Read the serials off the machines, and correct one.")


def _units(nodes: Iterable[Resolved], problems: Problems) -> None:
    units: dict[str, list[tuple[Resolved, Setting]]] = {}
    for node in nodes:
        if "unit" in node.settings:
            setting = node.settings["unit"]
            units.setdefault(str(setting.value), []).append((node, setting))
            own = node.draft.settings.get("unit")
            if own is not None and own.value != setting.value:
                message = f"{printable(node.draft.name)} is in unit {own.value} and in unit {setting.value}"
                problems.error(own.where, message, "A node is cabled to one other: keep one unit.")
    for unit, members in units.items():
        if len(members) != 2:
            names = ", ".join(printable(node.draft.name) for node, _ in members[:5]) + (
                ", …" if len(members) > 5 else ""
            )
            message = f"unit {printable(unit)} has {len(members)} node{'s' * (len(members) > 1)}, not two: {names}"
            problems.error(
                members[0][1].where, message, "Name the two nodes that are cabled together, or remove the unit."
            )


def _key_files(nodes: Iterable[Resolved], problems: Problems) -> None:
    """Each key file once, at the place that first names it."""
    seen: set[Path] = set()
    for node in nodes:
        setting = node.settings.get("ssh.identity_files")
        paths = setting.value if setting is not None and isinstance(setting.value, list) else []
        for path in paths:
            if isinstance(path, Path) and setting is not None and path not in seen:
                seen.add(path)
                _key_file(path, setting, problems)


def _key_file(path: Path, setting: Setting, problems: Problems) -> None:
    shown = printable(str(path), 500)
    try:
        status = path.expanduser().stat()
    except FileNotFoundError:
        action = "Correct the path, or write the key there."
        problems.warning(setting.where, f"the key file {shown} does not exist", action)
        return
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problems.warning(setting.where, f"the key file {shown} cannot be looked at: {reason}", "Correct the path.")
        return
    if not stat.S_ISREG(status.st_mode):
        problems.error(setting.where, f"the key file {shown} is not a regular file", "Name the private key.")
    elif path.suffix == ".pub":
        problems.error(setting.where, f"{shown} is a public key", "Name the private key, without .pub.")
    elif status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"the key file {shown} may be read or changed by others (mode {stat.S_IMODE(status.st_mode):04o})"
        problems.error(setting.where, message, f"Run chmod 600 {shown}.")


def _placed(node: Resolved) -> str:
    where = node.draft.where
    return f"{printable(node.draft.name)} ({printable(where.file)}:{where.line})"
