"""What a mirror.yaml is made of before it is written: every word of a node in a form that no file can be broken by."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sparkctl.model.printable import printable
from sparkctl.model.site import AptPin

SENTENCE = 400
"""Characters of a sentence of mirror.yaml at most."""

_NAME = 40


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a mirror: `file` beside mirror.yaml, and `sha256` of the node's own, None where nobody knows it.

    `path` is where the node has the file, None where it has no such file. `how` says where the keys come from.
    """

    file: str
    path: str | None
    sha256: str | None
    how: str
    command: str | None = None
    """What brings the file where it has to be cut out of another one of the node; NODE stands for its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An archive to mirror; `source` is the file of the node that names it. A flat one has no suites."""

    name: str
    source: str
    uri: str
    suites: Sequence[str]
    components: Sequence[str]
    architectures: Sequence[str]
    keyring: Keyring
    notes: Sequence[str] = ()

    @property
    def flat(self) -> bool:
        """Whether its index lies beside its packages, so that the mirror has to be signed again."""
        return not self.suites


@dataclass
class Found:
    """What was found: `not_covered` are sentences on what clients will miss, `left_out` on what nobody will.

    `suggested` are blocks of lines that stand in the file as a comment.
    """

    entries: list[Entry] = field(default_factory=list)
    pins: list[AptPin] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    suggested: list[list[str]] = field(default_factory=list)

    def lacks(self, sentence: str) -> None:
        """Note what clients will miss."""
        self.not_covered.append(plain(sentence))

    def leaves(self, sentence: str) -> None:
        """Note what is left out, and why that is right."""
        self.left_out.append(plain(sentence))


def plain(text: str, limit: int = SENTENCE) -> str:
    """One line of ASCII of at most `limit` characters: what YAML may not hold, and what hides, shows as an escape."""
    shown = printable(text, 4 * limit).encode("ascii", "backslashreplace").decode("ascii")
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def listed(names: Collection[str], limit: int = 120) -> str:
    """Names in a sentence, as many as have room, and how many there are beyond."""
    shown: list[str] = []
    for name in names:
        if shown and sum(map(len, shown)) + 2 * len(shown) + len(name) > limit:
            return f"{', '.join(shown)} and {len(names) - len(shown):,} more"
        shown.append(plain(name, limit))
    return ", ".join(shown)


def short_name(text: str, taken: Collection[str]) -> str:
    """A name for an entry of mirror.yaml, made of another name, which is not yet taken."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(words) > _NAME:
        words = words[: _NAME + 1].rpartition("-")[0] or words[:_NAME]
    first = words.strip("-") or "unnamed"
    found, again = first, 1
    while found in taken:
        again += 1
        found = f"{first[: _NAME - len(str(again)) - 1].rstrip('-')}-{again}"
    return found
