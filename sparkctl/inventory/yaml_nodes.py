"""YAML as the operator wrote it: every scalar stays text, and every node knows its line.

Nothing is resolved to a number, a date or a boolean here: `on`, `022`, `1_000` and `22:22` stay what they are, and the
reader of a setting decides what it accepts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sparkctl.inventory.problems import Problems, SourceFault, Where
from sparkctl.model.printable import printable

if TYPE_CHECKING:
    import yaml

MAX_DEPTH = 40
"""Levels of nesting; an inventory needs six."""

MAX_NODES = 1_000_000
"""Scalars and collections of one file, aliases counted as often as they are used."""

VAULT_TAGS = frozenset({"!vault", "!vault-encrypted"})
_STANDARD = "tag:yaml.org,2002:"
_KNOWN_TAGS = VAULT_TAGS | {"!", "!unsafe"}


@dataclass(slots=True)
class Scalar:
    """One value as text. `plain` means written without quotes; an empty plain scalar is how YAML writes nothing."""

    text: str
    line: int
    plain: bool
    tag: str | None = None

    @property
    def is_null(self) -> bool:
        """Whether nothing was written, or one of YAML's words for nothing."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    line: int
    items: list["YamlNode"] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys, in the order written, with the line of the key and the value."""

    line: int
    entries: dict[str, tuple[int, "YamlNode"]] = field(default_factory=dict)

    def items(self) -> Iterator[tuple[str, int, "YamlNode"]]:
        """Each key with its line and its value."""
        for key, (line, value) in self.entries.items():
            yield key, line, value


YamlNode = Scalar | Sequence | Mapping


def parse_yaml(text: str, file: str, problems: Problems) -> YamlNode | None:
    """Compose the one document in `text`; None when it holds nothing but comments.

    Duplicate keys and unknown tags are noted in `problems`. Raises SourceFault on what is not YAML, on more than one
    document, and on nesting, aliases or size beyond the limits.
    """
    import yaml  # noqa: PLC0415 - commands that read no YAML need not pay for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    composer = _Composer(file, problems)
    try:
        for event in yaml.parse(text, Loader=loader):
            composer.take(event)
    except yaml.YAMLError as error:
        raise _syntax_fault(error, text, file) from error
    return composer.root


@dataclass(slots=True)
class _Frame:
    node: Sequence | Mapping
    anchor: str | None
    weight_before: int
    height: int = 1
    key: tuple[str, int, bool] | None = None
    merges: list[Mapping] = field(default_factory=list)


@dataclass(slots=True)
class _Anchored:
    node: YamlNode
    weight: int
    height: int


class _Composer:
    """Builds nodes from parser events with a stack of its own, so that hostile nesting cannot exhaust Python's."""

    def __init__(self, file: str, problems: Problems) -> None:
        self.root: YamlNode | None = None
        self._file = file
        self._problems = problems
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._weight = 0

    def take(self, event: "yaml.Event") -> None:
        """Follow one event of the parser."""
        import yaml  # noqa: PLC0415

        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(Mapping(line), event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(Sequence(line), event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self._fault(line, "a second document begins", "Keep one document in one file.")

    def _scalar(self, event: "yaml.ScalarEvent", line: int) -> None:
        tag = self._known_tag(event.tag, line)
        # libyaml gives no style for a plain scalar, the Python parser an empty one.
        node = Scalar(event.value, line, not event.style and tag is None, tag)
        self._add_weight(1, line)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(node, weight=1, height=0)
        self._place(node, line)

    def _open(self, node: Sequence | Mapping, event: "yaml.CollectionStartEvent") -> None:
        self._known_tag(event.tag, node.line)
        self._require_depth(len(self._stack) + 1, node.line)
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        self._stack.append(_Frame(node, event.anchor, self._weight))
        self._add_weight(1, node.line)

    def _close(self) -> None:
        frame = self._stack.pop()
        node = frame.node
        if isinstance(node, Mapping):
            for merged in frame.merges:
                for key, value in merged.entries.items():
                    node.entries.setdefault(key, value)
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchored(node, self._weight - frame.weight_before, frame.height)
        self._place(node, node.line, frame.height)

    def _alias(self, anchor: str, line: int) -> None:
        if any(frame.anchor == anchor for frame in self._stack):
            raise self._fault(
                line, f"*{printable(anchor)} is used inside itself", "Remove the alias from its own anchor."
            )
        if anchor not in self._anchors:
            action = f"Write &{printable(anchor)} above it, or quote a text that begins with an asterisk."
            raise self._fault(line, f"*{printable(anchor)} names no anchor above it", action)
        anchored = self._anchors[anchor]
        self._add_weight(anchored.weight, line)
        self._require_depth(len(self._stack) + anchored.height, line)
        self._place(anchored.node, line, anchored.height)

    def _place(self, node: YamlNode, line: int, height: int = 0) -> None:
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.node, Sequence):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            self._enter(frame, frame.node, frame.key, node, line)
            frame.key = None

    def _key(self, node: YamlNode) -> tuple[str, int, bool]:
        """The key, its line, and whether it merges: only a plain `<<` does, a quoted one is a name."""
        if isinstance(node, Scalar):
            return node.text, node.line, node.plain and node.text == "<<"
        raise self._fault(node.line, "a key must be one word, not a list or a mapping", "Quote the key.")

    def _enter(self, frame: _Frame, mapping: Mapping, key: tuple[str, int, bool], value: YamlNode, line: int) -> None:
        name, key_line, merges = key
        if merges:
            frame.merges.extend(self._merged(value, line))
        elif name in mapping.entries:
            path = ".".join(above.key[0] for above in self._stack if above.key)
            where = Where(self._file, key_line, path)
            message = f"the key {printable(name)} is already on line {mapping.entries[name][0]}"
            self._problems.error(where, message, "Remove one of the two.")
        else:
            mapping.entries[name] = (key_line, value)

    def _merged(self, value: YamlNode, line: int) -> list[Mapping]:
        parts = value.items if isinstance(value, Sequence) else [value]
        mappings = [part for part in parts if isinstance(part, Mapping)]
        if len(mappings) != len(parts):
            raise self._fault(line, "<< merges mappings only", "Name an anchor of a mapping.")
        return mappings

    def _known_tag(self, tag: str | None, line: int) -> str | None:
        if tag is not None and tag not in _KNOWN_TAGS and not tag.startswith(_STANDARD):
            message = f"the tag {printable(tag)} is not known here"
            self._problems.error(Where(self._file, line), message, "Quote a text that begins with an exclamation mark.")
        return tag

    def _require_depth(self, depth: int, line: int) -> None:
        if depth > MAX_DEPTH:
            raise self._fault(line, f"nested deeper than {MAX_DEPTH} levels", "Flatten the file.")

    def _add_weight(self, weight: int, line: int) -> None:
        self._weight += weight
        if self._weight > MAX_NODES:
            message = f"more than {MAX_NODES:,} values, aliases counted as often as they are used"
            raise self._fault(line, message, "Split the file, or use fewer aliases.")

    def _fault(self, line: int, message: str, action: str) -> SourceFault:
        return SourceFault(Where(self._file, line), message, action)


def _syntax_fault(error: "yaml.YAMLError", text: str, file: str) -> SourceFault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
        action = "Remove characters that cannot be seen."
        return SourceFault(Where(file, line), "the file holds a character that YAML does not allow", action)
    problem = getattr(error, "problem", None) or "something unexpected"
    lines = text.splitlines()
    faulty = lines[mark.line] if mark.line < len(lines) else ""
    message = f"this is not valid YAML: {problem}"
    return SourceFault(Where(file, mark.line + 1), message, _syntax_action(faulty))


def _syntax_action(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    value = line.split(": ", 1)[-1].strip().lstrip("- ")
    if "\t" in indent or line.lstrip().startswith("\t"):
        return "Indent with spaces; YAML does not allow tabs there."
    if value.startswith(("[", "{")) and "[" in value[1:]:
        return 'Quote a value with brackets inside [] or {}: ["spark[01-08]"], {host: "10.0.1.[11-18]"}.'
    if value.startswith(("*", "&", "!", "@", "%", "`")):
        return f"Quote a text that begins with {value[0]}."
    return "Correct the file on this line or the one above."
