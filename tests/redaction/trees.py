"""Whole trees, redacted file by file as a collector of evidence would have it done."""

import io
import os
from pathlib import Path

from sparkctl.redaction.known import Known
from sparkctl.redaction.learning import Learner
from sparkctl.redaction.redactor import Kind, Redactor
from sparkctl.redaction.standins import Pseudonyms

KEY = bytes(range(32))
SECONDS = 60.0


def kind_of(path: str) -> Kind:
    """How a file of a tree is to be read."""
    name = path.rpartition("/")[2]
    if path in ("cmd/commands.json", ".tree.json"):
        return Kind.RECORDING
    if name.startswith("journal") and name.endswith(".json"):
        return Kind.JOURNAL_JSON
    if name.endswith(".json"):
        return Kind.JSON
    if name in ("wtmp", "btmp", "utmp") or name.endswith(".journal") or "pstore" in path:
        return Kind.BINARY
    return Kind.NUL if name in ("cmdline", "environ") and path.startswith("proc/") else Kind.TEXT


def harvest(root: Path) -> Known:
    """What the files of a tree tell of their node."""
    known = Known()
    learner = Learner(known)
    for path in files_of(root):
        name = str(path.relative_to(root))
        with path.open("rb") as source:
            learner.read(name, kind_of(name), source, seconds=SECONDS)
    return known


def files_of(root: Path) -> list[Path]:
    """Regular files of a tree, pipes left out."""
    return sorted(path for path in root.rglob("*") if not path.is_symlink() and path.is_file())


def redactor_for(root: Path, key: bytes = KEY) -> Redactor:
    """A redactor that knows the node of a tree."""
    return Redactor(Pseudonyms(key), harvest(root))


def redacted(redactor: Redactor, name: str, kind: Kind, content: bytes) -> bytes:
    """What becomes of bytes."""
    sink = io.BytesIO()
    redactor.stream(name, kind, io.BytesIO(content), sink, seconds=SECONDS)
    return sink.getvalue()


def redact_tree(root: Path, target: Path, redactor: Redactor) -> Path:
    """Redact every file and every name of a tree into a new one; times of files are kept."""
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        place = target / redactor.path(name)
        if path.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(redactor.path(str(path.readlink())))
        elif path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif path.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(redacted(redactor, name, kind_of(name), path.read_bytes()))
            moment = path.stat().st_mtime_ns
            os.utime(place, ns=(moment, moment))
    return target
