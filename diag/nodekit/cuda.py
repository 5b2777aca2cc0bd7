"""CUDA toolkits in their usual place."""

from __future__ import annotations

import json
import re
from functools import partial

from diag.nodekit.facet import Look
from diag.nodekit.machine import Machine
from diag.nodekit.words import name, word

PREFIX = "/usr/local"
DEFAULT = "/usr/local/cuda"
TOOLKIT = re.compile(r"cuda(-[\w.]+)?")
MAX_TOOLKITS = 40
MAX_LINKS = 4


def toolkits(look: Look) -> dict[str, str]:
    """Versions by folder (`cuda-13.0`); links to a toolkit are none of their own."""
    machine = look.machine
    found = {}
    folders = [folder for folder in machine.names(PREFIX) if TOOLKIT.fullmatch(folder)]
    for folder in folders[:MAX_TOOLKITS]:
        here = f"{PREFIX}/{folder}"
        if machine.link_target(here) is not None:
            continue
        text = look.at(f"cuda[{name(folder)}]", partial(machine.read_or_none, f"{here}/version.json"), here)
        version = look.at(f"cuda[{name(folder)}]", partial(toolkit_version, text), here)
        if version is not None:
            found[name(folder)] = version
    return found


def toolkit_version(text: str | None) -> str | None:
    """The version in a toolkit's version.json, None where there is no such file; raises ValueError."""
    if text is None:
        return None
    try:
        parts = json.loads(text)
    except RecursionError as error:
        raise ValueError("version.json is nested too deeply") from error
    part = parts.get("cuda") if isinstance(parts, dict) else None
    version = part.get("version") if isinstance(part, dict) else None
    if not isinstance(version, str):
        raise ValueError("version.json names no version of CUDA")  # noqa: TRY004 - bad text is a ValueError
    return word(version)


def default_toolkit(machine: Machine) -> str | None:
    """The folder that /usr/local/cuda leads to, None when that is no link."""
    path, found = DEFAULT, None
    for _ in range(MAX_LINKS):
        goal = machine.link_target(path)
        if goal is None:
            break
        path = goal if goal.startswith("/") else f"{path.rpartition('/')[0]}/{goal}"
        found = path.rstrip("/").rpartition("/")[2]
    return word(found)
