"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest of it means something."""

import math
from json import JSONEncoder
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a JSON document can hold."""

_quote = JSONEncoder(ensure_ascii=False).encode

# ECMAScript writes a number without an exponent while its decimal point stands within these places.
_POINT_MIN = -6
_POINT_MAX = 21


def canonical_json(value: Json) -> bytes:
    """Write a value as RFC 8785 does: keys sorted by UTF-16 code units, no white space, numbers as in ECMAScript.

    The RFC knows no integer beyond 2**53; such integers are written digit by digit, because evidence is not rounded.
    Raises ValueError for NaN, infinities and lone surrogates, TypeError for what is not JSON.
    """
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


def _write(value: Json, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(_quote(value))
    elif isinstance(value, bool) or value is None:
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        parts.append(str(value))
    elif isinstance(value, float):
        parts.append(ecmascript_number(value))
    elif isinstance(value, list):
        _write_array(value, parts)
    elif isinstance(value, dict):
        _write_object(value, parts)
    else:
        raise TypeError(f"{type(value).__name__} is not a JSON type")


def _write_array(items: list[Json], parts: list[str]) -> None:
    mark = "["
    for item in items:
        parts.append(mark)
        _write(item, parts)
        mark = ","
    parts.append("]" if items else "[]")


def _write_object(members: dict[str, Json], parts: list[str]) -> None:
    mark = "{"
    for key in sorted(members, key=_utf16):
        parts.append(f"{mark}{_quote(key)}:")
        _write(members[key], parts)
        mark = ","
    parts.append("}" if members else "{}")


def _utf16(key: str) -> bytes:
    # Big-endian bytes compare as the code units they spell.
    return key.encode("utf-16-be")


def ecmascript_number(value: float) -> str:
    """Write a double as `Number.prototype.toString` does; raises ValueError for NaN and infinities."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in JSON")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _shortest(abs(value))
    count = len(digits)
    if count <= point <= _POINT_MAX:
        return sign + digits.ljust(point, "0")
    if 0 < point <= _POINT_MAX:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if _POINT_MIN < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _shortest(value: float) -> tuple[str, int]:
    """Digits of the shortest decimal that reads back as `value`, and its point: 0.DIGITS times 10**point."""
    # Python's repr chooses the same digits as ECMAScript; only the notation differs.
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    return digits.strip("0"), len(whole) - leading + int(exponent or "0")
