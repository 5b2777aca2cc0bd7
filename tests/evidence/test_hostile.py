"""A hostile bundle is refused in one sentence, and nothing is written outside of the chosen folder, nor left in it."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.errors import ExitCode, RefusedError, SparkctlError, UsageError
from sparkctl.evidence import frame, merkle, ustar
from sparkctl.evidence.dsse import pae
from sparkctl.evidence.frame import DIGEST_HEADER, HEADER, Packer, decompressed
from sparkctl.evidence.reading import opened
from sparkctl.evidence.signers import signer_of
from sparkctl.evidence.subsets import subset
from sparkctl.evidence.trust import PublicKey
from sparkctl.evidence.verifying import verify
from sparkctl.model.canonical import canonical_json
from tests.evidence.making import CONTENTS, MOMENT, packed, pem_key, sealed, tar_of

SECONDS = int(MOMENT.timestamp())
SMALL = {"tree/proc/uptime": b"12.5 100.0\n", "tree/proc/version": b"Linux\n"}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A folder with a file in it, beside the one that is extracted into: neither may change."""
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary/file").write_text("sings")
    return tmp_path / "canary"


def refused(bundle: Path, words: str = "is", trust: PublicKey | None = None) -> SparkctlError:
    """Refused by whoever verifies it and by whoever unpacks it, in one sentence; nothing is left anywhere."""
    top = bundle.parent
    before = snapshot(top)
    with pytest.raises(SparkctlError, match=words) as caught:
        verify(bundle, trust)
    if trust is None:
        with pytest.raises(SparkctlError, match=words), opened(bundle) as one:
            one.extract(top / "out")
        if (top / "out").exists():
            (top / "out").rmdir()  # it must be empty
    assert snapshot(top) == before
    error = caught.value
    assert error.exit_code in {ExitCode.USAGE, ExitCode.REFUSED}
    assert "\n" not in error.message
    assert len(error.message) < 800
    return error


def snapshot(top: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in top.rglob("*")}


def tar_in(bundle: Path) -> bytes:
    with bundle.open("rb") as raw:
        return b"".join(decompressed(raw, "it"))


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


# A manifest that lies: it is rewritten, with a Merkle root that fits, and whatever follows fits it, too.

Lie = Callable[[dict[str, Any]], None]


def rewritten(manifest: dict[str, Any], *, rooted: bool = True) -> bytes:
    if rooted:
        leaves = [merkle.leaf(canonical_json(entry)) for entry in manifest["entries"]]
        manifest["merkle_root"] = merkle.root(leaves).hex()
    return canonical_json(manifest)


def manifest_in(tar: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tar[512 : 512 + ustar.size_in(tar[:512])])
    return found


def with_manifest(out: Path, content: bytes, members: list[tuple[str, bytes]]) -> Path:
    return packed(out, tar_of([("manifest.json", content), *members]))


def change(path: str, value: Any) -> Lie:
    def lie(manifest: dict[str, Any]) -> None:
        *above, last = path.split(".")
        place: Any = manifest
        for key in above:
            place = place[int(key)] if key.isdigit() else place[key]
        place[int(last) if last.isdigit() else last] = value

    return lie


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


# Cut off, and flipped.


def signed(folder: Path, contents: dict[str, bytes] | None = None) -> tuple[Path, PublicKey]:
    return sealed(folder / "b", signer_of(pem_key(folder)), contents).path, PublicKey(folder / "key.pub.pem")


def test_cut_off_at_every_512_bytes_and_at_every_last_byte(tmp_path: Path) -> None:
    bundle, trust = signed(tmp_path)
    content = bundle.read_bytes()
    hostile = tmp_path / "hostile"
    for length in {*range(0, len(content), 512), *range(len(content) - 20, len(content)), *range(20)}:
        hostile.write_bytes(content[:length])
        error = refused(hostile, "cut off|damaged", trust)
        assert isinstance(error, UsageError)
    tar = tar_in(bundle)
    for length in range(512, len(tar), 512):
        refused(packed(hostile, tar[:length]), "ends before its last entry", trust)


def test_cut_off_at_every_64_kib(tmp_path: Path) -> None:
    bundle, trust = signed(tmp_path, {"noise": os.urandom(2**20), **CONTENTS})
    content = bundle.read_bytes()
    lengths = range(0, len(content), 2**16)
    assert len(lengths) > 15
    for length in lengths:
        (tmp_path / "hostile").write_bytes(content[:length])
        refused(tmp_path / "hostile", "cut off", trust)


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PublicKey]:
    return signed(tmp_path_factory.mktemp("one"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_bit_of_the_tar_is_flipped(one: tuple[Path, PublicKey], tmp_path: Path, data: st.DataObject) -> None:
    """Every bit of the tar counts: of headers, padding and end as well as of what is in it."""
    bundle, trust = one
    tar = tar_in(bundle)
    hostile = packed(tmp_path / "hostile", flipped(tar, data.draw(st.integers(0, len(tar) * 8 - 1))))
    with pytest.raises(SparkctlError) as caught:
        verify(hostile, trust)
    assert isinstance(caught.value, UsageError | RefusedError)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_bit_of_the_file_is_flipped(one: tuple[Path, PublicKey], tmp_path: Path, data: st.DataObject) -> None:
    """Every bit of the file counts, also those that mean nothing to a decompressor."""
    bundle, trust = one
    content = bundle.read_bytes()
    hostile = tmp_path / "hostile"
    hostile.write_bytes(flipped(content, data.draw(st.integers(0, len(content) * 8 - 1))))
    with pytest.raises(SparkctlError) as caught:
        verify(hostile, trust)
    assert isinstance(caught.value, UsageError | RefusedError)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=600))
def test_random_bytes_in_a_frame_and_without_one(tmp_path: Path, content: bytes) -> None:
    for tar in (content, b"manifest.json".ljust(100, b"\0") + content):
        with pytest.raises(UsageError):
            verify(packed(tmp_path / "hostile", tar), None)
    for whole in (content, HEADER + content):
        (tmp_path / "hostile").write_bytes(whole)
        with pytest.raises(UsageError):
            verify(tmp_path / "hostile", None)


# The statement.


def test_statements_of_another_bundle(tmp_path: Path) -> None:
    """Two bundles by one key: the statement of one does not vouch for the other."""
    signer = signer_of(pem_key(tmp_path))
    first = tar_in(sealed(tmp_path / "1", signer, SMALL).path)
    second = tar_in(sealed(tmp_path / "2", signer, SMALL, salt_key=b"another key of the tests").path)
    at = 1024 + (ustar.size_in(first[:512]) + 511 & ~511) - 512
    error = refused(packed(tmp_path / "hostile", first[:at] + second[at:]), "not about its manifest.json")
    assert isinstance(error, RefusedError)


def test_envelopes_that_are_changed(tmp_path: Path) -> None:
    bundle, trust = signed(tmp_path, SMALL)
    with opened(bundle) as one_of:
        manifest, content = one_of.head.content, one_of.head.statement_content
    envelope = json.loads(content)
    (signature,) = envelope["signatures"]
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"]["about"]["node"] = "node-80"
    other = base64.b64encode(canonical_json(payload)).decode()
    changes: list[tuple[dict[str, Any], str]] = [
        ({"signatures": []}, "at least 1"),
        ({"signatures": [signature] * 2}, "at most 1"),
        ({"payloadType": "text/plain"}, "payloadType"),
        ({"payload": envelope["payload"] + "="}, "damaged|not what the format"),
        ({"payload": other}, "not about its manifest.json"),
        ({"signatures": [{**signature, "keyid": "SHA256:" + "A" * 43}]}, "says that"),
        ({"signatures": [{**signature, "sig": base64.b64encode(bytes(64)).decode()}]}, "not signed by the key"),
        (
            {"signatures": [{**signature, "sig": base64.b64encode(b"SSHSIG nonsense").decode()}]},
            "not signed by the key",
        ),
        ({"signatures": [{**signature, "sig": "AAAA"}]}, "of no kind that is known"),
        ({"signatures": [{**signature, "sig": "AAB="}]}, "bits to spare"),
        ({"more": 1}, "not canonical"),
    ]
    for change_of, words in changes:
        changed = canonical_json({**envelope, **change_of})
        members = [("manifest.json", manifest), ("statement.dsse.json", changed), *SMALL.items()]
        refused(packed(tmp_path / "hostile", tar_of(members)), words, trust)


def test_a_statement_of_another_type_is_not_ours(tmp_path: Path) -> None:
    """A key that signs other things, too: its other statements are none about a bundle."""
    signer = signer_of(pem_key(tmp_path))
    bundle = sealed(tmp_path / "b", signer, SMALL).path
    with opened(bundle) as one_of:
        manifest = one_of.head.content
        assert one_of.head.statement is not None
        statement = one_of.head.statement.statement.model_dump(mode="json")
    payload = canonical_json({**statement, "predicateType": "https://slsa.dev/provenance/v1"})
    made = signer.sign(pae(payload))
    envelope: dict[str, Any] = {
        "payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": made.fingerprint, "sig": base64.b64encode(made.signature).decode()}],
    }  # fmt: skip
    members = [("manifest.json", manifest), ("statement.dsse.json", canonical_json(envelope)), *SMALL.items()]
    refused(packed(tmp_path / "hostile", tar_of(members)), "predicateType", PublicKey(tmp_path / "key.pub.pem"))


# A part of a bundle.


def part(tmp_path: Path) -> tuple[Path, PublicKey]:
    bundle, trust = signed(tmp_path)
    subset(bundle, ["tree/proc/uptime", "judged/health.json"], tmp_path / "part")
    return tmp_path / "part", trust


def test_a_part_that_lies(tmp_path: Path) -> None:
    path, trust = part(tmp_path)
    with opened(path) as one_of:
        disclosure, statement = json.loads(one_of.head.content), one_of.head.statement_content
        members = [(entry.path, CONTENTS[entry.path]) for entry in one_of.entries()]

    def hostile(changed: dict[str, Any], contents: list[tuple[str, bytes]] = members) -> Path:
        head = [("disclosure.json", canonical_json(changed)), ("statement.dsse.json", statement)]
        return packed(tmp_path / "hostile", tar_of([*head, *contents]))

    assert hostile(disclosure).read_bytes() == path.read_bytes()
    evil = [(members[0][0], b'{"ok":nope}'), *members[1:]]
    refused(hostile(disclosure, evil), "is not what was sealed", trust)
    hashed = hashlib.sha256(evil[0][1]).hexdigest()
    for path_of, value, words in (
        ("entries.0.entry.sha256", hashed, "is not of the bundle whose statement was signed"),
        ("entries.0.index", 0, "is not of the bundle"),
        ("entries.0.proof", [], "is not of the bundle"),
        ("entries.0.proof.0", "00" * 32, "is not of the bundle"),
        ("leaves", 8, "speaks of 8 entries"),
        ("leaves", 1, "beyond the last leaf"),
        ("entries.1.index", 0, "not in the order of their leaves"),
        ("entries", [], "at least 1 item"),
    ):
        changed = json.loads(json.dumps(disclosure))
        change(path_of, value)(changed)
        refused(hostile(changed, evil), words, trust)


def test_a_part_without_its_statement(tmp_path: Path) -> None:
    path, trust = part(tmp_path)
    with opened(path) as one_of:
        members = [("disclosure.json", one_of.head.content), *((e.path, CONTENTS[e.path]) for e in one_of.entries())]
    refused(packed(tmp_path / "hostile", tar_of(members)), "without the statement", trust)


# Bombs: little that becomes much. Each in a process of its own, which has not the memory for much.

ENOUGH = 512 * 2**20
VERIFY = """
import resource, sys
from pathlib import Path
from sparkctl.errors import SparkctlError
from sparkctl.evidence.verifying import verify
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
try:
    print("whole", verify(Path(sys.argv[1]), None).bytes)
except SparkctlError as error:
    print(error.exit_code.value, error)
"""


def verified_in_little_memory(bundle: Path, memory: int = ENOUGH) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", VERIFY, str(bundle), str(memory)], capture_output=True, text=True, check=False,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


JSON_BOMBS = {
    "brackets": b"[" * (15 * 2**20),
    "fewer brackets": b"[" * 129_000,
    "empty lists": b'{"entries":[' + b",".join([b"[]"] * (5 * 2**20)) + b"]}",
    "fewer empty lists": b'{"entries":[' + b",".join([b"[]"] * 129_000) + b"]}",
    "numbers": b'{"entries":[' + b",".join([b"0"] * (7 * 2**20)) + b"]}",
    "fewer numbers": b'{"entries":[{"source":{"argv":[' + b",".join([b"0"] * 990_000) + b"]}}]}",
    "keys": b"{" + b",".join(b'"%x":0' % number for number in range(1_200_000)) + b"}",
    "fewer keys": b"{" + b",".join(b'"%x":0' % number for number in range(390_000)) + b"}",
    "one number": b'{"entries":' + b"9" * (15 * 2**20) + b"}",
    "one string": b'{"format":"' + b"x" * (15 * 2**20) + b'"}',
    "escapes": b'{"format":"' + b"\\u0000" * (2 * 2**20) + b'"}',
}


@pytest.mark.parametrize("kind", JSON_BOMBS)
def test_a_json_bomb(tmp_path: Path, kind: str) -> None:
    bundle = with_manifest(tmp_path / "bomb", JSON_BOMBS[kind], list(SMALL.items()))
    assert verified_in_little_memory(bundle).startswith("2 manifest.json of")


def zeros(out: Path, before: bytes, count: int) -> Path:
    """A tar that goes on with very many zeros."""
    with out.open("wb") as file:
        packer = Packer(file)
        packer.write(before)
        for _ in range(count // 2**20):
            packer.write(bytes(2**20))
        packer.end()
    return out


def test_a_zip_bomb(tmp_path: Path) -> None:
    tar = tar_in(sealed(tmp_path / "b", contents=SMALL).path)
    said = verified_in_little_memory(zeros(tmp_path / "bomb", tar, 2**31))
    assert (tmp_path / "bomb").stat().st_size < 2**18
    assert "something follows after its end" in said
    assert "ends where" in verified_in_little_memory(zeros(tmp_path / "bomb2", tar[:-3072], 2**28))
    header = ustar.header("manifest.json", 2**30, SECONDS)
    assert "more than 16 MiB" in verified_in_little_memory(zeros(tmp_path / "bomb3", header, 2**30))


def test_much_that_is_as_it_says_is_read_in_little_memory(tmp_path: Path) -> None:
    bundle = sealed(tmp_path / "b", contents={"zeros": bytes(200 * 2**20)}).path
    assert verified_in_little_memory(bundle, 150 * 2**20 + 2**28) == f"whole {200 * 2**20}\n"
