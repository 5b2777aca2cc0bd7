"""Node ranges: `spark[01-16]` stands for sixteen names, and sixteen names fold back into it.

A range is `[part,part...]` with parts `7`, `01-16`, `01-15:2` (every second one) or `a-f`. Numbers keep the width of
the first one, so `[01-100]` counts 01, 02 ... 99, 100. A name may hold several ranges; the last one turns fastest.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from math import prod

from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

MAX_NAMES = 100_000
"""Names that one text may stand for."""

_MAX_DIGITS = 18
_PIECE = re.compile(r"([^\[\],]+)|\[([^\[\]]*)\]")
_NUMBERS = re.compile(r"([0-9]+)-([0-9]+)(?::([0-9]+))?")
_LETTERS = re.compile(r"([a-z])-([a-z])(?::([0-9]+))?|([A-Z])-([A-Z])(?::([0-9]+))?")
_LITERAL = re.compile(r"[A-Za-z0-9._]+")
_DIGITS = re.compile(r"([0-9]+)")


class RangeError(UsageError):
    """A text that is no list of names and ranges; `offset` is where the fault begins and `reason` says what it is."""

    def __init__(self, reason: str, text: str, offset: int) -> None:
        super().__init__(f"'{printable(text)}': {reason}", hint="A range reads spark[01-16], [01-08,12] or [01-15:2].")
        self.reason = reason
        self.offset = offset


def expand(text: str) -> list[str]:
    """Return the names that `text`, a comma-separated list of names and ranges, stands for, in the order written.

    Raises RangeError on what is no range, and on more than MAX_NAMES names.
    """
    names: list[str] = []
    for offset, pieces in _split(text):
        if len(names) + prod(len(choices) for choices in pieces) > MAX_NAMES:
            raise RangeError(f"stands for more than {MAX_NAMES:,} names", text, offset)
        names.extend("".join(parts) for parts in product(*pieces))
    return names


def has_range(text: str) -> bool:
    """Whether the text uses brackets at all."""
    return "[" in text or "]" in text


def _split(text: str) -> list[tuple[int, list[Sequence[str]]]]:
    """Cut at commas outside brackets; each pattern is its offset and, for each piece, the texts it may be."""
    patterns: list[tuple[int, list[Sequence[str]]]] = [(0, [])]
    offset = 0
    while offset < len(text):
        if text[offset] == ",":
            _require_name(patterns[-1][1], text, offset)
            offset += 1
            patterns.append((offset, []))
            continue
        found = _PIECE.match(text, offset)
        if found is None:
            raise RangeError(
                "a bracket is not closed" if text[offset] == "[" else "a bracket is not opened", text, offset
            )
        literal, inside = found.groups()
        pieces = patterns[-1][1]
        pieces.append([literal.strip()] if literal is not None else _choices(inside, text, offset + 1))
        if prod(map(len, pieces)) > MAX_NAMES:
            raise RangeError(f"stands for more than {MAX_NAMES:,} names", text, patterns[-1][0])
        offset = found.end()
    _require_name(patterns[-1][1], text, len(text))
    return patterns


def _require_name(pieces: list[Sequence[str]], text: str, offset: int) -> None:
    if not pieces or (len(pieces) == 1 and list(pieces[0][:1]) == [""]):
        raise RangeError("a name is missing", text, min(offset, max(len(text) - 1, 0)))


def _choices(inside: str, text: str, offset: int) -> list[str]:
    choices: list[str] = []
    for part in inside.split(","):
        stripped = part.strip()
        step = _step_range(stripped, text, offset)
        if step is None:
            if not _LITERAL.fullmatch(stripped):
                raise RangeError(f"[{printable(inside)}] is not a range", text, offset)
            choices.append(stripped)
        else:
            if len(choices) + len(step) > MAX_NAMES:
                raise RangeError(f"stands for more than {MAX_NAMES:,} names", text, offset)
            choices.extend(step)
        offset += len(part) + 1
    return choices


def _step_range(part: str, text: str, offset: int) -> Sequence[str] | None:
    if found := _NUMBERS.fullmatch(part):
        first, last, step = found.groups()
        if max(len(first), len(last), len(step or "")) > _MAX_DIGITS:
            raise RangeError(f"{printable(part)} has a number too large to count", text, offset)
        numbers = range(int(first), int(last) + 1, _step(step, part, text, offset))
        if not numbers or len(last) < len(first):
            raise RangeError(f"{part} counts backwards or changes its width", text, offset)
        if len(numbers) > MAX_NAMES:
            raise RangeError(f"stands for more than {MAX_NAMES:,} names", text, offset)
        return [str(number).zfill(len(first)) for number in numbers]
    if found := _LETTERS.fullmatch(part):
        first, last, step = (group for group in (found.groups()[:3] if found[1] else found.groups()[3:]))
        letters = range(ord(first), ord(last) + 1, _step(step, part, text, offset))
        if not letters:
            raise RangeError(f"{part} counts backwards", text, offset)
        return [chr(letter) for letter in letters]
    return None


def _step(step: str | None, part: str, text: str, offset: int) -> int:
    if step is not None and (len(step) > _MAX_DIGITS or int(step) == 0):
        raise RangeError(f"{printable(part)} needs a step of at least 1", text, offset)
    return int(step) if step else 1


def natural_key(name: str) -> tuple[str | tuple[int, str, int], ...]:
    """Order names as a person would: `spark2` before `spark10`, and `spark02` after `spark2`."""
    parts = _DIGITS.split(name)
    return tuple(_number_key(part) if index % 2 else part for index, part in enumerate(parts))


def _number_key(digits: str) -> tuple[int, str, int]:
    # By value, without making a number of what may be thousands of digits; then the narrower of equal values first.
    significant = digits.lstrip("0")
    return len(significant), significant, len(digits)


def natural_sorted(names: Iterable[str]) -> list[str]:
    """Names without repetition, ordered by `natural_key`."""
    return sorted(set(names), key=natural_key)


def fold(names: Iterable[str]) -> str:
    """Return the shortest usual way to write a set of node names: `spark[01-12,14],web1`.

    The inverse of `expand`, up to order and repetition; the same set always folds to the same text.
    """
    # A pattern is text, choices, text, choices ... with every run of digits a set of choices, at first of one.
    patterns = [tuple(_DIGITS.split(name)) for name in natural_sorted(names)]
    for place in range(max((len(pattern) for pattern in patterns), default=0) - 2, 0, -2):
        patterns = _fold_place(patterns, place)
    return ",".join("".join(pattern) for pattern in patterns)


def _fold_place(patterns: list[tuple[str, ...]], place: int) -> list[tuple[str, ...]]:
    """Join the patterns that differ at `place` alone."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for pattern in patterns:
        if place < len(pattern):
            alike.setdefault((*pattern[:place], "", *pattern[place + 1 :]), []).append(pattern[place])
        else:
            alike[pattern] = []
    return [
        (*rest[:place], _fold_numbers(found), *rest[place + 1 :]) if found else rest for rest, found in alike.items()
    ]


def _fold_numbers(texts: list[str]) -> str:
    """Write runs of digits as `[01-12,14]`, or as they are when there is one."""
    if len(texts) == 1:
        return texts[0]
    runs: list[tuple[str, str]] = []
    open_runs: dict[tuple[int, int], int] = {}
    for text in sorted(texts, key=_number_key):
        index = _run_before(text, open_runs)
        if index is None:
            index = len(runs)
            runs.append((text, text))
        else:
            runs[index] = (runs[index][0], text)
        if len(text) < _MAX_DIGITS:
            open_runs[int(text) + 1, len(runs[index][0])] = index
    return "[" + ",".join(first if first == last else f"{first}-{last}" for first, last in runs) + "]"


def _run_before(text: str, open_runs: dict[tuple[int, int], int]) -> int | None:
    """The run that `text` continues: one that waits for its value and would pad it to the same width."""
    if len(text) >= _MAX_DIGITS:
        return None
    value = int(text)
    widths = (len(text),) if text.startswith("0") else range(len(text), 0, -1)
    for width in widths:
        index = open_runs.pop((value, width), None)
        if index is not None:
            return index
    return None
