"""A rooted tree: what the programs in `diag/` read in place of a live machine."""

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Recording = dict[str, Any]
SUDO = ("sudo", "-n")
FACTS = ".tree.json"
COMMANDS = "cmd/commands.json"


@dataclass
class Tree:
    """The parts of a tree by their absolute path on the node.

    `files` hold text or bytes, `links` what a symbolic link points to, `folders` are folders that may stay empty,
    `pipes` are files whose read never returns, `ages` seconds since a file was last written, `commands` recordings.
    """

    files: dict[str, str | bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    pipes: list[str] = field(default_factory=list)
    ages: dict[str, float] = field(default_factory=dict)
    commands: list[Recording] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def put(self, folder: str, **files: object) -> None:
        """Add files to one folder, each with its value and a newline."""
        self.files.update((f"{folder}/{name}", f"{value}\n") for name, value in files.items())

    def record(self, argv: Iterable[str], stdout: str = "", *, rc: int = 0, stderr: str = "", delay: float = 0) -> None:
        """Record what a command prints."""
        entry: Recording = {"argv": list(argv), "stdout": stdout, "stderr": stderr, "rc": rc}
        self.commands.append(entry | {"delay_s": delay} if delay else entry)

    def record_for_root(self, argv: tuple[str, ...], stdout: str = "", *, rc: int = 0, stderr: str = "") -> None:
        """Record a command that needs root: as root runs it, and as an ordinary user does under sudo."""
        self.record(argv, stdout, rc=rc, stderr=stderr)
        self.record((*SUDO, *argv), stdout, rc=rc, stderr=stderr)

    def record_long(self, argv: tuple[str, ...], name: str, stdout: str) -> None:
        """Record a command that prints much or dates it: its words are the file `name` beside the recordings."""
        self.files[f"/cmd/{name}"] = stdout
        for words in (argv, (*SUDO, *argv)):
            self.commands.append({"argv": [*words], "stdout": "", "stderr": "", "rc": 0, "stdout_file": name})

    def refuse_sudo(self) -> None:
        """Let sudo want a password for whatever is recorded under it."""
        for entry in self.commands:
            if entry["argv"][:2] == [*SUDO]:
                entry.pop("stdout_file", None)
                entry |= {"stdout": "", "stderr": "sudo: a password is required\n", "rc": 1}


class Pool:
    """Contents that many trees of a lab have in common: each is written once and linked into every tree.

    Making a hundred trees of hundreds of files would take minutes on some disks; linking takes seconds.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def file(self, content: bytes, target: Path) -> None:
        """Put a file with this content at `target`."""
        self._share(_digest(content), target, lambda place: place.write_bytes(content))

    def link(self, goal: str, target: Path) -> None:
        """Put a symbolic link to `goal` at `target`."""
        self._share(f"link-{_digest(goal.encode())}", target, lambda place: place.symlink_to(goal))

    def _share(self, name: str, target: Path, make: Callable[[Path], object]) -> None:
        shared = self._folder / name
        try:
            os.link(shared, target, follow_symlinks=False)
        except FileNotFoundError:
            # Another thread may be making the same: each makes its own, and the first one stays.
            own = self._folder / f"{name}.{threading.get_ident()}"
            make(own)
            _protect(own)
            with contextlib.suppress(FileExistsError):
                os.link(own, shared, follow_symlinks=False)
            own.unlink()
            os.link(shared, target, follow_symlinks=False)
        except OSError:  # this file has as many links as the file system allows
            make(target)


def _protect(shared: Path) -> None:
    """Many trees hold this file: writing to it in one would change them all."""
    if not shared.is_symlink():
        shared.chmod(0o444)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def write_tree(tree: Tree, root: Path, pool: Pool, now: float) -> None:
    """Write the tree and point the link `root` to it, so that a reader sees all of the old one or all of the new one.

    `now` is the time in seconds since the epoch that ages count from. Raises OSError.
    """
    _replace(root, lambda fresh: _lay_out(tree, fresh, pool, now))


def root_view(root: Path) -> Path:
    """The same tree as root of the node sees it: nothing is denied, the user id is 0. Written when first asked for.

    `root` must be a folder that `write_tree` made, not the link to it.
    """
    view = root.with_name(f"{root.name}-root")
    if not view.exists():
        fresh = view.with_name(f"{view.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(root, fresh, symlinks=True, copy_function=os.link)
        facts = json.loads((root / FACTS).read_text("utf-8"))
        (fresh / FACTS).unlink()  # the link only: the facts of the other view stay as they are
        (fresh / FACTS).write_text(json.dumps(facts | {"euid": 0, "denied": []}), "utf-8")
        fresh.rename(view)
    return view


def _replace(root: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder and point the link `root` to it; the folder before it stays for those who still read it."""
    before = root.readlink().name if root.is_symlink() else None
    number = 1 if before is None else int(before.rpartition(".")[2]) + 1
    fresh = root.with_name(f".{root.name}.{number}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fill(fresh)
    link = root.with_name(f".{root.name}.link")
    link.unlink(missing_ok=True)
    link.symlink_to(fresh.name)
    link.replace(root)
    for old in root.parent.glob(f".{root.name}.*"):
        if old.name.removesuffix("-root") not in (fresh.name, before):
            shutil.rmtree(old, ignore_errors=True)


def _lay_out(tree: Tree, root: Path, pool: Pool, now: float) -> None:
    made: set[Path] = set()

    def ready(path: str) -> Path:
        place = root / path.lstrip("/")
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        return place

    for folder in tree.folders:
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for path, content in tree.files.items():
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        if path in tree.ages:
            ready(path).write_bytes(data)
        else:
            pool.file(data, ready(path))
    for path, goal in tree.links.items():
        pool.link(goal, ready(path))
    for path in tree.pipes:
        ready(path).unlink(missing_ok=True)
        os.mkfifo(ready(path))
    ready(f"/{COMMANDS}").write_text(json.dumps(tree.commands), "utf-8")
    (root / FACTS).write_text(json.dumps(tree.facts), "utf-8")
    for path, age in tree.ages.items():
        os.utime(root / path.lstrip("/"), (now - age, now - age))
