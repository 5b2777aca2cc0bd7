"""Our own format, `fleet.yaml`: nodes, groups, units, defaults and includes."""

from sparkctl.inventory.draft import FleetDraft, GroupDraft, NodeDraft, Reference, Source, UnitDraft
from sparkctl.inventory.problems import SourceFault, Where, unknown_key_action
from sparkctl.inventory.ranges import MAX_NAMES, RangeError, expand
from sparkctl.inventory.settings import Dealt, SettingsReader
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, Sequence, YamlNode
from sparkctl.model.printable import printable

TOP_KEYS = frozenset({"version", "include", "defaults", "groups", "units", "nodes"})

_GROUP_KEYS = frozenset({"nodes", "groups"})
_MAX_EXPANDED = 3 * MAX_NAMES  # every node once under `nodes`, and twice what `units` needs
_RESERVED = frozenset({"all", "ungrouped"})


def read_fleet_file(root: YamlNode, source: Source, draft: FleetDraft) -> list[Reference]:
    """Add what a fleet file says to the draft and return its includes.

    Raises SourceFault when the file as a whole has another form.
    """
    if not isinstance(root, Mapping):
        message = "a fleet file is a mapping with the key `nodes`, not a list or a single value"
        raise SourceFault(source.where(root.line), message, "Begin with `nodes:`.")
    reader = _FleetReader(source, draft)
    for key, line, value in root.items():
        where = source.where(line, key)
        if key in TOP_KEYS:
            reader.read(key, value, where)
        else:
            source.problems.error(where, f"unknown key '{printable(key)}'", unknown_key_action(key, TOP_KEYS))
    return reader.includes


class _FleetReader:
    def __init__(self, source: Source, draft: FleetDraft) -> None:
        self.includes: list[Reference] = []
        self._source = source
        self._draft = draft
        self._expanded = 0

    def read(self, key: str, value: YamlNode, where: Where) -> None:
        """Read the value of one top-level key."""
        if isinstance(value, Scalar) and value.is_null:
            if key == "nodes":
                self._source.problems.error(where, "`nodes` names no node", "Write at least one name under it.")
            return
        read = {
            "version": self._version,
            "include": self._include,
            "defaults": self._defaults,
            "groups": self._groups,
            "units": self._units,
            "nodes": self._nodes,
        }
        read[key](value, where)

    def _version(self, value: YamlNode, where: Where) -> None:
        if not isinstance(value, Scalar) or value.text != "1":
            text = printable(value.text) if isinstance(value, Scalar) else "a list or mapping"
            self._source.problems.error(
                where, f"version must be 1, not {text}", "Write `version: 1`, or a newer sparkctl."
            )

    def _include(self, value: YamlNode, where: Where) -> None:
        self.includes = self._texts(value, where)

    def _defaults(self, value: YamlNode, where: Where) -> None:
        entry = self._mapping(value, where)
        if "unit" in entry.entries:
            self._source.problems.error(
                where, "every node would be in the same unit", "Name its two nodes under `units:`."
            )
        self._draft.merge_defaults(SettingsReader(self._source, "defaults").read(entry).shared)

    def _nodes(self, value: YamlNode, where: Where) -> None:
        if not isinstance(value, Mapping):
            for item in self._texts(value, where):
                self._node_entry(item.text, item.where, None)
            return
        for name, line, entry in value.items():
            self._node_entry(name, self._source.where(line, f"nodes.{name}"), entry)

    def _node_entry(self, text: str, where: Where, entry: YamlNode | None) -> None:
        names = self._expand(text, where)
        dealt = self._node_settings(entry, where, len(names))
        for index, name in enumerate(names):
            self._draft.add_node(NodeDraft(name, where, dealt.of(index)))

    def _node_settings(self, entry: YamlNode | None, where: Where, count: int) -> Dealt:
        if entry is None or (isinstance(entry, Scalar) and entry.is_null) or not count:
            return Dealt()
        if isinstance(entry, Scalar):
            address = Mapping(entry.line, {"host": (entry.line, entry)})
            entry = Mapping(entry.line, {"ssh": (entry.line, address)})
        reader = SettingsReader(self._source, where.key or "", deal=count)
        return reader.read(self._mapping(entry, where))

    def _groups(self, value: YamlNode, where: Where) -> None:
        for name, line, entry in self._mapping(value, where).items():
            at = self._source.where(line, f"groups.{name}")
            if name in _RESERVED:
                action = "Put settings of all nodes under `defaults:`, or choose another name."
                self._source.problems.error(at, f"`{name}` is a word of its own, not a group", action)
                continue
            self._draft.add_group(self._group(name, entry, at))

    def _group(self, name: str, entry: YamlNode, where: Where) -> GroupDraft:
        group = GroupDraft(name, where)
        if not isinstance(entry, Mapping):
            if not (isinstance(entry, Scalar) and entry.is_null):
                group.members = self._texts(entry, where)
            return group
        for key in _GROUP_KEYS & entry.entries.keys():
            line, value = entry.entries[key]
            texts = self._texts(value, self._source.where(line, f"{where.key}.{key}"))
            if key == "nodes":
                group.members = texts
            else:
                group.children = texts
        group.settings = SettingsReader(self._source, where.key or "", also=_GROUP_KEYS).read(entry).shared
        return group

    def _units(self, value: YamlNode, where: Where) -> None:
        for text, line, entry in self._mapping(value, where).items():
            at = self._source.where(line, f"units.{text}")
            names = self._expand(text, at)
            members = [self._expand(item.text, item.where) for item in self._texts(entry, at)]
            if names and members and all(members):
                self._deal_units(names, members, at)

    def _deal_units(self, names: list[str], members: list[list[str]], where: Where) -> None:
        """Pair nodes up: two lists side by side, or one list taken two by two."""
        wanted = 2 * len(names)
        if len(names) > 1 and len(members) == 2 and len(members[0]) == len(members[1]) == len(names):
            pairs = [list(pair) for pair in zip(*members, strict=True)]
        else:
            flat = [node for part in members for node in part]
            if len(flat) != wanted:
                units = "a unit is two nodes" if len(names) == 1 else f"{len(names):,} units are {wanted:,} nodes"
                self._source.problems.error(
                    where, f"{units}, not {len(flat):,}", "Name exactly two nodes for each unit."
                )
                return
            pairs = [flat[index : index + 2] for index in range(0, wanted, 2)]
        self._draft.units += [UnitDraft(name, pair, where) for name, pair in zip(names, pairs, strict=True)]

    def _expand(self, text: str, where: Where) -> list[str]:
        try:
            names = expand(text)
        except RangeError as error:
            self._source.problems.error(where, error.message, error.hint or "")
            return []
        self._expanded += len(names)
        if self._expanded > _MAX_EXPANDED:
            message = f"the ranges of this file stand for more than {_MAX_EXPANDED:,} names"
            raise SourceFault(where, message, "Describe fewer nodes.")
        return names

    def _mapping(self, node: YamlNode, where: Where) -> Mapping:
        if isinstance(node, Mapping):
            return node
        self._source.problems.error(
            where, "this must be a mapping of keys to values", "Indent `key: value` lines under it."
        )
        return Mapping(node.line)

    def _texts(self, node: YamlNode, where: Where) -> list[Reference]:
        """A text, or a list of texts."""
        items = node.items if isinstance(node, Sequence) else [node]
        texts = []
        for item in items:
            at = where._replace(line=item.line)
            if isinstance(item, Scalar) and not item.is_null:
                texts.append(Reference(item.text, at))
            else:
                self._source.problems.error(at, "this must be a text or a list of texts", _list_action(item))
        return texts


def _list_action(item: YamlNode) -> str:
    if isinstance(item, Sequence):
        return 'Quote names with brackets: "[01-08]" alone is a list to YAML.'
    return "Write `- name` lines, or `[one, two]`."
