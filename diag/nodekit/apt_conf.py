"""What APT is told to do by itself: apt.conf(5) as far as periodic work and unattended upgrades go.

Of all other settings (a proxy may hold a password) nothing leaves this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from diag.nodekit.machine import Machine
from diag.nodekit.words import name, word, words

APT_CONF = "/etc/apt/apt.conf"
CONF_FOLDER = "/etc/apt/apt.conf.d"
FILE_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.conf)?")
TOKEN = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/|\"([^\"\n]*)\"|([{};])|([^\s{};\"]+)", re.DOTALL)
PERIODIC = "apt::periodic::"
UNATTENDED = "unattended-upgrade::"
MAX_FILES = 100
MAX_PERIODIC = 40
MAX_VALUE = 400


def automatic_updates(machine: Machine) -> dict[str, Any] | None:
    """What is set, None where nothing is; raises OSError."""
    files = [file for file in machine.names(CONF_FOLDER)[:MAX_FILES] if FILE_NAME.fullmatch(file)]
    texts = [machine.read_or_none(path) or "" for path in (*(f"{CONF_FOLDER}/{file}" for file in files), APT_CONF)]
    return parse_updates(texts)


def parse_updates(texts: list[str]) -> dict[str, Any] | None:
    """The settings of configuration files in their order: of a single value the last counts, lists are added up."""
    single: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for text in texts:
        for key, value in settings(text):
            if key.endswith("::"):
                lists.setdefault(key[:-2].lower(), []).append(value)
            else:
                single[key.lower()] = value
    periodic = {key[len(PERIODIC) :]: value for key, value in single.items() if key.startswith(PERIODIC)}
    unattended = any(key.startswith(UNATTENDED) for key in (*single, *lists))
    if not periodic and not unattended:
        return None

    def entries(*keys: str) -> list[str]:
        return words([value for key in keys for value in lists.get(UNATTENDED + key, [])], MAX_VALUE)

    kept = {name(key): word(value) for key, value in sorted(periodic.items())[:MAX_PERIODIC]}
    return {
        "periodic": {key: value for key, value in kept.items() if value is not None},
        "origins": entries("allowed-origins", "origins-pattern"),
        "blacklist": entries("package-blacklist"),
        "automatic_reboot": word(single.get(f"{UNATTENDED}automatic-reboot")),
    }


def settings(text: str) -> Iterator[tuple[str, str]]:
    """Full keys and values: `A { B "1"; };` and `A::B "1";` alike give `A::B`; an entry of a list ends in `::`."""
    scopes: list[str] = []
    key: str | None = None
    value: str | None = None
    for match in TOKEN.finditer(text):
        quoted, mark, bare = match.groups()
        if mark == "{":
            scopes.append(key or "")
            key = value = None
        elif mark == "}":
            scopes = scopes[:-1]
            key = value = None
        elif mark == ";":
            if value is not None:
                yield "::".join([*scopes, key or ""]), value
            key = value = None
        elif quoted is not None:
            value = quoted
        elif bare is not None and key is None:
            key = bare
        elif bare is not None:
            value = bare
