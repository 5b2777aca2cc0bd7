"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest of it means something."""

import math
from json import JSONEncoder
from typing import Any, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a JSON document can hold."""

_quote = JSONEncoder(ensure_ascii=False).encode
_sorted_dumps = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_WHOLE_LIMIT = 2.0**53
_SMALLEST_PLAIN = 1e-4  # below it Python writes an exponent

# ECMAScript writes a number without an exponent while its decimal point stands within these places.
_POINT_MIN = -6
_POINT_MAX = 21


def canonical_json(value: Json) -> bytes:
    """Write a value as RFC 8785 does: keys sorted by UTF-16 code units, no white space, numbers as in ECMAScript.

    The RFC knows no integer beyond 2**53; such integers are written digit by digit, because evidence is not rounded.
    Raises ValueError for NaN, infinities and lone surrogates, TypeError for what is not JSON.
    """
    try:
        return _sorted_dumps(_as_written_alike(value)).encode("utf-8")
    except _OnlyByHand:
        return canonical_by_hand(value)


def canonical_by_hand(value: Json) -> bytes:
    """The same, in Python from beginning to end: slower, and right where Python's own encoder writes otherwise."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8")


class _OnlyByHand(Exception):
    """A value that Python's encoder would not write as RFC 8785 does."""


def _as_written_alike(value: Any) -> Any:
    """The value with every number in a form that Python's encoder writes as ECMAScript does.

    Raises _OnlyByHand where there is none: exponents, huge whole doubles, keys whose order depends on the encoding.
    """
    kind = type(value)
    if kind is dict:
        if not all(type(key) is str and key.isascii() for key in value):
            raise _OnlyByHand
        return {key: _as_written_alike(member) for key, member in value.items()}
    if kind is list:
        return [_as_written_alike(item) for item in value]
    if kind is float:
        if value.is_integer() and abs(value) < _WHOLE_LIMIT:
            return int(value)
        if not _SMALLEST_PLAIN <= abs(value) < _WHOLE_LIMIT:
            raise _OnlyByHand
        return value
    if kind is str or kind is int or kind is bool or value is None:
        return value
    raise _OnlyByHand


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
