"""The stream of a bundle, as an honest node and as a hostile one sends it."""

import os
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.nodekit import jobs
from sparkctl.contract.stream import CHUNK, FRAME, EntryStream
from sparkctl.errors import ContractError

NONCE = "ab12"
FIRST = b"sparkctl-stream/1 ab12\n"
END = FRAME.pack(b"E", 0, 0, 0)


def frame(number: int, content: bytes, *, raw: int | None = None) -> bytes:
    packed = zlib.compress(content, 1)
    return FRAME.pack(b"D", number, len(packed), len(content) if raw is None else raw) + packed


def fed(stream: bytes, *, piece: int = 1 << 20, limit: int = 1 << 20) -> tuple[dict[int, bytes], bytes, EntryStream]:
    reader, contents, outside = EntryStream(NONCE, limit=limit), dict[int, bytes](), b""
    for start in range(0, len(stream), piece):
        chunks, rest = reader.feed(stream[start : start + piece])
        outside += rest
        for chunk in chunks:
            contents[chunk.number] = contents.get(chunk.number, b"") + chunk.content
    return contents, outside, reader


@given(
    entries=st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=300)), max_size=8),
    before=st.binary(max_size=60),
    behind=st.binary(max_size=60),
    piece=st.integers(1, 200),
)
def test_contents_and_noise_come_out_whatever_the_pieces(
    entries: list[tuple[int, bytes]], before: bytes, behind: bytes, piece: int
) -> None:
    stream = before + FIRST + b"".join(frame(*entry) for entry in entries) + END + behind
    contents, outside, reader = fed(stream, piece=piece)
    wanted: dict[int, bytes] = {}
    for number, content in entries:
        wanted[number] = wanted.get(number, b"") + content
    assert (contents, outside, reader.ended) == (wanted, before + behind, True)
    assert reader.received == len(stream) - len(before) - len(behind)


def test_what_is_no_stream_is_handed_on_to_whoever_reads_the_document() -> None:
    said = b"bash: python3: command not found\n" * 40
    _, outside, reader = fed(said, piece=7)
    assert said.startswith(outside)
    assert len(said) - len(outside) < len(FIRST)
    assert not reader.ended


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(FRAME.pack(b"X", 0, 1, 1), id="no such kind"),
        pytest.param(FRAME.pack(b"D", 0, 2**31, 10), id="a frame of gigabytes"),
        pytest.param(FRAME.pack(b"D", 0, 10, CHUNK + 1), id="more than a frame may hold"),
        pytest.param(FRAME.pack(b"D", 0, 10, 0), id="nothing"),
        pytest.param(frame(0, b"a" * 100, raw=99), id="longer than it says"),
        pytest.param(frame(0, b"a" * 100, raw=101), id="shorter than it says"),
        pytest.param(frame(0, b"\0" * (8 << 20), raw=CHUNK), id="a bomb"),
        pytest.param(FRAME.pack(b"D", 0, 5, 5) + b"hello", id="not packed"),
        pytest.param(FRAME.pack(b"D", 0, len(zlib.compress(b"a") + b"x"), 1) + zlib.compress(b"a") + b"x", id="a tail"),
        pytest.param(FRAME.pack(b"D", 0, 4, 1) + zlib.compress(b"a")[:4], id="cut off"),
    ],
)
def test_a_frame_that_is_not_one_is_refused(bad: bytes) -> None:
    with pytest.raises(ContractError) as refused:
        fed(FIRST + frame(1, b"good") + bad + END)
    assert refused.value.cause == "frame_damaged"


def test_more_than_the_limit_is_refused_as_it_comes() -> None:
    noise = os.urandom(CHUNK)
    with pytest.raises(ContractError) as refused:
        fed(FIRST + frame(0, noise) * 3, limit=2 * CHUNK)
    assert refused.value.cause == "too_large"
    contents, _, _ = fed(FIRST + frame(0, noise) * 2, limit=2 * CHUNK)
    assert len(contents[0]) == 2 * CHUNK


def test_the_frame_is_that_of_the_node() -> None:
    assert (jobs.FRAME.format, jobs.CHUNK, jobs.STREAM_MAGIC) == (FRAME.format, CHUNK, FIRST.split()[0].decode())
    assert (jobs.DATA, jobs.END) == (b"D", b"E")
    assert struct.calcsize(">cHII") == FRAME.size


def test_a_stream_of_very_many_small_frames_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparkctl.contract.stream.MAX_FRAMES", 10)
    assert fed(FIRST + frame(0, b"a") * 10)[0] == {0: b"a" * 10}
    with pytest.raises(ContractError, match="more than 10 frames"):
        fed(FIRST + frame(0, b"a") * 11)
