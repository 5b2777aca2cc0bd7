"""JSON from a hostile sender is refused with its own cause."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_json_writes_is_read_back(value: object) -> None:
    text = json.dumps(value, ensure_ascii=True, allow_nan=False).encode()
    assert strict_json.parse(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b'{"ok":true,"ok":false}', "duplicate_key"),
        (b'[{"a":{"b":1,"b":1}}]', "duplicate_key"),
        (b"[NaN]", "not_a_number"),
        (b"[-Infinity]", "not_a_number"),
        (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep"),
        (b'"\xff"', "not_utf8"),
        (b"", "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":1} {"b":2}', "not_json"),
        (b"9" * 10_000, "not_json"),
    ],
)
def test_refusals(text: bytes, cause: str) -> None:
    with pytest.raises(ContractError) as refused:
        strict_json.parse(text)
    assert refused.value.cause == cause


def test_the_repeated_key_is_named() -> None:
    with pytest.raises(ContractError, match="'serial' stands twice"):
        strict_json.parse(b'{"serial":"a","node":1,"serial":"b"}')
