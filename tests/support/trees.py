"""Build rooted trees for the programs in `diag/` from what a case states."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def build_tree(
    root: Path,
    *,
    files: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    commands: Sequence[Mapping[str, Any]] = (),
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Lay out a tree under `root`.

    `files` maps absolute paths to text (a trailing slash makes an empty folder), `links` maps paths to targets,
    `commands` are recordings whose `run` is a command line, `facts` goes to `.tree.json`.
    """
    for path, text in (files or {}).items():
        target = root / path.lstrip("/")
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8", "surrogateescape"))
    for path, goal in (links or {}).items():
        link = root / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(goal)
    recordings = [
        {"argv": shlex.split(command["run"]), **{key: value for key, value in command.items() if key != "run"}}
        for command in commands
    ]
    (root / "cmd").mkdir(parents=True, exist_ok=True)
    (root / "cmd" / "commands.json").write_text(json.dumps(recordings), "utf-8")
    (root / ".tree.json").write_text(json.dumps(dict(facts or {})), "utf-8")
    return root
