"""The keys of one mapping in an operator's file, each read with its place, and what their values may be."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from sparkctl.app.file_values import MayBeSecretError
from sparkctl.inventory.problems import Problems, Where, unknown_key_action
from sparkctl.inventory.yaml_nodes import Mapping, Scalar, Sequence, YamlNode
from sparkctl.model.printable import printable

Value = TypeVar("Value")


class Fields:
    """The keys of a mapping. What is wrong with one is noted in `problems`, and it counts as not given."""

    def __init__(self, node: Mapping, path: str, file: Path, problems: Problems, known: Iterable[str]) -> None:
        self.folder = file.parent
        self._node, self._path, self._file, self._problems = node, path, file, problems
        for key, line, _ in node.items():
            if key not in known:
                message = f"unknown key '{printable(key)}'"
                problems.error(self._where(printable(key, 60), line), message, unknown_key_action(key, known))

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._node.entries

    def wrong(self, key: str | None, message: str, action: str) -> None:
        """Note an error of a key, or of the whole mapping."""
        line = self._node.entries[key][0] if key in self._node.entries else self._node.line
        self._problems.error(self._where(key, line), message, action)

    def text(self, key: str, convert: Callable[[str], Value], *, required: str | None = None) -> Value | None:
        """The value of a key of one value; `required` says what to do when it is missing."""
        values = self.texts(key, convert)
        if required is not None and not self.has(key):
            self.wrong(None, f"`{key}` is missing", required)
        if len(values) > 1:
            self.wrong(key, "this must be one value, not a list", "Leave one.")
        return values[0] if values else None

    def texts(self, key: str, convert: Callable[[str], Value]) -> list[Value]:
        """The values of a key that may be one value or a list of them."""
        if not self.has(key):
            return []
        line, node = self._node.entries[key]
        values = []
        for item in node.items if isinstance(node, Sequence) else [node]:
            if not isinstance(item, Scalar) or item.is_null:
                action = "Write one value, or `[one, two]`; quote names with brackets."
                self._problems.error(self._where(key, item.line), "this must be a value or a list of values", action)
                continue
            try:
                values.append(convert(item.text))
            except MayBeSecretError as error:
                self._problems.error(self._where(key, line), str(error), "Correct it.")
            except ValueError as error:
                self._problems.error(self._where(key, line), f"{error}, not '{printable(item.text)}'", "Correct it.")
        return values

    def entries(self, key: str, *, required: str) -> list[tuple[str, int, YamlNode]]:
        """The keys and values of a mapping that must be there and not be empty."""
        node = self._node.entries[key][1] if self.has(key) else None
        if isinstance(node, Mapping) and node.entries:
            return list(node.items())
        self.wrong(key, f"`{key}` must be a mapping with at least one entry", required)
        return []

    def each(self, key: str, known: Iterable[str], name: Callable[[str], str]) -> Iterator[tuple[str, "Fields"]]:
        """The entries of a mapping of mappings, which may be missing, each with its name."""
        path = f"{self._path}.{key}".lstrip(".")
        for text, line, node in self.entries(key, required="Indent an entry under it.") if self.has(key) else ():
            where = Where(str(self._file), line, f"{path}.{printable(text, 60)}")
            try:
                found = name(text)
            except ValueError as error:
                self._problems.error(where, f"its name {error}", "Correct it.")
                continue
            if not isinstance(node, Mapping):
                self._problems.error(where, "this must be a mapping", "Indent `key: value` lines under it.")
                continue
            yield found, Fields(node, where.key or "", self._file, self._problems, known)

    def under(self, key: str, known: Iterable[str]) -> "Fields":
        """The keys of a mapping that may be missing."""
        line, node = self._node.entries.get(key, (self._node.line, Mapping(self._node.line)))
        if not isinstance(node, Mapping):
            self.wrong(key, "this must be a mapping of keys to values", "Indent `key: value` lines under it.")
            node = Mapping(line)
        return Fields(node, f"{self._path}.{key}".lstrip("."), self._file, self._problems, known)

    def _where(self, key: str | None, line: int) -> Where:
        return Where(str(self._file), line, ".".join(part for part in (self._path, key) if part) or None)
