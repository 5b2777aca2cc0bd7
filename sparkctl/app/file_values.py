"""Values in files of operators: from text to what is meant; each raises ValueError with half a sentence."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from sparkctl.model.base import PRINTABLE


class MayBeSecretError(ValueError):
    """What is wrong with a value that no message repeats: a secret may have come to stand in its place."""


_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PRINTABLE = re.compile(PRINTABLE)
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def matches(pattern: str, words: str) -> Callable[[str], str]:
    """A text that is as a pattern says; `words` are half a sentence for any other."""

    def convert(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(words)
        return text

    return convert


def one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    """One of these words."""

    def convert(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return convert


def number(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def convert(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high:,}")
        return int(text)

    return convert


def percent(text: str) -> float:
    """A share such as `50%`, from 0 to 1."""
    return number(0, 100)(text.removesuffix("%")) / 100


def size(text: str) -> int:
    """A size such as `4M`, in bytes."""
    figure, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not unit:
        raise ValueError("must be a size such as 512K or 4M")
    found = number(1, 999_999)(figure) * _UNITS[unit]
    if not 64 * 2**10 <= found <= 2**30:
        raise ValueError("must be from 64K to 1G")
    return found


def minute_of_day(text: str) -> int:
    """A time of the UTC day such as `03:10`, in minutes since midnight."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("must be a time of the UTC day such as 03:10")
    return int(text[:2]) * 60 + int(text[3:])


def seconds(text: str) -> int:
    """A duration in seconds; raises ValueError with half a sentence."""
    match = _DURATION.fullmatch(text)
    if match is None or not 0 <= int(match[1]) * _SECONDS[match[2]] <= 366 * 86400:
        raise ValueError("must be a duration such as 90s, 10m, 6h or 2d")
    return int(match[1]) * _SECONDS[match[2]]


def selector_word(text: str) -> str:
    """One word of a selector; what it selects is known when the fleet is read."""
    if not text or len(text) > 1000 or not _PRINTABLE.fullmatch(text):
        raise ValueError("must be one printable line of 1 to 1,000 characters")
    return text


def lexical(path: Path) -> Path:
    """An absolute path without `..`; links in it stay, since an operator may turn them."""
    return Path(os.path.normpath(path.absolute()))
