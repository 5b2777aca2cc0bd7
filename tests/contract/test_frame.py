"""The document is found in any noise, and only if it is the one that was asked for."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.contract.frame import FRAME_MAGIC, unframe
from sparkctl.errors import ContractError

NONCE = "0123456789abcdef" * 2


def framed(document: bytes, nonce: str = NONCE) -> bytes:
    digest = hashlib.sha256(document).hexdigest()
    return f"{FRAME_MAGIC} {nonce} {len(document)} {digest}\n".encode() + document + b"\n"


@given(before=st.binary(max_size=200), document=st.binary(max_size=200), after=st.binary(max_size=200))
def test_noise_is_counted_and_does_no_harm(before: bytes, document: bytes, after: bytes) -> None:
    found = unframe(before + framed(document) + after, NONCE)
    assert (found.document, found.noise_bytes) == (document, len(before) + len(after))


def test_a_document_of_another_run_is_no_document() -> None:
    with pytest.raises(ContractError) as refused:
        unframe(framed(b"{}", "f" * 32), NONCE)
    assert refused.value.cause == "no_document"


@pytest.mark.parametrize("lost", range(1, 100, 7))
def test_every_truncation_is_noticed(lost: int) -> None:
    whole = framed(b"x" * 50).rstrip(b"\n")
    with pytest.raises(ContractError) as refused:
        unframe(whole[:-lost], NONCE)
    assert refused.value.cause in ("frame_damaged", "no_document")


def test_a_changed_byte_is_noticed() -> None:
    with pytest.raises(ContractError, match="digest"):
        unframe(framed(b'{"ok":true}').replace(b"true", b"True"), NONCE)


def test_the_first_frame_counts_and_the_second_is_noise() -> None:
    second = framed(b"second")
    found = unframe(framed(b"first") + second, NONCE)
    assert (found.document, found.noise_bytes) == (b"first", len(second))
