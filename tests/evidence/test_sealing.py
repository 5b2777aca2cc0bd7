"""The same input gives the same bytes, the standard tools read them, and what cannot be sealed leaves nothing."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from sparkctl.app.tree_bundle import unpacked
from sparkctl.errors import UsageError
from sparkctl.evidence.reading import opened
from sparkctl.evidence.sealing import seal
from sparkctl.evidence.signers import signer_of
from sparkctl.model.canonical import canonical_json
from sparkctl.model.evidence import MAX_ENTRIES, EntryFacts, EntryKind
from tests.evidence.making import (
    ABOUT,
    CONTENTS,
    MISSING,
    SALT_KEY,
    SlowSigner,
    facts_of,
    openssh_key,
    pem_key,
    sealed,
    write_files,
)


def contents_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("make_key", [pem_key, openssh_key], ids=["pem", "openssh"])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, make_key: Callable[[Path], Path]) -> None:
    signer = signer_of(make_key(tmp_path))
    first, second = (sealed(tmp_path / name, signer).path for name in ("first", "second"))
    for path in (tmp_path / "second.spool").rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    assert first.read_bytes() == second.read_bytes()
    facts = list(reversed(facts_of(CONTENTS)))
    third = seal(tmp_path / "second.spool", facts, MISSING, ABOUT, tmp_path / "3", salt_key=SALT_KEY, signer=signer)
    assert third.path.read_bytes() == first.read_bytes()


def test_another_salt_gives_other_leaves_of_the_same_files(tmp_path: Path) -> None:
    first, second = sealed(tmp_path / "1"), sealed(tmp_path / "2", salt_key=b"another key of the tests")
    one, two = (each.manifest.entries for each in (first, second))
    assert [entry.sha256 for entry in one] == [entry.sha256 for entry in two]
    assert not {entry.salt for entry in one} & {entry.salt for entry in two}
    assert len({entry.salt for entry in one}) == len(one)
    assert first.manifest.merkle_root != second.manifest.merkle_root


def test_the_manifest_is_canonical_and_true(tmp_path: Path) -> None:
    result = sealed(tmp_path / "b")
    with opened(result.path) as bundle:
        content = bundle.head.content
    assert canonical_json(json.loads(content)) == content
    assert hashlib.sha256(content).hexdigest() == result.manifest_sha256
    assert result.bytes == result.path.stat().st_size
    assert result.path.stat().st_mode & 0o777 == 0o600
    found = {entry.path: (entry.size, entry.sha256) for entry in result.manifest.entries}
    assert found == {path: (len(text), hashlib.sha256(text).hexdigest()) for path, text in CONTENTS.items()}
    assert list(found) == sorted(found, key=str.encode)


@pytest.mark.skipif(not shutil.which("zstd") or not shutil.which("tar"), reason="there is no zstd, or no tar")
def test_zstd_and_tar_unpack_it(tmp_path: Path) -> None:
    bundle = sealed(tmp_path / "b").path
    (out := tmp_path / "out").mkdir()
    script = 'set -o pipefail; zstd -dcq < "$0" | tar -xf - -C "$1"'
    ran = subprocess.run(
        ["bash", "-c", script, str(bundle), str(out)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    found = contents_below(out)
    del found["manifest.json"]
    assert found == CONTENTS
    assert all(path.stat().st_mtime == ABOUT.collected_at.timestamp() for path in out.rglob("*") if path.is_file())


def test_python_reads_it_as_any_tar(tmp_path: Path) -> None:
    content = zstandard.ZstdDecompressor().decompressobj().decompress(sealed(tmp_path / "b").path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        members = [(member.name, member.type, member.mode, member.uname, member.size) for member in tar]
    assert members[0][0] == "manifest.json"
    assert {member[1:4] for member in members} == {(tarfile.REGTYPE, 0o644, "")}
    assert {member[0]: member[4] for member in members[1:]} == {path: len(text) for path, text in CONTENTS.items()}


def test_what_was_extracted_is_what_was_sealed(tmp_path: Path) -> None:
    with opened(sealed(tmp_path / "b").path) as bundle:
        bundle.extract(tmp_path / "out")
        assert bundle.read("tree/proc/uptime", 100) == CONTENTS["tree/proc/uptime"]
        assert list(bundle.missing) == MISSING
        with pytest.raises(UsageError, match="more than 5"):
            bundle.read("tree/proc/uptime", 5)
        with pytest.raises(UsageError, match="holds no tree/proc/absent"):
            bundle.read("tree/proc/absent", 5)
    assert contents_below(tmp_path / "out") == CONTENTS
    assert (tmp_path / "out/tree/proc/uptime").stat().st_mode & 0o777 == 0o600


def test_only_into_an_empty_folder(tmp_path: Path) -> None:
    (full := tmp_path / "full").mkdir()
    (full / "mine").write_text("mine")
    (tmp_path / "led").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    with opened(sealed(tmp_path / "b").path) as bundle:
        for place, words in (
            (full, "not empty"),
            (tmp_path / "led", "no folder"),
            (full / "mine", "no folder"),
        ):
            with pytest.raises(UsageError, match=words):
                bundle.extract(place)
    assert contents_below(full) == {"mine": b"mine"}
    assert list((tmp_path / "elsewhere").iterdir()) == []


def refused(tmp_path: Path, words: str, folder: Path, facts: list[EntryFacts]) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError, match=words):
        seal(folder, facts, MISSING, ABOUT, tmp_path / "out", salt_key=SALT_KEY, signer=None)
    assert set(tmp_path.iterdir()) == before


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "spool", CONTENTS)
    (tmp_path / "out").write_text("mine")
    refused(tmp_path, "exists", folder, facts_of(CONTENTS))
    assert (tmp_path / "out").read_text() == "mine"
    (tmp_path / "out").unlink()
    (tmp_path / "out").symlink_to("nowhere")
    refused(tmp_path, "exists", folder, facts_of(CONTENTS))


def test_a_name_that_is_taken_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "spool", CONTENTS)

    def meanwhile() -> None:
        (tmp_path / "out").write_text("mine")

    with pytest.raises(UsageError, match="exists"):
        seal(
            folder, facts_of(CONTENTS), [], ABOUT, tmp_path / "out", salt_key=SALT_KEY,
            signer=SlowSigner(signer_of(pem_key(tmp_path)), meanwhile),
        )  # fmt: skip
    assert (tmp_path / "out").read_text() == "mine"
    assert not list(tmp_path.glob(".out*"))


def test_every_file_is_described_and_every_description_has_a_file(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "spool", CONTENTS)
    refused(tmp_path, "judged/health.json is not described", folder, facts_of(set(CONTENTS) - {"judged/health.json"}))
    refused(tmp_path, "more is described, and not there", folder, facts_of([*CONTENTS, "more"]))
    refused(tmp_path, "is not described", write_files(tmp_path / "control", {"a\nb": b""}), [])


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_only_files_and_folders_are_sealed(tmp_path: Path, kind: str) -> None:
    folder = write_files(tmp_path / "spool", CONTENTS)
    if kind == "link":
        (folder / "it").symlink_to("/etc/passwd")
    else:
        os.mkfifo(folder / "it")
    refused(tmp_path, "it in .* is neither a file nor a folder", folder, facts_of([*CONTENTS, "it"]))


def test_names_that_would_be_one_file_elsewhere(tmp_path: Path) -> None:
    for names in (("A", "a"), ("ä", "a\u0308"), ("ß", "SS")):
        folder = write_files(tmp_path / names[0], dict.fromkeys(names, b""))
        refused(tmp_path, "two entries would be one file", folder, facts_of(names))
    refused(
        tmp_path,
        "file and a folder at once",
        write_files(tmp_path / "f", {"A": b"", "a/b": b""}),
        facts_of(["A", "a/b"]),
    )


@pytest.mark.parametrize("changed", [b"", b"12.5 100.1\n", b"12.5 100.0\nmore"], ids=["shorter", "other", "longer"])
def test_a_file_that_changes_between_its_hash_and_its_copy(tmp_path: Path, changed: bytes) -> None:
    folder = write_files(tmp_path / "spool", CONTENTS)

    def meanwhile() -> None:
        (folder / "tree/proc/uptime").write_bytes(changed)

    with pytest.raises(UsageError, match="tree/proc/uptime was changed while it was sealed"):
        seal(
            folder, facts_of(CONTENTS), [], ABOUT, tmp_path / "out", salt_key=SALT_KEY,
            signer=SlowSigner(signer_of(pem_key(tmp_path)), meanwhile),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


LEAD_OUT = ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a/."]
TOO_LONG = ["x" * 256, "ä" * 128, "d/" * 512 + "x"]
HIDE = ["a\\b", "a\0b", "a\nb", "a\x7f", "a\u202eb", "\ud800"]
OURS = ["manifest.json", "Manifest.JSON", "statement.dsse.json", "disclosure.json/x"]


@pytest.mark.parametrize("path", LEAD_OUT + TOO_LONG + HIDE + OURS)
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        EntryFacts(path=path, kind=EntryKind.TREE)


def test_paths_at_their_limits(tmp_path: Path) -> None:
    names = [
        "x" * 255,
        "/".join(["d" * 254] * 4),
        "a" * 100,
        "p" * 155 + "/" + "n" * 100,
        "p" * 156 + "/" + "n" * 99,
        "ä" * 127,
    ]
    contents = {name: name.encode() for name in names}
    with opened(sealed(tmp_path / "b", contents=contents).path) as bundle:
        bundle.extract(tmp_path / "out")
    assert contents_below(tmp_path / "out") == contents


def test_more_files_than_a_bundle_holds(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    for number in range(MAX_ENTRIES + 1):
        (folder / str(number)).touch()
    refused(tmp_path, "more than 20,000 files", folder, [])


def test_what_reads_a_saved_tree_reads_the_tree_in_a_bundle(tmp_path: Path) -> None:
    bundle = sealed(tmp_path / "b", signer_of(pem_key(tmp_path))).path
    with unpacked(bundle) as tree:
        assert tree.root.name == "tree"
        assert (tree.root / "proc/uptime").read_bytes() == CONTENTS["tree/proc/uptime"]
        assert tree.notes == ()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with opened(sealed(tmp_path / "b").path) as bundle, pytest.raises(UsageError, match="No such file"):
        bundle.extract(tmp_path / "absent/out")
