"""Read JSON as a hostile sender might write it: no duplicate keys, no NaN, no depth beyond reason, UTF-8 only."""

import contextlib
import json
from typing import Any, NoReturn

from pydantic_core import from_json, to_json

from sparkctl.errors import ContractError


def parse(text: bytes) -> Any:
    """The value of one JSON document.

    Raises ContractError with the cause `not_utf8`, `not_json`, `duplicate_key`, `not_a_number` or `too_deep`.
    """
    # What reads back to the same bytes was written as we write, and holds nothing twice. It is the cheaper question.
    with contextlib.suppress(ValueError):
        value = from_json(text, allow_inf_nan=False)
        if to_json(value) == text:
            return value
    return _parse_with_care(text)


def _parse_with_care(text: bytes) -> Any:
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ContractError("not_utf8", f"byte {error.start} is not UTF-8") from error
    try:
        return json.loads(decoded, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ContractError("not_json", f"not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise ContractError("too_deep", "nested deeper than any document of ours") from error
    except ValueError as error:  # a number with more digits than Python converts
        raise ContractError("not_json", "a number is too long") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ContractError("duplicate_key", f"the key {repeated[:80]!r} stands twice in one object")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ContractError("not_a_number", f"{name} is not JSON")
