"""Ask for the answer to a tree, by the program or by its modules in this process, and compare answers."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Elevation
from diag.reset.correlate import is_under
from diag.reset.evidence import Report
from diag.reset.report import document
from diag.reset.scope import Scope
from diag.reset.source_task import load_sources
from diag.reset.sources.boot import current_boot
from sparkctl.model.reset import ResetData, ResetEnvelope

Document = dict[str, Any]
PROGRAM = Path(__file__).parents[2] / "diag" / "reset_reason_reporter.py"
AXES = ("termination", "reset_domain", "initiator")


class Watched(Machine):
    """Notes which paths were looked at; one that is handed to a tool whole ends with a slash."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.looked_at: set[str] = set()

    def read_bytes(self, path: str, limit: int = 1 << 18) -> bytes:
        self.looked_at.add(path.strip("/"))
        return super().read_bytes(path, limit)

    def read_newest(self, path: str, limit: int) -> tuple[bytes, int]:
        self.looked_at.add(path.strip("/"))
        return super().read_newest(path, limit)

    def exists(self, path: str) -> bool:
        self.looked_at.add(path.strip("/"))
        return super().exists(path)

    def names(self, path: str) -> list[str]:
        self.looked_at.add(path.strip("/"))
        return super().names(path)

    def place(self, path: str) -> str:
        self.looked_at.add(f"{path.strip('/')}/")
        return super().place(path)


def readings_of(root: Path, only: Collection[str] | None = None) -> list[tuple[Report, set[str]]]:
    """What every source, or `only` some, bring of all boots, and where they looked; one that breaks fails the test."""
    tasks = load_sources(Scope(None))
    declared = frozenset(argv for task in tasks for argv in task.elevated)
    found = []
    for task in tasks:
        if only is None or task.name in only:
            machine = Watched(str(root), Elevation.COMMANDS, declared)
            (part,), bugs = task.judge(machine)
            assert bugs == []
            found.append((Report.of(json.loads(json.dumps(part))), machine.looked_at))
    return found


def reports_of(root: Path, only: Collection[str] | None = None) -> list[Report]:
    """What every source, or `only` some, bring of all boots; one that breaks fails the test."""
    return [report for report, _ in readings_of(root, only)]


def answer(root: Path, known: Sequence[Report] = ()) -> Document:
    """All transitions of a tree, by the modules of the program in this process; the schema is held.

    What is `known` is not read again.
    """
    names = [task.name for task in load_sources(Scope(None))]
    fresh = reports_of(root, set(names) - {one.source for one in known})
    reports = sorted([*known, *fresh], key=lambda one: names.index(one.source))
    made = document(reports, current_boot(Machine(str(root))), None)
    ResetData.model_validate_json(json.dumps(made))
    return made


def data_of(printed: bytes | str) -> Document:
    """The data of an envelope that was printed; the schema is held."""
    data = ResetEnvelope.model_validate_json(printed).data
    assert data is not None
    return data.model_dump(mode="json")


def run_program(root: Path, *arguments: str) -> Document:
    """What the program itself says of a tree, as a node would run it."""
    argv = [sys.executable, "-I", "-S", str(PROGRAM), "--root", str(root), *arguments]
    ran = subprocess.run(argv, capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return data_of(ran.stdout)


def claims(made: Document) -> list[tuple[str, ...]]:
    """The claims of all transitions, newest first."""
    return [tuple(one["claims"][axis] for axis in AXES) for one in made["transitions"]]


def boots_in(made: Document) -> set[str]:
    """The boots that a document tells of."""
    return {one[key] for one in made["transitions"] for key in ("from_boot_id", "to_boot_id")} - {None}


def excess(part: Document, whole: Document, foreign: Collection[str] = ()) -> list[str]:
    """What a document says that another one, which had more evidence, does not: empty when it says the same or less.

    A transition is held against what the other says of the same boot's end, and of what came before the same boot; the
    newest against the newest. Those between two `foreign` boots are passed over.
    """
    found = []
    for one in part["transitions"]:
        if {one["from_boot_id"], one["to_boot_id"]} <= set(foreign):
            continue
        same = [other for other in whole["transitions"] if _is_same(one, other)]
        found += [words for other in same for words in _more(one, other)]
        if not same and any(one["claims"][axis] != "any" for axis in AXES):
            found.append(f"{one['from_boot_id']} to {one['to_boot_id']} is asserted, which was no transition")
    return found


def _is_same(one: Document, other: Document) -> bool:
    keys = ("from_boot_id", "to_boot_id")
    return one["index"] == other["index"] == 0 or any(one[key] is not None and one[key] == other[key] for key in keys)


def _more(one: Document, other: Document) -> Iterator[str]:
    where = f"{one['index']} ({one['from_boot_id']} to {one['to_boot_id']})"
    for axis in AXES:
        if not is_under(other["claims"][axis], one["claims"][axis]):
            yield f"{where}: {axis} {one['claims'][axis]}, with more evidence {other['claims'][axis]}"
        if not set(other["open"][axis]) <= set(one["open"][axis]):
            yield f"{where}: {axis} leaves {one['open'][axis]} open, with more evidence {other['open'][axis]}"
