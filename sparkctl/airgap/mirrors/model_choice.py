"""Which files of a repository are taken: what a pattern names, and what runs code when loaded by its ending alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from sparkctl.airgap.mirrors.git_objects import MAX_POINTER, Entry, Objects, Pointer, pointer_in
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_models import Model
from sparkctl.model.printable import clip, printable

RUNS_CODE = (
    ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".npy", ".npz", ".t7", ".h5", ".keras",
    ".pb", ".nemo", ".mar", ".py", ".so", ".sh", ".ipynb",
)  # fmt: skip
"""Endings of files that are pickles, may hold one, or are programs: loading them runs what somebody wrote into them."""

_TOLD = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is taken; with a pointer its content lies in Git LFS, without one in git.

    `size` is that of the content in bytes, None for a file of git that is not among the objects.
    """

    path: str
    blob: str
    pointer: Pointer | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is taken of a model, sorted by path, and sentences on what is not."""

    wanted: Sequence[Wanted]
    left_out: Sequence[str]


def choice(objects: Objects, model: Model, *, blobs: bool) -> Choice:
    """What is taken of a commit; raises UsageError where a pattern names nothing, RefusedError.

    With `blobs`, files of git itself are among the objects; without, pointers alone are.
    """
    wanted, dangerous, other = [], [], []
    for entry in objects.entries(model.revision):
        if entry.plain and any(_takes(pattern, entry.path) for pattern in model.files):
            wanted.append(_wanted(objects, entry, blobs=blobs))
        elif _runs_code(entry.path):
            dangerous.append(entry.path)
        else:
            other.append(entry.path)
    if not wanted:
        raise UsageError(
            f"no file of {model.repository} is named by its patterns", hint="correct `files` of that model"
        )
    told = [_loudly(model, path) for path in dangerous[:_TOLD]]
    told += [f"{model.repository}: and {len(dangerous) - _TOLD:,} more LEFT OUT"] * (len(dangerous) > _TOLD)
    return Choice(sorted(wanted, key=lambda one: one.path.encode()), [*told, *_counted(model, other)])


def _takes(pattern: str, path: str) -> bool:
    """Hidden files are never taken: nothing serves them. What runs code is taken by a pattern with its ending alone."""
    if any(part.startswith(".") for part in path.split("/")) or not fnmatchcase(path, pattern):
        return False
    return not _runs_code(path) or PurePosixPath(path).suffix.lower() == PurePosixPath(pattern).suffix.lower()


def _runs_code(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in RUNS_CODE


def _wanted(objects: Objects, entry: Entry, *, blobs: bool) -> Wanted:
    if not blobs and not objects.has(entry.blob):
        return Wanted(entry.path, entry.blob, None, None)
    content = objects.content("blob", entry.blob, *(() if blobs else (MAX_POINTER,)))
    try:
        pointer = pointer_in(content)
    except ValueError as error:
        raise RefusedError(f"{printable(entry.path, 300)} {error}") from None
    return Wanted(entry.path, entry.blob, pointer, pointer.size if pointer else len(content))


def _loudly(model: Model, path: str) -> str:
    return clip(
        f"{model.repository}: {printable(path, 300)} IS LEFT OUT: loading such a file runs code that is in it; "
        "a pattern that ends as it does takes it",
        700,
    )


def _counted(model: Model, paths: Sequence[str]) -> list[str]:
    """One sentence on all that no pattern names."""
    found = Counter(PurePosixPath(path).suffix or PurePosixPath(path).name for path in paths)
    if not found:
        return []
    kinds = ", ".join(f"{printable(kind, 40)} ({count:,})" for kind, count in found.most_common(12))
    return [clip(f"{model.repository}: {len(paths):,} files that no pattern names, or links: {kinds}", 700)]
