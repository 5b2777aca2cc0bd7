"""Ansible inventories in YAML syntax: groups with `hosts`, `children` and `vars`."""

from typing import TypeGuard

from sparkctl.inventory.ansible_hosts import AnsibleInventory
from sparkctl.inventory.ansible_variables import variable_node
from sparkctl.inventory.draft import GroupDraft, Reference, Settings, Source
from sparkctl.inventory.problems import Where, unknown_key_action
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, YamlNode
from sparkctl.model.printable import printable

GROUP_KEYS = frozenset({"hosts", "children", "vars"})


def is_ansible_yaml(root: YamlNode) -> TypeGuard[Mapping]:
    """Whether a document has the form of an Ansible inventory rather than of a fleet file."""
    if not isinstance(root, Mapping):
        return False
    if "all" in root.entries:
        return True
    groups = [value.entries.keys() for _, _, value in root.items() if isinstance(value, Mapping)]
    return any(keys and keys <= GROUP_KEYS for keys in groups)


def read_ansible_yaml(root: Mapping, source: Source) -> AnsibleInventory:
    """Read the inventory; what is wrong with an entry is noted as a problem and the entry left out."""
    reader = _YamlReader(source)
    for name, line, entry in root.items():
        reader.group(name, entry, source.where(line, name))
    return reader.inventory


class _YamlReader:
    def __init__(self, source: Source) -> None:
        self.inventory = AnsibleInventory(source)
        self._source = source

    def group(self, name: str, entry: YamlNode, where: Where) -> None:
        """Read one group and, through its children, the groups below it."""
        group = self.inventory.group(name, where)
        for key, line, value in self._entries(entry, where):
            at = self._source.where(line, f"{where.key}.{key}")
            if key == "hosts":
                self._hosts(group, value, at)
            elif key == "children":
                self._children(group, value, at)
            elif key == "vars":
                group.settings.update(self._variables(value, at))
            else:
                action = unknown_key_action(key, GROUP_KEYS)
                self._source.problems.error(at, f"unknown key '{printable(key)}' in a group", action)

    def _hosts(self, group: GroupDraft, node: YamlNode, where: Where) -> None:
        for pattern, line, value in self._entries(node, where, names=True):
            at = self._source.where(line, f"{where.key}.{pattern}")
            self.inventory.add_hosts(pattern, self._variables(value, at), group, at)

    def _children(self, group: GroupDraft, node: YamlNode, where: Where) -> None:
        for name, line, entry in self._entries(node, where, names=True):
            at = self._source.where(line, f"{where.key}.{name}")
            if group.name != "all":
                group.children.append(Reference(name, at))
            self.group(name, entry, at)

    def _variables(self, node: YamlNode, where: Where) -> Settings:
        settings: Settings = {}
        for name, line, value in self._entries(node, where):
            settings |= variable_node(name, value, self._source.where(line, f"{where.key}.{name}"), self._source)
        return settings

    def _entries(self, node: YamlNode, where: Where, *, names: bool = False) -> list[tuple[str, int, YamlNode]]:
        if isinstance(node, Mapping):
            return list(node.items())
        if isinstance(node, Scalar) and node.is_null:
            return []
        if names and isinstance(node, Scalar):
            return [(node.text, node.line, Scalar("", node.line, plain=True))]
        self._source.problems.error(
            where, "this must be a mapping, not a list or a single value", "Write `name:` lines."
        )
        return []
