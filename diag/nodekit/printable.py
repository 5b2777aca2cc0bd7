"""Make text of unknown origin safe to show: what cannot be printed becomes a visible escape."""

from __future__ import annotations

import re

MAX_TEXT = 1000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text: str, limit: int = MAX_TEXT) -> str:
    """One line of at most `limit` characters without control characters, surrogates or bidirectional overrides."""
    shown = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def one_line(text: str) -> str:
    """The words of a text on one line, each run of white space one blank."""
    return " ".join(text.split())


def times(count: int) -> str:
    """How often: `once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def age(seconds: float) -> str:
    """A span of time for people: `40 s`, `12 min`, `5.0 h`, `13.8 days`."""
    for size, unit in ((86400, "days"), (3600, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
