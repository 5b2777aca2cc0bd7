"""The spool holds what came against what the node says that it sent, and leaves nothing behind."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.spool import Spool, contents
from sparkctl.contract.stream import FRAME
from sparkctl.model.bundle import BundleData
from sparkctl.model.vocabulary import Cause
from sparkctl.transport.seam import TransportError

FIRST = b"sparkctl-stream/1 ab12\n"
END = FRAME.pack(b"E", 0, 0, 0)


def frame(number: int, content: bytes) -> bytes:
    packed = zlib.compress(content)
    return FRAME.pack(b"D", number, len(packed), len(content)) + packed


def sent(content: bytes, **more: Any) -> dict[str, Any]:
    told = {"status": "collected", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "wall_ms": 1}
    return told | more


def data(*entries: dict[str, Any]) -> BundleData:
    named = [{"name": f"task.{at}", **entry} for at, entry in enumerate(entries)]
    return BundleData.model_validate_json(json.dumps({"recording": named, "artefacts": [], "listing": []}))


def test_entries_lie_by_their_number_and_go_with_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "ab12", 1000)
    parts = [frame(number, bytes([65 + number]) * 3) for number in range(20)]
    stream = FIRST + b"".join(parts) + frame(0, b"more") + END
    rest = spool.take(b"banner\n" + stream + b"tail")
    assert (rest, spool.taken_bytes) == (b"banner\ntail", len(stream))
    said = data(sent(b"AAAmore"), *(sent(bytes([65 + number]) * 3) for number in range(1, 20)))
    spool.finish(said)
    assert [place.read_bytes() for _, place in contents(spool.folder, said)][:2] == [b"AAAmore", b"BBB"]
    assert spool.folder.stat().st_mode & 0o077 == 0
    spool.close()
    assert not spool.folder.exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (sent(b"other"), "has another digest"),
        (sent(b"longer than that"), "has 5 bytes, the document says 16"),
        (sent(b"", sha256=None), "has 5 bytes, the document says 0"),
    ],
)
def test_what_is_not_as_announced_is_refused(said: dict[str, Any], words: str, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "ab12", 1000)
    spool.take(FIRST + frame(0, b"abcde") + END)
    with pytest.raises(TransportError, match=words) as refused:
        spool.finish(data(said))
    assert refused.value.cause is Cause.FRAME_DAMAGED


def test_an_entry_that_nobody_announced_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "ab12", 1000)
    spool.take(FIRST + frame(0, b"a") + frame(7, b"b") + END)
    with pytest.raises(TransportError, match="entry 7 of the stream is not in the document"):
        spool.finish(data(sent(b"a")))


def test_more_than_the_limit_ends_the_visit(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "ab12", 4)
    with pytest.raises(TransportError) as refused:
        spool.take(FIRST + frame(0, b"abcde"))
    assert refused.value.cause is Cause.TOO_LARGE


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransportError) as refused:
        Spool(tmp_path / "file" / "spool", "ab12", 10)
    assert refused.value.cause is Cause.NOT_KEPT
