"""Many small files of one folder as one text: `path: value`, or the lines of a file under a line with its path.

What is printed of a file is sent before the next one is read, so that one that never answers costs those after it only.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from diag.nodekit.collector import KIB, Values
from diag.nodekit.jobs import Outlet
from diag.nodekit.judge import Document
from diag.nodekit.machine import NO_VALUE, Machine
from diag.nodekit.printable import printable
from diag.nodekit.problems import reason_for, words_of
from diag.nodekit.vocabulary import TakenStatus, UnknownReason

MAX_FILES = 4000
LONGEST = 64 * KIB  # bytes of one file
MAX_WORDS = 200


def send_values(machine: Machine, take: Values, outlet: Outlet) -> Document:
    """Send every file, and say what could not be read."""
    sent, files = 0, 0
    failed: list[OSError] = []
    for path in _paths(machine, take, failed):
        outlet.about_to({"op": "read", "path": path})
        try:
            text = _shown(path, machine.read_bytes(path, LONGEST + 1))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as problem:
            if problem.errno not in NO_VALUE:
                failed.append(problem)
            text = f"{path}: ({problem.strerror})\n".encode("utf-8", "replace")
        files += 1
        if sent + len(text) > take.limit or files > MAX_FILES:
            words = f"what came after {files - 1} files is left out: it is over its limit"
            return {"status": TakenStatus.PARTIAL, "reason": UnknownReason.PRECONDITION, "words": words}
        outlet.send(text)
        sent += len(text)
    return _facts(take, sent, failed)


def _facts(take: Values, sent: int, failed: list[OSError]) -> Document:
    if failed:
        words = printable(f"{len(failed)} could not be read, the first: {words_of(failed[0])}", MAX_WORDS)
        status = TakenStatus.PARTIAL if sent else TakenStatus.MISSING
        return {"status": status, "reason": reason_for(failed[0]), "words": words}
    if not sent:
        return {"status": TakenStatus.ABSENT, "words": f"nothing of it is in {take.path}"}
    return {"status": TakenStatus.COLLECTED}


def _paths(machine: Machine, take: Values, failed: list[OSError]) -> Iterator[str]:
    for pattern in take.files:
        yield from _matching(machine, take.path, pattern.split("/"), failed)


def _matching(machine: Machine, folder: str, parts: list[str], failed: list[OSError]) -> Iterator[str]:
    try:
        names = (
            [name for name in machine.names(folder) if fnmatchcase(name, parts[0])] if "*" in parts[0] else parts[:1]
        )
    except OSError as problem:
        failed.append(problem)
        return
    for name in names:
        path = f"{folder}/{name}"
        yield from _matching(machine, path, parts[1:], failed) if parts[1:] else (path,)


def _shown(path: str, content: bytes) -> bytes:
    cut = len(content) > LONGEST
    text = content.replace(b"\0", b" ").rstrip()
    if cut:
        text = text.rpartition(b"\n")[0] + b"\n(what came after is left out)"
    name = path.encode("utf-8", "replace")
    return name + b":\n" + text + b"\n\n" if b"\n" in text else name + b": " + text + b"\n"
