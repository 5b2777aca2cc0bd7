"""Read the settings of a node, a group or the defaults from a fleet file."""

import re
from dataclasses import dataclass, field

from sparkctl.inventory.draft import Setting, Settings, SettingValue, Source
from sparkctl.inventory.problems import Where, unknown_key_action
from sparkctl.inventory.ranges import RangeError, expand, has_range
from sparkctl.inventory.values import (
    DEALT,
    LABEL_NAME,
    LISTS,
    NODE_KEYS,
    SCALARS,
    SSH_KEYS,
    convert,
    convert_list,
    is_bracketed_ipv6,
)
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, Sequence, YamlNode
from sparkctl.model.printable import printable

PASSWORD_KEY = re.compile(r"(^|[_.-])(pass|passwd|password|passphrase|sshpass)$", re.IGNORECASE)
PASSWORD_ACTION = "Remove it. sparkctl signs in with keys, certificates or the agent, never with passwords."

_SECRET = re.compile(r"(^|[_.-])(secret|token|private[_-]?key)$", re.IGNORECASE)
_PORT_RANGE = re.compile(r"[0-9]+-[0-9]+(:[0-9]+)?")


@dataclass(slots=True)
class Dealt:
    """The settings of an entry: those that all its nodes share, and those dealt out one to each node."""

    shared: Settings = field(default_factory=dict)
    dealt: dict[str, list[Setting]] = field(default_factory=dict)

    def of(self, index: int) -> Settings:
        """The settings of the node at `index` of the entry."""
        if not self.dealt:
            return self.shared
        return self.shared | {key: settings[index] for key, settings in self.dealt.items()}


class SettingsReader:
    """Reads the settings of one entry. `deal` is how many nodes the entry describes, None for groups and defaults."""

    def __init__(
        self, source: Source, path: str, *, deal: int | None = None, also: frozenset[str] = frozenset()
    ) -> None:
        self._source = source
        self._path = path
        self._deal = deal
        self._also = also
        self._read = Dealt()

    def read(self, entry: Mapping) -> Dealt:
        """Return the settings of `entry`, leaving aside the keys in `also`; what is wrong is noted as a problem."""
        for key, line, value in entry.items():
            if key in self._also:
                continue
            where = self._source.where(line, f"{self._path}.{key}")
            if key == "ssh":
                self._ssh(value, where)
            elif key == "labels":
                self._labels(value, where)
            elif key == "serial" and self._deal is None:
                self._source.problems.error(where, "only one node can have this serial", "Move it to the node's entry.")
            elif key in NODE_KEYS:
                self._scalar(key, value, where)
            else:
                self._unknown(key, NODE_KEYS | self._also, where)
        return self._read

    def _ssh(self, node: YamlNode, where: Where) -> None:
        for key, line, value in self._mapping(node, where):
            inner = self._source.where(line, f"{where.key}.{key}")
            if key not in SSH_KEYS:
                self._unknown(key, SSH_KEYS, inner)
            elif f"ssh.{key}" in LISTS:
                self._list(f"ssh.{key}", value, inner)
            else:
                self._scalar(f"ssh.{key}", value, inner)

    def _labels(self, node: YamlNode, where: Where) -> None:
        for key, line, value in self._mapping(node, where):
            inner = self._source.where(line, f"{where.key}.{key}")
            fault = label_fault(key)
            if fault:
                self._source.problems.error(inner, *fault)
            else:
                self._scalar(f"labels.{key}", value, inner)

    def _mapping(self, node: YamlNode, where: Where) -> list[tuple[str, int, YamlNode]]:
        if isinstance(node, Mapping):
            return list(node.items())
        self._source.problems.error(
            where, "this must be a mapping of keys to values", "Indent `key: value` lines under it."
        )
        return []

    def _scalar(self, key: str, node: YamlNode, where: Where) -> None:
        if isinstance(node, Sequence) and key in DEALT and len(node.items) == 1 and isinstance(node.items[0], Scalar):
            # To YAML an unquoted [2201-2216] is a list of one.
            node = Scalar(f"[{node.items[0].text}]", node.line, plain=False)
        if not isinstance(node, Scalar):
            self._source.problems.error(where, "this must be one value, not a list or a mapping", "Write one value.")
        elif node.is_null:
            self._source.problems.error(where, "this has no value", "Write a value, or leave the key out.")
        elif self._deal is not None and key in DEALT and self._is_range(key, node.text):
            self._deal_out(key, node.text, where)
        else:
            setting = read_setting(self._source, key, node.text, where)
            if setting:
                self._read.shared[key] = setting

    def _is_range(self, key: str, text: str) -> bool:
        if key == "ssh.port":
            return has_range(text) or _PORT_RANGE.fullmatch(text) is not None
        return has_range(text) and not is_bracketed_ipv6(text)

    def _deal_out(self, key: str, text: str, where: Where) -> None:
        try:
            texts = expand(text if has_range(text) else f"[{text}]")
        except RangeError as error:
            self._source.problems.error(where, error.message, error.hint or "")
            return
        if len(texts) != self._deal:
            message = (
                f"{printable(text)} stands for {len(texts):,} values, but the entry describes {self._deal:,} nodes"
            )
            self._source.problems.error(where, message, "Give as many values as nodes.")
            return
        settings = [read_setting(self._source, key, text, where) for text in texts]
        if all(settings):
            self._read.dealt[key] = [setting for setting in settings if setting]

    def _list(self, key: str, node: YamlNode, where: Where) -> None:
        items = node.items if isinstance(node, Sequence) else [node]
        texts = [item.text for item in items if isinstance(item, Scalar) and not item.is_null]
        if len(texts) != len(items):
            self._source.problems.error(where, "this must be a list of values", "Write `[one, two]`, or `[]` for none.")
            return
        setting = read_list_setting(self._source, key, texts, where)
        if setting:
            self._read.shared[key] = setting

    def _unknown(self, key: str, known: frozenset[str], where: Where) -> None:
        if PASSWORD_KEY.search(key):
            self._source.problems.error(where, "passwords are not read from an inventory", PASSWORD_ACTION)
            return
        if f"ssh.{key}" in SCALARS or f"ssh.{key}" in LISTS:
            action = f"Write it under ssh: `ssh: {{{key}: ...}}`."
        else:
            action = unknown_key_action(key, known)
        self._source.problems.error(where, f"unknown key '{printable(key)}'", action)


def label_fault(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a label, and what to do about it; None when nothing is."""
    if PASSWORD_KEY.search(name) or _SECRET.search(name):
        return f"{printable(name)} is a secret by its name, and secrets are not read", PASSWORD_ACTION
    if not LABEL_NAME.fullmatch(name):
        action = "Use 1 to 120 letters, digits and _ . / - and begin and end with a letter or digit."
        return f"'{printable(name)}' cannot be the name of a label", action
    return None


def read_setting(source: Source, key: str, text: str, where: Where) -> Setting | None:
    """Convert one value; what it may not be is noted as a problem, and None returned."""
    try:
        value: SettingValue = convert(key, text, source.folder)
    except ValueError as error:
        source.problems.error(where, f"{key} {error}", "Correct the value.")
        return None
    return Setting(value, where)


def read_list_setting(source: Source, key: str, texts: list[str], where: Where) -> Setting | None:
    """Convert a list of values; what they may not be is noted as a problem, and None returned."""
    if key == "ssh.jump":
        texts = [] if texts == ["none"] else [part.strip() for text in texts for part in text.split(",")]
    try:
        value = convert_list(key, texts, source.folder)
    except ValueError as error:
        source.problems.error(where, f"{key} {error}", "Correct the value.")
        return None
    return Setting(value, where)
