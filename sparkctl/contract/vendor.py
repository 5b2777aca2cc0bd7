"""From the bytes of a file to documents of the vendor's tools, as a hostile sender might have written them."""

import math
import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError
from sparkctl.model.base import INVISIBLE
from sparkctl.model.printable import printable
from sparkctl.model.vendor import SHAPES, ShapeName, VendorDocument
from sparkctl.model.vendor_mapping.outline import WrongType
from sparkctl.model.vendor_mapping.taking import Taken, take

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_VALUES = 1_000_000
BEGIN, END = b"BEGIN_DGX_PAYLOAD", b"END_DGX_PAYLOAD"
# What the tools pass on from commands has line breaks and tabs; nothing else may steer a terminal or hide text.
_HOSTILE = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{INVISIBLE}\ud800-\udfff]")
_HOSTILE_NAME = re.compile(_HOSTILE.pattern[:-1] + "\t\n\r]")


class NoShape(ContractError):
    """A document of none of the shapes; `shapes` says why it is none of each."""

    def __init__(self, shapes: dict[ShapeName, str]) -> None:
        super().__init__("no_shape", "the document has none of the shapes that the vendor's tools write")
        self.shapes = shapes


@dataclass(frozen=True, slots=True)
class Piece:
    """One document of a file: the line that it begins on, and the size of the payload behind it, None without one."""

    line: int
    text: bytes
    payload_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A document with its shape and what its fields mean."""

    shape: ShapeName
    document: VendorDocument
    content: dict[str, Any]
    taken: Taken


def pieces(text: bytes) -> list[Piece]:
    """The documents of a file: the whole of it, or one on each line.

    A payload between marks belongs to the document before it and is only counted. Raises ContractError for a mark
    without its pair and for a payload without a document.
    """
    lines, payloads = _without_payloads(text)
    if not lines:
        return []
    if _is_by_line([line for _, line in lines]):
        return [Piece(number, line, payloads.get(at)) for at, (number, line) in enumerate(lines, 1)]
    whole = b"\n".join(line for _, line in lines)
    return [Piece(lines[0][0], whole, sum(payloads.values()) if payloads else None)]


def _without_payloads(text: bytes) -> tuple[list[tuple[int, bytes]], dict[int, int]]:
    """Numbered lines that hold something, outside of payloads, and the bytes of payload behind the n-th of them."""
    lines: list[tuple[int, bytes]] = []
    payloads: dict[int, int] = {}
    begun: int | None = None
    for number, line in enumerate(text.split(b"\n"), 1):
        mark = line.strip()
        if mark == BEGIN and begun is None:
            if not lines:
                raise ContractError(
                    "payload_marks", f"the payload that begins on line {number} has no document before it"
                )
            begun = number
            payloads.setdefault(len(lines), 0)
        elif mark == END:
            if begun is None:
                raise ContractError("payload_marks", f"line {number} ends a payload that nothing began")
            begun = None
        elif begun is not None:
            payloads[len(lines)] += len(line) + 1
        elif mark:
            lines.append((number, mark))
    if begun is not None:
        raise ContractError("payload_marks", f"the payload that begins on line {begun} has no end: the text was cut")
    return lines, payloads


def _is_by_line(lines: list[bytes]) -> bool:
    """Whether each line is a document of its own. One document on many lines has lines that begin otherwise."""
    return len(lines) > 1 and (
        all(line.startswith(b"{") for line in lines) or (lines[0].startswith(b"{") and lines[0].endswith(b"}"))
    )


def read_vendor(text: bytes) -> Read:
    """Read one document.

    Raises ContractError with the cause `too_large`, those of `strict_json.parse`, `control_character`, or `no_shape`
    (then it is a NoShape).
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        raise ContractError("too_large", f"the document has {len(text):,} bytes, more than {MAX_DOCUMENT_BYTES:,}")
    content = strict_json.parse(text)
    _refuse_hostile(content)
    if not isinstance(content, dict):
        raise NoShape(dict.fromkeys(SHAPES, "it is no JSON object"))
    why: dict[ShapeName, str] = {}
    for shape, model in SHAPES.items():
        try:
            document = model.model_validate_json(text)
            return Read(shape, document, content, take(document, content))
        except ValidationError as error:
            why[shape] = _complaint(error)
        except WrongType as error:
            why[shape] = printable(str(error))
    raise NoShape(why)


def _complaint(error: ValidationError) -> str:
    """The first complaint, and how many more there are."""
    first, *others = error.errors(include_url=False, include_input=False, include_context=False)
    where = printable(".".join(map(str, first["loc"])) or "the document")
    words = f"it lacks {where}" if first["type"] == "missing" else f"{where}: {printable(first['msg'])}"
    return words + (f" (and {len(others)} more)" if others else "")


def _refuse_hostile(content: Any) -> None:
    """Refuse depth, numbers that are none, and characters that could fool a terminal or a reader; without recursion."""
    waiting: list[tuple[Any, int]] = [(content, 1)]
    values = 1
    while waiting:
        value, depth = waiting.pop()
        values += len(value) if isinstance(value, dict | list) else 0
        if values > MAX_VALUES:
            raise ContractError("too_large", f"the document has more than {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise ContractError("too_deep", f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            for key in value:
                _refuse_character(_HOSTILE_NAME, key, "a key")
            waiting.extend((member, depth + 1) for member in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
        elif isinstance(value, str):
            _refuse_character(_HOSTILE, value, "a text")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ContractError("not_a_number", "a number is too large to be one")


def _refuse_character(pattern: re.Pattern[str], text: str, what: str) -> None:
    match = pattern.search(text)
    if match is not None:
        around = printable(text[max(0, match.start() - 20) : match.end() + 20], 60)
        raise ContractError("control_character", f"{what} holds a character that it may not: {around}")
