"""Make text of unknown origin safe to show: what could steer a terminal becomes a visible escape."""

import re

from sparkctl.model.base import MAX_TEXT

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


QUOTED = 200
"""Characters of somebody else's words that a message of ours quotes."""


def printable(text: str, limit: int = QUOTED) -> str:
    """One line of at most `limit` characters without control characters, surrogates or bidirectional overrides."""
    shown = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def clip(text: str, limit: int = MAX_TEXT) -> str:
    """Words of ours, which may quote more than a record can hold, cut to `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
