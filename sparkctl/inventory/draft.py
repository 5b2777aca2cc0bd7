"""What the readers have in common: an inventory as written, before groups are applied."""

from dataclasses import dataclass, field
from pathlib import Path

from sparkctl.inventory.problems import Problems, SourceFault, Where
from sparkctl.inventory.ranges import MAX_NAMES
from sparkctl.model.printable import printable

ScalarValue = str | int | bool | Path
SettingValue = ScalarValue | list[ScalarValue]


@dataclass(slots=True)
class Setting:
    """One value with its place. Under a key that begins with `$` it is an Ansible variable, as text.

    An `encrypted` value cannot be read; an `auxiliary` one means nothing to us, but a template may refer to it.
    """

    value: SettingValue
    where: Where
    encrypted: bool = False
    auxiliary: bool = False


Settings = dict[str, Setting]
"""Flat settings: `transport`, `rack`, `ssh.port`, `labels.owner`, or `$ansible_host` for a variable of Ansible."""


@dataclass(slots=True)
class Source:
    """One inventory file that is being read: its name in messages, its folder, and where its problems go."""

    file: str
    folder: Path
    problems: Problems

    def where(self, line: int | None = None, key: str | None = None) -> Where:
        """A place in this file."""
        return Where(self.file, line, key)


@dataclass(slots=True)
class NodeDraft:
    """One node as its sources describe it.

    `late` settings are those of Ansible's `host_vars`; `ansible` names the Ansible inventories that list the node, for
    each has an `all` of its own.
    """

    name: str
    where: Where
    settings: Settings = field(default_factory=dict)
    late: Settings = field(default_factory=dict)
    ansible: tuple[str, ...] = ()


@dataclass(slots=True)
class Reference:
    """A name or selector that stands somewhere; `literal` means a node's name, whatever characters it has."""

    text: str
    where: Where
    literal: bool = False


@dataclass(slots=True)
class GroupDraft:
    """One group: who is in it, its child groups, its settings, and the `late` ones of Ansible's `group_vars`."""

    name: str
    where: Where
    members: list[Reference] = field(default_factory=list)
    children: list[Reference] = field(default_factory=list)
    settings: Settings = field(default_factory=dict)
    late: Settings = field(default_factory=dict)
    priority: int = 1


@dataclass(slots=True)
class UnitDraft:
    """One unit and the nodes that are said to be cabled together."""

    name: str
    nodes: list[str]
    where: Where


@dataclass(slots=True)
class FleetDraft:
    """Everything that the files of one inventory say, in the order it was read.

    `everyone` holds the group `all` of each Ansible inventory by the name of its file.
    """

    problems: Problems
    defaults: Settings = field(default_factory=dict)
    nodes: dict[str, NodeDraft] = field(default_factory=dict)
    groups: dict[str, GroupDraft] = field(default_factory=dict)
    everyone: dict[str, GroupDraft] = field(default_factory=dict)
    units: list[UnitDraft] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def add_node(self, node: NodeDraft) -> None:
        """Add a node. Twice in one file is an error; a second file may add to what the first one said.

        Raises SourceFault when there are more than MAX_NAMES nodes.
        """
        if len(self.nodes) >= MAX_NAMES and node.name not in self.nodes:
            message = f"the inventory describes more than {MAX_NAMES:,} nodes"
            raise SourceFault(node.where, message, "Split it into several fleets.")
        known = self.nodes.setdefault(node.name, node)
        if known is node:
            return
        if known.where.file == node.where.file:
            message = f"{printable(node.name)} is already described on line {known.where.line}"
            self.problems.error(
                node.where, message, "Describe a node once; what several nodes share belongs in a group."
            )
            return
        known.ansible += node.ansible
        self._merge(node.name, known.settings, node.settings)
        self._merge(node.name, known.late, node.late)

    def add_group(self, group: GroupDraft) -> None:
        """Add a group, or more members and settings of a group that another file began."""
        known = self.groups.setdefault(group.name, group)
        if known is group:
            return
        known.members += group.members
        known.children += group.children
        known.priority = max(known.priority, group.priority)
        self._merge(group.name, known.settings, group.settings)
        self._merge(group.name, known.late, group.late)

    def merge_defaults(self, settings: Settings) -> None:
        """Add the defaults of one more file."""
        self._merge("the defaults", self.defaults, settings)

    def _merge(self, owner: str, known: Settings, more: Settings) -> None:
        for key, setting in more.items():
            first = known.setdefault(key, setting)
            if setting.auxiliary:
                known[key] = setting
            elif first.value != setting.value:
                place = f"{first.where.file}:{first.where.line}"
                message = f"{printable(owner)} has another {printable(key.lstrip('$'))} here than at {printable(place)}"
                self.problems.error(setting.where, message, "Keep the value in one of the two files.")
