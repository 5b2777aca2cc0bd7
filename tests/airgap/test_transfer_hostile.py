"""Bundles that somebody who may sign has made to do harm: nothing of them is written anywhere."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from sparkctl.airgap.layout import MANIFEST, SUMS
from tests.airgap.gaps import Gap, contents, forge, gap_in, must, refused

CONTENT = b"#!/bin/sh\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"blobs/{DIGEST}"


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    made = gap_in(tmp_path / "gap")
    made.write({"run.sh": CONTENT})
    must(made.pack())
    return made


def part_of(gap: Gap) -> Path:
    return gap.packed(1) / "blobs.tar.zst.0001"


def tar_with(*members: tarfile.TarInfo) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(CONTENT) if member.isfile() else None)
    return into.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, len(CONTENT) if kind == tarfile.REGTYPE else 0
    made.mode = 0o644
    return made


def nothing_came(gap: Gap, words: str) -> None:
    before = {str(path) for path in gap.top.rglob("*") if not path.is_relative_to(gap.quarantine)}
    refused(gap.bring(1), 2, words)
    after = {str(path) for path in gap.top.rglob("*") if not path.is_relative_to(gap.quarantine)}
    assert {path for path in after - before if "/far" not in path} == set()
    blobs = [path.name for path in gap.quarantine.rglob("blobs/*") if not path.name.startswith(".")]
    assert [name for name in blobs if name != DIGEST] == []
    assert not any(path.is_symlink() for path in gap.quarantine.rglob("*"))
    refused(gap.apply(1), 4, "was not scanned here")


@pytest.mark.parametrize(
    "members",
    [
        [member("../../escaped")],
        [member("/tmp/escaped")],
        [member(NAME, tarfile.SYMTYPE, "/etc/passwd")],
        [member(NAME, tarfile.LNKTYPE, "/etc/passwd")],
        [member(NAME, tarfile.CHRTYPE)],
        [member(NAME, tarfile.FIFOTYPE)],
        [member(NAME, tarfile.DIRTYPE)],
        [member("blobs", tarfile.SYMTYPE, "/tmp"), member(NAME)],
    ],
    ids=["up", "absolute", "link", "hard-link", "device", "pipe", "folder", "link-below"],
)
def test_a_tar_holds_contents_and_nothing_else(gap: Gap, members: list[tarfile.TarInfo]) -> None:
    part_of(gap).write_bytes(zstandard.compress(tar_with(*members)))
    forge(gap.packed(1), gap.key("alice"))
    nothing_came(gap, "where the content")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tar: tar.replace(CONTENT, b"#!/bin/ls\n"), "is not what the manifest names"),
        (lambda tar: tar[:512], "ends before its last content"),
        (lambda tar: tar[:-1024] + b"x" * 1024, "holds more than its manifest names"),
        (lambda tar: tar + bytes(512), "holds more than its manifest names"),
        (lambda tar: tar[: 512 + len(CONTENT)] + b"y" + tar[513 + len(CONTENT) :], "something between two entries"),
    ],
    ids=["content", "cut", "end", "longer", "padding"],
)
def test_every_byte_of_a_tar_is_known(gap: Gap, change: Callable[[bytes], bytes], words: str) -> None:
    tar = zstandard.ZstdDecompressor().decompressobj().decompress(part_of(gap).read_bytes())
    part_of(gap).write_bytes(zstandard.compress(change(tar)))
    forge(gap.packed(1), gap.key("alice"))
    nothing_came(gap, words)


def test_little_that_becomes_much_is_read_no_further_than_the_manifest_goes(gap: Gap) -> None:
    part_of(gap).write_bytes(zstandard.compress(bytes(2**30)))  # 32 KiB that are 1 GiB
    forge(gap.packed(1), gap.key("alice"))
    nothing_came(gap, "holds nothing where the content")


@pytest.mark.parametrize("raw", [b"\x28\xb5\x2f\xfd", b"no zstandard at all", b""], ids=["cut", "other", "empty"])
def test_bytes_that_are_not_compressed_are_told(gap: Gap, raw: bytes) -> None:
    part_of(gap).write_bytes(raw)
    forge(gap.packed(1), gap.key("alice"))
    refused(gap.bring(1), 2, "")


def test_a_window_that_wants_much_memory_is_refused(gap: Gap) -> None:
    tar = zstandard.ZstdDecompressor().decompressobj().decompress(part_of(gap).read_bytes())
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    part_of(gap).write_bytes(stream.compress(tar) + stream.flush())
    forge(gap.packed(1), gap.key("alice"))
    nothing_came(gap, "its compressed bytes do not hold")


def _path(path: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["files"][0].update(path=path)


@pytest.mark.parametrize(
    "change",
    [
        *map(_path, ["../x", "/etc/cron.d/x", "a/../../x", "a//b", "./a", "a\\b", "a\nb", "\u202ea", "x" * 300, ""]),
        lambda document: document["files"].append(document["files"][0]),
        lambda document: document["files"].append({**document["files"][0], "path": "run.sh/below"}),
        lambda document: document["files"][0].update(size=2**50),
        lambda document: document["files"][0].update(size=-1),
        lambda document: document["files"][0].update(sha256="../../etc/passwd"),
        lambda document: document["carried"].append("00" * 32),
        lambda document: document["carried"].clear(),
        lambda document: document.update(stream="../tools"),
        lambda document: document.update(sequence=0),
        lambda document: document["parts"][0].update(name="../SHA256SUMS"),
        lambda document: document.update(delta_from=5),
        lambda document: document.update(surprise=1),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(gap: Gap, change: Callable[[dict[str, Any]], None]) -> None:
    forge(gap.packed(1), gap.key("alice"), change)
    ran = gap.bring(1)
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert not gap.quarantine.exists()


def test_nothing_is_parsed_before_it_is_signed(gap: Gap) -> None:
    (gap.packed(1) / MANIFEST).write_bytes(b"[" * 100_000)
    refused(gap.bring(1), 2, "manifest.json is not what was signed")
    (gap.packed(1) / SUMS).write_bytes(b"\xff" * 100)
    refused(gap.bring(1), 4, "does not hold")
    (gap.packed(1) / SUMS).write_bytes(bytes(2**21))
    refused(gap.bring(1), 2, "is larger than 1 MiB")


def test_links_on_a_medium_are_not_followed(gap: Gap) -> None:
    manifest = gap.packed(1) / MANIFEST
    manifest.rename(gap.top / "elsewhere")
    manifest.symlink_to(gap.top / "elsewhere")
    refused(gap.bring(1), 2, "manifest.json")


def test_a_pipe_beside_the_signatures_holds_nothing_up(gap: Gap) -> None:
    os.mkfifo(gap.packed(1) / "SHA256SUMS.pipe.sig")
    refused(gap.bring(1), 2, "SHA256SUMS.pipe.sig is no file")


def test_many_signatures_are_not_tried(gap: Gap) -> None:
    for number in range(40):
        (gap.packed(1) / f"SHA256SUMS.{number}.sig").write_bytes(b"x")
    refused(gap.bring(1), 2, "holds more than 32 signatures")


def test_a_list_from_the_end_of_a_stream_is_no_bug(gap: Gap) -> None:
    have = {"schema": "sparkctl.transfer-have/1", "stream": "other", "sequence": 99_999_999, "blobs": []}
    (gap.top / "have.json").write_text(json.dumps({**have, "taken_at": "2026-01-01T00:00:00Z"}))
    refused(gap.pack("--have", gap.top / "have.json", stream="other"), 4, "has no sequence after 99,999,999")
    assert [path.name for path in (gap.top / "out").iterdir()] == ["tools-00000001"]


@pytest.mark.parametrize("blob", ["x", "00" * 31, ["00" * 32, "00" * 32], None])
def test_a_list_of_another_shape_is_refused(gap: Gap, blob: object) -> None:
    must(gap.bring(1))
    must(gap.apply(1))
    path = gap.top / "have.json"
    must(gap.far("have", "--from", gap.tree, "--stream", "tools", "--out", path))
    document = json.loads(path.read_text())
    document["blobs"] = blob if isinstance(blob, list) else [blob]
    path.write_text(json.dumps(document))
    refused(gap.pack("--have", path), 2, "have.json")
    path.write_text("[" * 100_000)
    refused(gap.pack("--have", path), 2, "have.json cannot be read")
    assert contents(gap.tree / "current") == {"run.sh": CONTENT}
