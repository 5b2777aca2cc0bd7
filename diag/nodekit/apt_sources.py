"""Where APT takes packages from, and what it is told to prefer: sources.list(5) and apt_preferences(5).

User names and passwords in a URI stay on the node, as does a query.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from diag.nodekit.facet import Look
from diag.nodekit.machine import Machine
from diag.nodekit.words import bounded, name, word, words

APT = "/etc/apt"
KEYRINGS = "apt_keyrings"  # the field of what sources name, which cannot be told where one of them could not be read
# APT passes over files with other names than these.
FILE_NAME = re.compile(r"[A-Za-z0-9_.-]+")
CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:/*)[^/@]*@")
LEGACY = re.compile(r"(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)")
YES, NO = (
    frozenset({"yes", "true", "with", "on", "enable", "1"}),
    frozenset({"no", "false", "without", "off", "disable"}),
)
KEY_BLOCK = "-----BEGIN"
MAX_FILES = 100
MAX_ENTRIES = 300
MAX_URI = 400  # characters
MAX_URIS = 100  # of one source
MAX_PRIORITY = 32767  # APT keeps it in 16 bits


def apt_sources(look: Look) -> dict[str, Any]:
    """Sources by file, the second of a file as `FILE#2`."""
    machine = look.machine
    found: dict[str, Any] = {}
    for path in _files(machine, "sources.list", (".list", ".sources")):
        parse, file = (parse_sources if path.endswith(".sources") else parse_list), os.path.basename(path)
        text = look.at(f"apt_sources[{file}]", partial(machine.read_or_none, path), path, also=(KEYRINGS,))
        found.update(_numbered(file, parse(text or "")))
    return bounded(found, MAX_ENTRIES, "package sources")


def believed_unsigned(machine: Machine) -> list[str]:
    """The URIs of sources that APT is told to trust without a signature; raises OSError."""
    found: list[str] = []
    for path in _files(machine, "sources.list", (".list", ".sources")):
        parse = parse_sources if path.endswith(".sources") else parse_list
        entries = parse(machine.read_or_none(path) or "")
        found += [uri for entry in entries if entry["enabled"] and entry["trusted"] for uri in entry["uris"]]
    return found


def apt_pins(look: Look) -> dict[str, Any]:
    """Preferences by file, the second of a file as `FILE#2`."""
    machine = look.machine
    found: dict[str, Any] = {}
    for path in _files(machine, "preferences", ("", ".pref")):
        file = os.path.basename(path)
        text = look.at(f"apt_pins[{file}]", partial(machine.read_or_none, path), path)
        pins = look.at(f"apt_pins[{file}]", partial(parse_preferences, text or ""), path)
        found.update(_numbered(file, pins or []))
    return bounded(found, MAX_ENTRIES, "package preferences")


def parse_sources(text: str) -> list[dict[str, Any]]:
    """The stanzas of a `.sources` file."""
    return [
        {
            "types": words(stanza.get("types", "").split()),
            "uris": words([bare_uri(uri) for uri in stanza["uris"].split()], MAX_URI)[:MAX_URIS],
            "suites": words(stanza.get("suites", "").split()),
            "components": words(stanza.get("components", "").split()),
            "architectures": words(stanza.get("architectures", "").split()),
            "signed_by": _signed_by(stanza.get("signed-by", "")),
            "enabled": _switch(stanza.get("enabled")) is not False,
            "trusted": _switch(stanza.get("trusted")),
        }
        for stanza in stanzas(text)
        if "uris" in stanza
    ]


def parse_list(text: str) -> list[dict[str, Any]]:
    """The lines of a `.list` file; a line that is commented out is none."""
    found = []
    for line in text.splitlines():
        match = LEGACY.fullmatch(line.partition("#")[0].strip())
        if match is None:
            continue
        options = dict(option.partition("=")[::2] for option in (match[2] or "").split())
        found.append(
            {
                "types": [match[1]],
                "uris": words([bare_uri(match[3])], MAX_URI),
                "suites": words([match[4]]),
                "components": words(match[5].split()),
                "architectures": words(options.get("arch", "").split(",")),
                "signed_by": _signed_by(options.get("signed-by", "")),
                "enabled": True,
                "trusted": _switch(options.get("trusted")),
            }
        )
    return found


def parse_preferences(text: str) -> list[dict[str, Any]]:
    """The records of a preferences file; raises ValueError when a priority is no number or too large."""
    return [
        {
            "packages": words(stanza["package"].split()),
            "pin": word(stanza.get("pin"), MAX_URI),
            "priority": _priority(stanza["pin-priority"]),
        }
        for stanza in stanzas(text)
        if "package" in stanza and "pin-priority" in stanza
    ]


def _priority(text: str) -> int:
    priority = int(text)
    if abs(priority) > MAX_PRIORITY:
        raise ValueError(f"{text[:40]} is no priority of APT")
    return priority


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Paragraphs of `Key: value` lines, keys in lower case; a line that begins with a blank continues the value."""
    stanza: dict[str, str] = {}
    key = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, key = {}, ""
        elif line[0].isspace():
            stanza[key] = f"{stanza.get(key, '')} {line.strip()}"
        else:
            key, _, value = (part.strip() for part in line.partition(":"))
            key = key.lower()
            stanza[key] = value


def bare_uri(uri: str) -> str:
    """The URI without user, password, query and fragment."""
    return re.split(r"[?#]", CREDENTIALS.sub(r"\1", uri), maxsplit=1)[0]


def _signed_by(text: str) -> str | None:
    """Paths or fingerprints; a key that stands in the file itself is said to be `embedded`."""
    return "embedded" if KEY_BLOCK in text else word(text, MAX_URI)


def _switch(text: str | None) -> bool | None:
    value = (text or "").strip().lower()
    return True if value in YES else False if value in NO or value == "0" else None


def _files(machine: Machine, kind: str, endings: tuple[str, ...]) -> list[str]:
    """The file of this kind and those of its folder that APT reads; an empty ending stands for names without a dot."""
    folder = f"{APT}/{kind}.d"
    return [
        f"{APT}/{kind}",
        *(f"{folder}/{file}" for file in machine.names(folder)[:MAX_FILES] if _is_read(file, endings)),
    ]


def _is_read(file: str, endings: tuple[str, ...]) -> bool:
    return FILE_NAME.fullmatch(file) is not None and os.path.splitext(file)[1] in endings


def _numbered(file: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {name(file if number == 1 else f"{file}#{number}"): entry for number, entry in enumerate(entries, 1)}
