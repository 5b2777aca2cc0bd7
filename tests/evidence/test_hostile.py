"""A hostile bundle is refused in one sentence, and nothing is written outside of the chosen folder, nor left in it."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from sparkctl import ustar
from sparkctl.errors import UsageError
from sparkctl.evidence import frame, merkle
from sparkctl.evidence.frame import DIGEST_HEADER, HEADER, Packer
from sparkctl.evidence.reading import opened
from sparkctl.model.canonical import canonical_json
from tests.evidence.hostile import SECONDS, SMALL, Lie, change, refused, tar_in, with_manifest
from tests.evidence.making import packed, sealed


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A folder with a file in it, beside the one that is extracted into: neither may change."""
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary/file").write_text("sings")
    return tmp_path / "canary"


def raw_header(name: bytes, kind: bytes = b"0", size: int = 0, link: bytes = b"", moment: int = SECONDS) -> bytes:
    """One header of a tar, byte by byte, with whatever is to stand in it."""
    block = bytearray(512)
    block[:100] = name.ljust(100, b"\0")
    block[100:124] = b"0000644\x00" + b"0000000\x00" * 2
    block[124:148] = b"%011o\x00" % size + b"%011o\x00" % moment
    block[148:157] = b" " * 8 + kind
    block[157:257] = link.ljust(100, b"\0")
    block[257:265] = b"ustar\x0000"
    block[329:345] = b"0000000\x00" * 2
    block[148:156] = b"%06o\x00 " % sum(block)
    return bytes(block)


def in_place_of_the_last(tar: bytes, instead: bytes) -> bytes:
    """A tar whose last entry (of one block of content) is something else."""
    return tar[:-2048] + instead + bytes(1024)


MEMBERS = {
    "climbs": raw_header(b"../canary/file", size=4) + b"evil".ljust(512, b"\0"),
    "absolute": raw_header(b"/tmp/evil", size=4) + b"evil".ljust(512, b"\0"),
    "a link": raw_header(b"tree/proc/version", b"2", link=b"../canary/file"),
    "a hard link": raw_header(b"tree/proc/version", b"1", link=b"../canary/file"),
    "a character device": raw_header(b"tree/proc/version", b"3"),
    "a block device": raw_header(b"tree/proc/version", b"4"),
    "a folder": raw_header(b"tree/proc/version", b"5"),
    "a pipe": raw_header(b"tree/proc/version", b"6"),
    "sparse": raw_header(b"tree/proc/version", b"S", size=6) + b"Linux\n".ljust(512, b"\0"),
    "a long name of GNU": raw_header(b"././@LongLink", b"L", size=14) + b"../canary/file".ljust(512, b"\0"),
    "a global header of pax": raw_header(b"pax", b"g", size=24) + b"24 path=../canary/file2\n".ljust(512, b"\0"),
    "another header of pax": raw_header(b"pax/header", b"x", size=24) + b"24 path=../canary/file2\n".ljust(512, b"\0"),
    "the first one again": raw_header(b"tree/proc/uptime", size=6) + b"Linux\n".ljust(512, b"\0"),
    "larger than it says": raw_header(b"tree/proc/version", size=2**33 - 1) + b"Linux\n".ljust(512, b"\0"),
    "of another time": raw_header(b"tree/proc/version", size=6, moment=SECONDS + 1) + b"Linux\n".ljust(512, b"\0"),
    "other words": raw_header(b"tree/proc/version", size=6) + b"Minix\n".ljust(512, b"\0"),
    "words in its padding": raw_header(b"tree/proc/version", size=6) + b"Linux\n".ljust(512, b"x"),
    "nothing": b"",
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_members_that_the_manifest_does_not_know(tmp_path: Path, canary: Path, kind: str) -> None:
    tar = tar_in(sealed(tmp_path / "b", contents=SMALL).path)
    assert in_place_of_the_last(tar, tar[-2048:-1024]) == tar
    assert raw_header(b"tree/proc/version", size=6) == ustar.header("tree/proc/version", 6, SECONDS)
    refused(
        packed(tmp_path / "hostile", in_place_of_the_last(tar, MEMBERS[kind])), "tree/proc/version|two entries|begin"
    )
    more = packed(tmp_path / "more", tar[:-1024] + (MEMBERS[kind] or bytes(512)) + bytes(1024))
    refused(more, "holds more than it says|something follows")
    assert (canary / "file").read_text() == "sings"


def test_the_header_that_is_refused_is_named(tmp_path: Path) -> None:
    tar = tar_in(sealed(tmp_path / "b", contents=SMALL).path)
    error = refused(packed(tmp_path / "hostile", in_place_of_the_last(tar, MEMBERS["a link"])))
    assert "a link 'tree/proc/version'" in error.message
    error = refused(packed(tmp_path / "more", tar[:-1024] + MEMBERS["climbs"] + bytes(1024)))
    assert "'../canary/file' stands beyond its last entry" in error.message


def test_entries_in_another_order(tmp_path: Path) -> None:
    tar = tar_in(sealed(tmp_path / "b", contents=SMALL).path)
    swapped = tar[:-3072] + tar[-2048:-1024] + tar[-3072:-2048] + tar[-1024:]
    refused(packed(tmp_path / "hostile", swapped), "where tree/proc/uptime should begin")


def rewritten(manifest: dict[str, Any], *, rooted: bool = True) -> bytes:
    if rooted:
        leaves = [merkle.leaf(canonical_json(entry)) for entry in manifest["entries"]]
        manifest["merkle_root"] = merkle.root(leaves).hex()
    return canonical_json(manifest)


def manifest_in(tar: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tar[512 : 512 + ustar.size_in(tar[:512])])
    return found


def duplicate(manifest: dict[str, Any]) -> None:
    manifest["entries"].insert(0, manifest["entries"][0])


def large(manifest: dict[str, Any]) -> None:
    for entry in manifest["entries"]:
        entry["size"] = 2**30


LIES: dict[str, tuple[Lie, str]] = {
    "size": (change("entries.0.size", 10), "where tree/proc/uptime should begin"),
    "hash": (change("entries.0.sha256", "00" * 32), "tree/proc/uptime .* is not what was sealed"),
    "negative size": (change("entries.0.size", -1), "greater than or equal to 0"),
    "size of a tebibyte": (change("entries.0.size", 2**40), "less than or equal to"),
    "more than a gibibyte in all": (large, "1 GiB"),
    "a path that climbs": (change("entries.1.path", "../canary/file"), "a path is relative"),
    "an absolute path": (change("entries.0.path", "/etc/passwd"), "a path is relative"),
    "a path with a backslash": (change("entries.1.path", "tree\\..\\..\\x"), "backslash"),
    "a path with an escape": (change("entries.1.path", "tree/\x1b[2J"), "control"),
    "the same entry twice": (duplicate, "stands twice"),
    "the same file in another case": (change("entries.0.path", "Tree/proc/version"), "two entries would be one file"),
    "a file in a file": (change("entries.1.path", "tree/proc/uptime/x"), "a file and a folder"),
    "entries out of order": (lambda m: m["entries"].reverse(), "not sorted"),
    "no entries": (change("entries", []), "at least 1 item"),
    "another format": (change("format", "spark-evidence/2"), "spark-evidence/1"),
    "an unknown key": (change("more", 1), "not canonical"),
    "a number for a word": (change("about.tool", 7), "valid string"),
    "a time without a zone": (change("about.collected_at", "2026-11-20T08:00:00"), "timezone"),
    "another time": (change("about.collected_at", "2026-11-20T08:00:01Z"), "time of manifest.json is another"),
    "a time in the year 9999": (change("about.collected_at", "9999-11-20T08:00:01Z"), "1970 and 2200"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_manifest_that_lies(tmp_path: Path, canary: Path, name: str) -> None:
    manifest = manifest_in(tar_in(sealed(tmp_path / "b", contents=SMALL).path))
    assert with_manifest(tmp_path / "same", rewritten(manifest), list(SMALL.items())).read_bytes() == (
        (tmp_path / "b").read_bytes()
    )
    lie, words = LIES[name]
    lie(manifest)
    content = rewritten(manifest, rooted=name != "no entries")
    refused(with_manifest(tmp_path / "hostile", content, list(SMALL.items())), words)
    assert (canary / "file").read_text() == "sings"


def test_a_root_that_is_not_that_of_the_entries(tmp_path: Path) -> None:
    manifest = manifest_in(tar_in(sealed(tmp_path / "b", contents=SMALL).path))
    manifest["merkle_root"] = "00" * 32
    bundle = with_manifest(tmp_path / "hostile", rewritten(manifest, rooted=False), list(SMALL.items()))
    refused(bundle, "its Merkle root is not that of its entries")


def test_the_same_value_in_another_writing(tmp_path: Path) -> None:
    content = rewritten(manifest_in(tar_in(sealed(tmp_path / "b", contents=SMALL).path)))
    for other in (
        content + b"\n",
        b" " + content,
        content.replace(b'"simulated":true', b'"simulated":false,"simulated":true'),
        content.replace(b'"size":6', b'"size":6.0'),
        content.replace(b'"uptime', b'"\\u0075ptime').replace(b"/uptime", b"/\\u0075ptime"),
        json.dumps(json.loads(content), indent=1).encode(),
    ):
        assert other != content
        refused(with_manifest(tmp_path / "hostile", other, list(SMALL.items())), "manifest.json")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"format":NaN}', b"1" * 5000, b'"\\ud800"']
)
def test_a_manifest_that_is_none(tmp_path: Path, content: bytes) -> None:
    refused(with_manifest(tmp_path / "hostile", content, list(SMALL.items())), "manifest.json")


@pytest.mark.parametrize("tar", [b"", bytes(512), bytes(10240), b"x" * 10240, raw_header(b"manifest.json")])
def test_a_tar_that_is_none(tmp_path: Path, tar: bytes) -> None:
    refused(packed(tmp_path / "hostile", tar), "is no bundle of evidence|ends before|manifest.json")


@pytest.mark.parametrize(
    "size", [b"\x80" + bytes(11), b"-0000000001\0", b" 1         \0", b"99999999999\0", b"777777777777"]
)
def test_sizes_that_are_none(tmp_path: Path, size: bytes) -> None:
    header = raw_header(b"manifest.json")
    refused(packed(tmp_path / "hostile", header[:124] + size + header[136:] + bytes(4096)), "holds no number|MiB")


def test_a_tar_of_python_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"{}")
    with tarfile.open(tmp_path / "t", "w") as tar:
        tar.add(tmp_path / "f", "manifest.json")
    refused(packed(tmp_path / "hostile", (tmp_path / "t").read_bytes()), "manifest.json")


# What is no file, and no frame.


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", tmp_path / "absent", Path("/dev/zero")):
        with pytest.raises(UsageError, match=r"no regular file|No such file"), opened(place):
            pytest.fail("it was opened")


def frames(tar: bytes) -> dict[str, bytes]:
    """The tar of a good bundle in frames that a bundle does not have, most of them with a digest that fits."""
    file = io.BytesIO()
    packer = Packer(file)
    packer.write(tar)
    packer.end()
    good, digest = file.getvalue()[:-40], file.getvalue()[-40:]
    wide = zstandard.ZstdCompressionParameters.from_level(
        3, window_log=27, write_checksum=True, write_content_size=False
    )
    wider = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    skipped = b"\x50\x2a\x4d\x18" + b"\4\0\0\0evil"
    bare = {
        "a second frame": good + good,
        "an empty second frame": good + zstandard.compress(b""),
        "a frame to skip after it": good + skipped,
        "a frame to skip before it": skipped + good,
        "a byte": good + b"\0",
        "no checksum": zstandard.ZstdCompressor(write_checksum=False, write_content_size=False).compress(tar),
        "a window of 128 MiB": wider.compress(tar) + wider.flush(),
        "a window of 2 GiB and more": HEADER[:5] + b"\xff" + good[6:],
        "an announced size": zstandard.ZstdCompressor(write_checksum=True).compress(tar),
        "a dictionary": HEADER[:4] + b"\x05\x58\x01" + good[6:],
        "a reserved block": HEADER + b"\x07\x00\x00" + good[6:],
        "a block of 2 MiB": HEADER + (2**21 - 1 << 3).to_bytes(3, "little") + bytes(2**21),
        "another checksum": good[:-1] + bytes([good[-1] ^ 1]),
        "no frame": tar,
        "gzip": b"\x1f\x8b" + tar,
        "nothing": b"",
    }
    found = {kind: content + DIGEST_HEADER + hashlib.sha256(content).digest() for kind, content in bare.items()}
    return found | {
        "a byte after the digest": good + digest + b"\0",
        "two digests": good + digest + digest,
        "no digest": good,
        "another digest": good + digest[:-1] + bytes([digest[-1] ^ 1]),
    }


@pytest.mark.parametrize("kind", frames(b"x"))
def test_frames_that_are_none_of_ours(tmp_path: Path, kind: str) -> None:
    tar = tar_in(sealed(tmp_path / "b", contents=SMALL).path)
    (tmp_path / "hostile").write_bytes(frames(tar)[kind])
    refused(tmp_path / "hostile", "damaged|is no bundle of evidence")


def test_empty_blocks_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "MAX_BLOCKS", 50)
    (tmp_path / "hostile").write_bytes(HEADER + bytes(3) * 60 + b"\1\0\0")
    refused(tmp_path / "hostile", "more than 50 compressed blocks")
