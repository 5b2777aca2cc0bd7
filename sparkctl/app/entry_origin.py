"""What an entry of an unpacked bundle was on the node, by which the redactor knows how to read it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.recorded_tree import COMMANDS, OURS
from sparkctl.model.evidence import CommandSource, Entry, EntryKind
from sparkctl.redaction.redactor import Kind

_SAMPLE = 4096
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]0-9-])")
"""How JSON begins; `[Service]` is the beginning of another kind of file, in which a key may take many lines."""
_TREE = "tree/"
_BY_MEDIA_TYPE = {"application/jsonl": Kind.JOURNAL_JSON, "application/json": Kind.JSON, "text/plain": Kind.TEXT}


@dataclass(frozen=True, slots=True)
class Origin:
    """The path on the node, or the command as a file of its name, and how the content is read."""

    name: str
    kind: Kind


class Origins:
    """Tells where the entries of a bundle come from, which is unpacked in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._outputs = printed_by(folder / _TREE / COMMANDS)

    def of(self, entry: Entry) -> Origin:
        """Where an entry comes from."""
        place = self._folder / entry.path
        if entry.kind is EntryKind.TREE and entry.path.startswith(_TREE):
            path = entry.path.removeprefix(_TREE)
            if path in OURS:
                return Origin(path, Kind.RECORDING)
            return Origin(self._outputs.get(path, f"/{path}"), kind_of(place))
        if entry.kind is EntryKind.ARTEFACT:
            return Origin(_source(entry), _BY_MEDIA_TYPE.get(entry.media_type) or kind_of(place))
        return Origin(entry.path, Kind.JSON)

    def is_renamed(self, entry: Entry) -> bool:
        """Whether the path of an entry is of the node, and not ours."""
        path = entry.path.removeprefix(_TREE)
        if entry.kind is EntryKind.TREE:
            return path not in OURS and path not in self._outputs
        return entry.kind is EntryKind.ARTEFACT


def _source(entry: Entry) -> str:
    if entry.source is None:
        return entry.path
    if isinstance(entry.source, CommandSource):
        return command_name(entry.source.argv)
    return entry.source.path


def printed_by(commands: Path) -> Mapping[str, str]:
    """The names of what commands printed, by the path of the file in the tree; nothing where the list is none of ours.

    The redactor reads such a file by its form all the same; the name of the command only adds to what it knows.
    """
    try:
        entries = json.loads(commands.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        argv, file = (entry.get("argv"), entry.get("stdout_file")) if isinstance(entry, dict) else (None, None)
        if isinstance(file, str) and isinstance(argv, list) and argv and all(isinstance(word, str) for word in argv):
            found[f"cmd/{file}"] = command_name(argv)
    return found


def command_name(argv: list[str]) -> str:
    """What a command printed, as a file: that which `cat` read, else one of the command's name."""
    tool = argv[0].rpartition("/")[2]
    return argv[-1] if tool == "cat" else f"/cmd/{tool}"


def kind_of(place: Path) -> Kind:
    """How the content of a file is read, by its first bytes."""
    with place.open("rb") as file:
        start = file.read(_SAMPLE)
    if _JSON.match(start):
        return Kind.JOURNAL_JSON if b'"__REALTIME_TIMESTAMP"' in start else Kind.JSON
    if b"\0" not in start:
        return Kind.TEXT
    printable_share = sum(byte >= 32 or byte in (0, 9, 10) for byte in start) / len(start)
    return Kind.NUL if printable_share == 1 else Kind.BINARY
