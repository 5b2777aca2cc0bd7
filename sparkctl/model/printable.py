"""Make text of unknown origin safe to show: what could steer a terminal becomes a visible escape."""

import re

from sparkctl.model.base import CONTROLS, INVISIBLE, MAX_TEXT

_UNPRINTABLE = re.compile(rf"[{CONTROLS}{INVISIBLE}\ud800-\udfff]")


QUOTED = 200
"""Characters of somebody else's words that a message of ours quotes."""


def printable(text: str, limit: int = QUOTED) -> str:
    """One line of at most `limit` characters, without controls, surrogates, or what hides or reorders text."""
    shown = _UNPRINTABLE.sub(_escape, text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    number = ord(match.group())
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """Words of ours, which may quote more than a record can hold, cut to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
