"""What `apt-get --simulate` says it would do: apt-get(8), lines that begin with Inst, Conf, Remv and Purg."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from diag.nodekit.printable import one_line, printable

INST = re.compile(r"Inst (\S+) (?:\[([^\]]*)\] )?\((\S+) (.*?)\[([^\]]+)\]\)")
UNMET = re.compile(r" \S+ : (?:Pre)?Depends: ")
REMOVED = re.compile(r"(?:Remv|Purg) (\S+)")
COMPLAINTS = (
    ("version_unavailable", re.compile(r"^E: Version '.*' for '.*' was not found", re.MULTILINE)),
    ("package_unknown", re.compile(r"^E: Unable to locate package ", re.MULTILINE)),
    ("held", re.compile(r"^E: Held packages were changed", re.MULTILINE)),
    ("would_remove", re.compile(r"^E: Packages need to be removed", re.MULTILINE)),
    ("would_downgrade", re.compile(r"^E: Packages were downgraded", re.MULTILINE)),
    ("broken_dependencies", re.compile(r"^E: Unable to correct problems|^E: Broken packages", re.MULTILINE)),
)  # fmt: skip


@dataclass
class Changes:
    """By name: versions before (None for a new package) and after, where each comes from; and those to be removed."""

    versions: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)


def changes_in(text: str) -> Changes:
    """What a simulation announced; raises ValueError for a line that begins as one and is none."""
    found = Changes()
    for line in text.splitlines():
        if line.startswith("Inst "):
            match = INST.match(line)
            if match is None:
                raise ValueError(f"apt-get says what we do not understand: {line[:100]!r}")
            found.versions[match[1]] = (match[2], match[3])
            found.origins[match[1]] = match[4].strip()
        elif match := REMOVED.match(line):
            found.removed.append(match[1])
    return found


def complaint_in(said: str) -> tuple[str, str]:
    """Why a simulation ended badly: a stable code, and the lines that say so."""
    lines = [line for line in said.splitlines() if line.startswith("E: ")][:1]
    lines += [line for line in said.splitlines() if UNMET.match(line)][:1]
    words = printable(one_line(" ".join(lines) or said), 300) or "apt-get said nothing"
    return next((code for code, pattern in COMPLAINTS if pattern.search(said)), "apt_refuses"), words
