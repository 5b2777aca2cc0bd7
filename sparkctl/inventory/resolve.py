"""Apply defaults, groups and units to the nodes of a draft.

A setting is looked for in these places, and the last that has it wins: the defaults of fleet files; Ansible's `all`;
groups, parents before children; `group_vars/all`; the other `group_vars`; the node itself; `host_vars`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from sparkctl.inventory.ansible_variables import Translator
from sparkctl.inventory.ansible_vars_files import Files
from sparkctl.inventory.draft import FleetDraft, GroupDraft, NodeDraft, Setting, Settings
from sparkctl.inventory.groups import IMPLICIT, GroupGraph
from sparkctl.inventory.membership import Members, find_members
from sparkctl.inventory.selector import Subject
from sparkctl.model.printable import printable


@dataclass(slots=True)
class Resolved:
    """A node with every setting that applies to it, and all its groups."""

    draft: NodeDraft
    settings: Settings
    groups: list[str]

    def value(self, key: str) -> str | None:
        """The text of a setting, None when it is not set."""
        setting = self.settings.get(key)
        return None if setting is None else str(setting.value)


def resolve(draft: FleetDraft, files: Files) -> list[Resolved]:
    """Return the nodes of a draft with their settings; contradictions are noted as problems."""
    resolver = _Resolver(draft, files)
    members = find_members(draft, resolver.subjects)
    resolved = resolver.resolve(members)
    resolver.warn_of_conflicts()
    _warn_of_empty_groups(draft, resolved)
    return resolved


class _Resolver:
    def __init__(self, draft: FleetDraft, files: Files) -> None:
        self._draft = draft
        self._graph = GroupGraph(draft)
        self._translator = Translator(files, draft.problems)
        self._shared: dict[tuple[frozenset[str], tuple[str, ...]], tuple[list[str], Settings]] = {}
        self._units = _units(draft)

    def resolve(self, members: Members) -> list[Resolved]:
        """Apply the settings of the groups that each node is in."""
        return [self._node(node, frozenset(members[name])) for name, node in self._draft.nodes.items()]

    def subjects(self, members: Members) -> list[Subject]:
        """What a selector inside the inventory sees of the nodes."""
        return [subject_of(resolved) for resolved in self.resolve(members)]

    def warn_of_conflicts(self) -> None:
        """Note where two unrelated groups of one depth set the same key differently for the same node."""
        for groups, _ in self._shared.values():
            for one, other in combinations(groups, 2):
                self._compare(self._draft.groups[one], self._draft.groups[other])

    def _node(self, node: NodeDraft, direct: frozenset[str]) -> Resolved:
        key = (direct, node.ansible)
        if key not in self._shared:
            self._shared[key] = self._of_groups(direct, node.ansible)
        groups, shared = self._shared[key]
        settings = _layered(shared, node.settings, node.late)
        if any(name.startswith("$") for name in settings):
            settings = self._translator.translate(node.name, settings)
        unit = self._units.get(node.name)
        if unit is not None:
            settings = settings | {"unit": unit}
        return Resolved(node, settings, sorted(set(groups) - IMPLICIT))

    def _of_groups(self, direct: frozenset[str], ansible: tuple[str, ...]) -> tuple[list[str], Settings]:
        names = self._graph.above(direct)
        groups = [self._draft.groups[name] for name in names]
        everyone = [self._draft.everyone[file] for file in ansible]
        layers = [
            self._draft.defaults,
            *(group.settings for group in everyone),
            *(group.settings for group in groups),
            *(group.late for group in everyone),
            *(group.late for group in groups),
        ]
        return names, _layered(*layers)

    def _compare(self, one: GroupDraft, other: GroupDraft) -> None:
        same_rank = self._graph.depths[one.name] == self._graph.depths[other.name] and one.priority == other.priority
        if not same_rank or self._graph.related(one.name, other.name):
            return
        for key in one.settings.keys() & other.settings.keys():
            first, second = one.settings[key], other.settings[key]
            if first.value != second.value and not second.auxiliary:
                message = (
                    f"{printable(key.lstrip('$'))} is also set by group {printable(one.name)}, and some node is in"
                    f" both; {printable(other.name)} wins because its name comes last"
                )
                self._draft.problems.warning(
                    second.where, message, "Make one group a child of the other, or set it once."
                )


def _layered(*layers: Mapping[str, Setting]) -> Settings:
    """Later layers win, and what they set also comes later in order: variables are translated in that order."""
    merged: Settings = {}
    for layer in layers:
        for key, setting in layer.items():
            merged.pop(key, None)
            merged[key] = setting
    return merged


def _units(draft: FleetDraft) -> Settings:
    """The unit of every node that `units` names; unknown nodes and nodes in two units are noted as problems."""
    units: Settings = {}
    for unit in draft.units:
        for name in unit.nodes:
            if name not in draft.nodes:
                message = f"unit {printable(unit.name)} names {printable(name)}, which is no node"
                draft.problems.error(unit.where, message, "Describe the node under `nodes:`, or correct its name.")
            elif name in units and units[name].value != unit.name:
                other = printable(str(units[name].value))
                message = f"{printable(name)} is in unit {other} and in unit {printable(unit.name)}"
                draft.problems.error(unit.where, message, "A node is cabled to one other: keep one unit.")
            else:
                units[name] = Setting(unit.name, unit.where)
    return units


def _warn_of_empty_groups(draft: FleetDraft, resolved: list[Resolved]) -> None:
    used = {group for node in resolved for group in node.groups} | IMPLICIT
    for name, group in draft.groups.items():
        if name not in used:
            draft.problems.warning(
                group.where, f"group {printable(name)} has no node", "Add nodes to it, or remove it."
            )


def subject_of(resolved: Resolved) -> Subject:
    """What a selector sees of a node; the same as it sees of the finished one."""
    fields = {key: str(setting.value) for key, setting in resolved.settings.items() if "." not in key}
    fields["host"] = resolved.value("ssh.host") or resolved.draft.name
    if "ssh.user" in resolved.settings:
        fields["user"] = str(resolved.settings["ssh.user"].value)
    fields.setdefault("transport", "asyncssh")
    fields.setdefault("elevation", "none")
    fields["simulated"] = fields.get("simulated", "False").lower()
    labels = {
        key.removeprefix("labels."): str(setting.value)
        for key, setting in resolved.settings.items()
        if key.startswith("labels.")
    }
    return Subject(resolved.draft.name, fields, frozenset(resolved.groups), labels)
