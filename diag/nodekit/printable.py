"""Make text of unknown origin safe to show: what cannot be printed becomes a visible escape."""

from __future__ import annotations

import re

MAX_TEXT = 1000
# The same as the bastion refuses: controls, line separators, bidirectional overrides, invisible characters, tags.
UNPRINTABLE = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff"
)
"""As it stands in the brackets of an expression."""
_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")


def printable(text: str, limit: int = MAX_TEXT) -> str:
    """One line of at most `limit` characters, without controls, surrogates, or what hides or reorders text."""
    shown = _UNPRINTABLE.sub(_escape, text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


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
