"""The tar of a bundle from any byte on, its parts joined again, and packs that go on after any part."""

import hashlib
import io
import os
import resource
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.airgap.blobs import Blob, Reader, header, tar_from
from sparkctl.airgap.journal import JOURNAL
from sparkctl.airgap.layout import sums_of, sums_text
from sparkctl.airgap.parts import MIN_PART, Joined, write_parts
from sparkctl.errors import UsageError
from sparkctl.ustar import MAX_PLAIN_SIZE

CONTENTS = st.lists(st.binary(max_size=2000), max_size=6, unique=True)


def blobs_of(folder: Path, contents: list[bytes]) -> list[Blob]:
    made = []
    for content in contents:
        digest = hashlib.sha256(content).hexdigest()
        (folder / digest).write_bytes(content)
        made.append(Blob(digest, len(content), folder / digest))
    return sorted(made, key=lambda blob: blob.sha256)


@given(CONTENTS, st.integers(0, 20_000))
def test_the_tar_from_a_byte_on_is_the_rest_of_the_tar(contents: list[bytes], start: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        blobs = blobs_of(Path(name), contents)
        whole = b"".join(tar_from(blobs, 0))
        assert b"".join(tar_from(blobs, start)) == whole[start:]
        with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
            found = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert found == {f"blobs/{hashlib.sha256(content).hexdigest()}": content for content in contents}


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 900_000), st.booleans()), min_size=1, max_size=6), st.integers(1, 3), st.data()
)
def test_parts_join_to_the_contents_however_often_a_pack_was_ended(
    sizes: list[tuple[int, bool]], megabytes: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name, "in"), Path(name, "out")
        source.mkdir()
        out.mkdir()
        seed = [
            hashlib.shake_256(bytes([n])).digest(size) if hard else bytes([n]) * size
            for n, (size, hard) in enumerate(sizes)
        ]
        blobs = blobs_of(source, list(dict.fromkeys(seed)))
        whole = write_parts(out, blobs, megabytes * MIN_PART)
        assert all(part.size <= megabytes * MIN_PART for part in whole)
        # As if it had been killed after some parts, with the next one half written and the journal torn.
        kept = data.draw(st.integers(0, len(whole)))
        for part in whole[kept:]:
            (out / part.name).write_bytes(b"half")
        lines = (out / JOURNAL).read_bytes().splitlines(keepends=True)
        (out / JOURNAL).write_bytes(b"".join(lines[:kept]) + b"".join(lines[kept : kept + 1])[:20])
        untouched = {part.name: (out / part.name).stat().st_mtime_ns for part in whole[:kept]}
        again = write_parts(out, blobs, megabytes * MIN_PART)
        assert again == whole
        assert untouched == {name: (out / name).stat().st_mtime_ns for name in untouched}
        joined = Joined([out / part.name for part in again], "it")
        reader = Reader(joined, "it")
        for blob in blobs:
            into = io.BytesIO()
            reader.content(blob.sha256, blob.size, into.write)
            assert into.getvalue() == blob.place.read_bytes()
        reader.end()
        joined.close()


def test_a_file_that_changes_while_it_is_packed_is_told(tmp_path: Path) -> None:
    for change in (b"longer than it was", b"abd", b""):
        blobs = blobs_of(tmp_path, [b"abc"])
        blobs[0].place.write_bytes(change)
        with pytest.raises(UsageError, match="was changed while it was packed"):
            list(tar_from(blobs, 0))


def test_parts_in_another_order_are_no_bundle(tmp_path: Path) -> None:
    (source := tmp_path / "in").mkdir()
    (out := tmp_path / "out").mkdir()
    blobs = blobs_of(source, [hashlib.shake_256(bytes([n])).digest(900_000) for n in range(4)])
    parts = [out / part.name for part in write_parts(out, blobs, MIN_PART)]
    assert len(parts) > 2
    joined = Joined([parts[1], parts[0], *parts[2:]], "it")
    with pytest.raises(UsageError):
        Reader(joined, "it").content(blobs[0].sha256, blobs[0].size, len)
    joined.close()


def test_there_may_be_more_parts_than_a_process_may_have_open(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in range(200):
        (tmp_path / f"{number:04}").write_bytes(zstandard.compress(bytes([number])))
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 50, hard))
    try:
        joined = Joined(sorted(tmp_path.iterdir()), "many")
        assert b"".join(iter(lambda: joined.read(1000), b"")) == bytes(range(200))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_beyond_what_a_plain_header_says_is_as_long_to_tar(tmp_path: Path) -> None:
    size = MAX_PLAIN_SIZE + 6
    head = header("ab" * 32, size)
    with (tmp_path / "large.tar").open("wb") as file:  # sparse: it takes no room
        file.write(head)
        file.truncate(len(head) + size + -size % 512 + 1024)
    ran = subprocess.run(["tar", "-tvf", tmp_path / "large.tar"], capture_output=True, text=True, check=True)
    assert str(size) in ran.stdout.split()


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9._]{1,60}", fullmatch=True), st.binary(min_size=32, max_size=32)))
def test_a_list_of_digests_reads_back(digests: dict[str, bytes]) -> None:
    known = {name: digest.hex() for name, digest in digests.items()}
    assert sums_of(sums_text(known)) == known


@pytest.mark.parametrize("text", [b"x", b"\n", b"00  a\n", b"00" * 32 + b"  ../a\n", b"00" * 32 + b"  a"])
def test_any_other_list_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a list of digests"):
        sums_of(text)
