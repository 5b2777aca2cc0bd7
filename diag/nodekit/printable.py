"""Make text of unknown origin safe to show: what cannot be printed becomes a visible escape."""

from __future__ import annotations

import re

MAX_TEXT = 1000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, limit: int = MAX_TEXT) -> str:
    """One line of at most `limit` characters without control characters, surrogates or bidirectional overrides."""
    shown = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def one_line(text: str) -> str:
    """The words of a text on one line, each run of white space one blank."""
    return " ".join(text.split())
