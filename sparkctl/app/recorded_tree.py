"""A tree made of a recording: what programs read on a node, laid out so that the same programs can read it again."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from sparkctl.errors import ContractError
from sparkctl.model.base import CONTROLS, INVISIBLE
from sparkctl.model.evidence_path import Apart, checked_path, folded
from sparkctl.model.recording import NOTE, LookNote, MachineNote, Note, ReadNote, RunNote

MAX_LINE = 32 * 2**20
FACTS, COMMANDS = ".tree.json", "cmd/commands.json"
OURS = (FACTS, COMMANDS)
"""Files of a tree that the node does not have: we write them."""
RUN_OUTPUT = "run-"
MOST_COPIES = 9
"""Paths that would be one file where case is lost; more of them have no place."""
MOST_FILES = MOST_FOLDERS = 10_000
MOST_DEPTH = 64
"""Names of folders and of a file behind one another; what our programs read lies in a fifth of that."""
_ODD = re.compile(rf"[\\{CONTROLS}{INVISIBLE}\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a content lies in the tree, and the number of its copy where it is not the first there."""

    path: str
    copy: int | None = None


@dataclass
class RecordedTree:
    """The tree under `root` while it is made of notes. The first note of a read counts, unless a later one has more.

    `left_out` counts what has no place in a tree: names of ours, paths that no bundle holds, what is too many.
    """

    root: Path
    simulated: bool
    left_out: int = 0
    _facts: dict[str, Any] = field(default_factory=dict)
    _about: dict[str, Any] = field(default_factory=dict)
    _reads: dict[str, ReadNote] = field(default_factory=dict)
    _places: dict[str, _Place] = field(default_factory=dict)
    _apart: Apart = field(default_factory=Apart)
    _folders: set[PurePosixPath] = field(default_factory=set)
    _printed: int = 0
    _looks: dict[str, dict[str, Any]] = field(default_factory=dict)
    _runs: dict[tuple[tuple[str, ...], bool], dict[str, Any]] = field(default_factory=dict)

    def add(self, lines: Iterable[bytes], *, is_whole: bool = True) -> None:
        """Add the notes of one task; raises ContractError for what is no note, unless they were cut off somewhere."""
        for line in lines:
            try:
                self._note(_parsed(line))
            except ContractError:
                if is_whole:
                    raise
                self.left_out += 1

    def _note(self, note: Note) -> None:
        if isinstance(note, MachineNote):
            self._facts = {"euid": note.euid, "now": note.now}
            self._about = {"live": note.live, "ends": note.ends}
        elif isinstance(note, ReadNote):
            self._read(note)
        elif isinstance(note, LookNote):
            answer = {"error": told(note)} if note.error else {"value": note.value}
            self._looks.setdefault(note.op, {}).setdefault(note.path, answer)
        else:
            self._run(note)

    def _read(self, note: ReadNote) -> None:
        known = self._reads.get(note.path)
        if known is not None and (note.error or (not known.error and known.limit >= note.limit)):
            return
        content = _content(note)
        if content is not None:
            place = self._places.get(note.path) or self._place(note.path)
            if place is None:
                self.left_out += 1
                return
            self._places[note.path] = place
            self._write(place.path, content)
        self._reads[note.path] = note.model_copy(update={"text": None, "base64": None})

    def _place(self, path: str) -> _Place | None:
        """A place that no other content has, None where there is none."""
        relative = resting_path(path)
        if _is_ours(relative) or self._is_full:
            return None
        for copy in (None, *range(2, MOST_COPIES + 1)):
            place = _Place(relative if copy is None else f"~{copy}/{relative}", copy)
            if self._takes(place.path):
                return place
        return None

    def _takes(self, path: str) -> bool:
        """Whether a file can lie there beside the others; its name is taken then."""
        folders = set(PurePosixPath(path).parents)
        if len(folders) > MOST_DEPTH or len(self._folders) + len(folders - self._folders) > MOST_FOLDERS:
            return False
        try:
            checked_path(f"tree/{path}")
            self._apart.add(path)
        except ValueError:
            return False
        self._folders |= folders
        return True

    @property
    def _is_full(self) -> bool:
        return len(self._places) + self._printed >= MOST_FILES

    def _write(self, path: str, content: bytes) -> None:
        place = self.root / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(content)

    def _run(self, note: RunNote) -> None:
        key = (tuple(note.argv), note.elevate)
        if key in self._runs:
            return
        entry: dict[str, Any] = {"argv": note.argv, "elevate": note.elevate, "seconds": note.seconds}
        if note.error is not None:
            self._runs[key] = entry | {"error": told(note)}
            return
        if self._is_full:
            self.left_out += 1
            return
        name = f"{RUN_OUTPUT}{len(self._runs):04d}"
        self._printed += 1
        self._write(f"cmd/{name}", note.stdout.encode("utf-8", "replace"))
        self._runs[key] = entry | {
            "rc": note.rc or 0, "stdout_file": name, "stderr": note.stderr, "truncated": note.truncated,
        }  # fmt: skip

    def close(self) -> None:
        """Write what was noted beside the contents."""
        reads = {path: self._told(path, note) for path, note in sorted(self._reads.items())}
        looks = {op: dict(sorted(answers.items())) for op, answers in sorted(self._looks.items())}
        facts = self._facts | {"simulated": self.simulated, "recorded": self._about | {"read": reads} | looks}
        (self.root / FACTS).write_text(json.dumps(facts, indent=1), "utf-8")
        (self.root / "cmd").mkdir(mode=0o700, exist_ok=True)
        (self.root / COMMANDS).write_text(json.dumps(list(self._runs.values()), indent=1), "utf-8")

    def _told(self, path: str, note: ReadNote) -> dict[str, Any]:
        place = self._places.get(path)
        copy = {"copy": place.copy} if place is not None and place.copy is not None else {}
        dropped = {"dropped": note.dropped} if note.dropped else {}
        return {"limit": note.limit} | dropped | copy | ({"error": told(note)} if note.error else {})


def resting_path(path: str) -> str:
    """Where a content lies below the tree by the rule of `resting_place` in diag/nodekit/recording.py."""
    parts = ["%2E%2E" if part == ".." else part for part in path.split("/") if part not in ("", ".")]
    return escaped_name("/".join(parts))


def escaped_name(path: str) -> str:
    """A path with what cannot be in a bundle written as `%5C`."""
    return _ODD.sub(_percent, path)


def _percent(odd: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in odd.group().encode("utf-8", "surrogatepass"))


def _is_ours(relative: str) -> bool:
    name = folded(relative)
    return name in ("", FACTS, "cmd", COMMANDS) or name.startswith((f"{COMMANDS}/", f"{FACTS}/", f"cmd/{RUN_OUTPUT}"))


def told(note: ReadNote | LookNote | RunNote) -> dict[str, Any]:
    """What a read raised, as the program that reads the tree wants it."""
    assert note.error is not None  # noqa: S101 - the caller looked
    return note.error.model_dump(exclude_none=True)


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a spooled recording; the last one may have been cut, where the node's program was."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise ContractError("too_large", f"a note of the recording has more than {MAX_LINE} bytes")
            if line.endswith(b"\n") and line != b"\n":
                yield line


def _parsed(line: bytes) -> Note:
    try:
        return NOTE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise ContractError(
            "schema_violation", f"a note of the recording is not one: {where}: {first['msg']}"
        ) from error


def _content(note: ReadNote) -> bytes | None:
    if note.base64 is not None:
        try:
            return base64.b64decode(note.base64, validate=True)
        except binascii.Error as error:
            raise ContractError("schema_violation", f"the recording of {note.path[:100]} is no base64") from error
    return None if note.text is None else note.text.encode("utf-8", "replace")
