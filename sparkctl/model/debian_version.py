"""The order of Debian package versions (Debian Policy, section 5.6.12), for a bastion that need not be a Debian."""

import re

Key = tuple[int, tuple[tuple[tuple[int, ...], int], ...], tuple[tuple[tuple[int, ...], int], ...]]

_PIECE = re.compile(r"(\D*)(\d*)")
_END = ((0,), 0)
_AFTER_LETTERS = 256


def version_key(version: str) -> Key:
    """Sorts versions as dpkg does: `1.0~rc1` < `1.0` < `1.0-1` < `1:0.9`."""
    head, colon, rest = version.strip().partition(":")
    epoch, rest = (int(head), rest) if colon and head.isascii() and head.isdigit() else (0, version.strip())
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return epoch, _key(upstream), _key(revision)


def at_least(installed: str, wanted: str) -> bool:
    """Whether a version is the wanted one or a later one."""
    return version_key(installed) >= version_key(wanted)


def _key(part: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Pieces of other characters and digits in turn; the end of a part stands above a tilde and below all else.

    An empty part is the same as `0`.
    """
    pieces = (match.groups() for match in _PIECE.finditer(part) if match[0])
    found = tuple((_order(text), int(digits or "0")) for text, digits in pieces)
    return (*(found or (_END,)), _END)


def _order(text: str) -> tuple[int, ...]:
    return (*(_weight(character) for character in text), 0)


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isascii() and character.isalpha() else ord(character) + _AFTER_LETTERS
