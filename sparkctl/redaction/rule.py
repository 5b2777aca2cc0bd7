"""What a rule is, and the expressions that several of them have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from sparkctl.redaction.standins import Class

Place = Callable[[bytes, int, int], bool]
"""Whether what was found at `start` to `end` of some bytes is meant, judged by what stands around it."""
Value = Callable[[bytes], bool]
"""Whether a value is one, judged by itself."""
Ends = Callable[[bytes], int]
"""How many bytes of what a pattern took as a value are of it."""

HEX = r"[0-9A-Fa-f]"
IPV4 = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
NAME = r"([A-Za-z_][A-Za-z0-9_.-]{0,63}\$?)"
IS = r"""["']?[ \t]{0,8}[:=][ \t]{0,8}["']?"""
"""What stands between a key and its value in JSON, YAML, an environment or a log."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    `pattern` is RE2; its first group that takes part is the value, the whole where there is none. `where` says in words
    where it looks. `accepts` judges the place, `takes` the value, `ends` says where the value ends.
    """

    id: str
    kind: Class
    pattern: str
    where: str
    accepts: Place | None = None
    takes: Value | None = None
    ends: Ends | None = None
