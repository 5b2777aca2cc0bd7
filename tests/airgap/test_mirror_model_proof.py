"""Repositories and snapshots from somebody who means ill: refused in one sentence, at a bounded cost."""

import hashlib
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors.git_objects import Objects, pointer_in
from sparkctl.airgap.mirrors.model_choice import choice
from sparkctl.airgap.mirrors.model_hub import Held, file_path, object_path, pages_of
from sparkctl.airgap.mirrors.model_proof import prove_models
from sparkctl.errors import RefusedError, SparkctlError
from sparkctl.model.mirror_models import DEFAULT_FILES, Model, ModelsServed
from tests.support.hub import pointer

WEIGHTS = b"weights" * 1000


class Store:
    """Loose objects of git, written by hand, so that they can be what git would not write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, kind: str, content: bytes, oid: str | None = None) -> str:
        raw = f"{kind} {len(content)}\0".encode() + content
        oid = oid or hashlib.sha1(raw).hexdigest()
        place = self.folder / oid[:2] / oid[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(zlib.compress(raw))
        return oid

    def tree(self, entries: Mapping[bytes, tuple[str, str]]) -> str:
        """A tree of names to modes and ids."""
        lines = [f"{mode} ".encode() + name + b"\0" + bytes.fromhex(oid) for name, (mode, oid) in entries.items()]
        return self.put("tree", b"".join(lines))

    def commit(self, tree: str) -> str:
        return self.put("commit", f"tree {tree}\nauthor A <a@example.net> 0 +0000\n\ntest\n".encode())

    def of(self, files: Mapping[bytes, bytes]) -> str:
        return self.commit(self.tree({name: ("100644", self.put("blob", content)) for name, content in files.items()}))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "objects")


def mirrored(folder: Path) -> ModelsServed:
    """A sound snapshot of one model with two files, one of which lies in Git LFS."""
    files = {b"config.json": b"{}\n", b"one.safetensors": pointer(WEIGHTS)}
    scratch = Store(folder.parent / "scratch")
    model = Model(repository="acme/tiny", revision=scratch.of(files), files=list(DEFAULT_FILES))
    objects = Objects(scratch.folder)
    held = []
    for wanted in choice(objects, model, blobs=True).wanted:
        content = WEIGHTS if wanted.pointer else b"{}\n"
        place = folder / file_path(model, wanted.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        held.append(Held(wanted, len(content), hashlib.sha256(content).hexdigest()))
    kept = objects.read - {one.wanted.blob for one in held if one.wanted.pointer is None}
    for path, content in pages_of(model, held).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for oid in kept:
        place = folder / object_path(model, oid)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(objects.place(oid), place)
    return ModelsServed(models=[model])


def test_a_sound_snapshot_is_proven_and_nothing_else_is_taken(tmp_path: Path) -> None:
    served = mirrored(tmp_path / "site")
    (tmp_path / "site/acme/tiny/resolve" / served.models[0].revision / "evil.safetensors").write_bytes(b"x")
    (tmp_path / "site/evil.html").write_text("<script>")
    proven = prove_models(served, tmp_path / "site")
    assert proven.counts == {"models": 1, "files": 2, "files in Git LFS": 1}
    assert not any("evil" in file.path for file in proven.files)
    assert [file.path for file in proven.files] == sorted(file.path for file in proven.files)


def test_what_does_not_follow_from_the_commit_is_refused(tmp_path: Path) -> None:
    site = tmp_path / "site"
    served = mirrored(site)
    model = served.models[0]
    small, large = (site / file_path(model, name) for name in ("config.json", "one.safetensors"))

    def fault() -> str:
        with pytest.raises(SparkctlError, match=r"^[^\n]+$") as caught:
            prove_models(served, site)
        return caught.value.message

    small.write_bytes(b"[]\n")
    assert "config.json is not what the commit" in fault()
    small.write_bytes(b"{}\n")
    large.write_bytes(WEIGHTS[:-1] + b"x")
    assert "one.safetensors is not what the commit" in fault()
    large.unlink()
    large.symlink_to("/etc/passwd")
    assert "one.safetensors cannot be read" in fault()
    large.unlink()
    large.write_bytes(WEIGHTS)
    prove_models(served, site)

    blob = hashlib.sha1(b"blob %d\0" % len(pointer(WEIGHTS)) + pointer(WEIGHTS)).hexdigest()
    (site / object_path(model, blob)).unlink()
    large.write_bytes(pointer(WEIGHTS))
    assert "one.safetensors is a pointer of Git LFS, and not what it points to" in fault()
    Store(site / "acme/tiny/git/objects").put("blob", pointer(b"other weights"), blob)
    large.write_bytes(b"other weights")
    assert f"what git has as the blob {blob[:12]} is another" in fault()
    Store(site / "acme/tiny/git/objects").put("blob", pointer(WEIGHTS), blob)
    large.write_bytes(WEIGHTS)
    prove_models(served, site)

    sums = site / "acme/tiny/SHA256SUMS"
    sums.write_bytes(sums.read_bytes() + b"0" * 64 + b"  evil.safetensors\n")
    assert "SHA256SUMS is not what follows from the files of this model" in fault()


@pytest.mark.parametrize("name", [b"a/b", b"..", b".", b"a/../../b", b"a\\b", b"a\nb", b"\xff", b"a\xe2\x80\xaeb"])
def test_a_path_that_leads_elsewhere_is_refused(store: Store, name: bytes) -> None:
    model = Model(repository="acme/tiny", revision=store.of({name: b"{}"}), files=["*"])
    with pytest.raises(RefusedError, match="the repository holds"):
        choice(Objects(store.folder), model, blobs=True)


def test_a_pointer_that_lies_about_the_size_is_refused(store: Store, tmp_path: Path) -> None:
    """A client that asks for the size, and a disk that makes room for it, go by the pointer."""
    lying = pointer(WEIGHTS).replace(b"size 7000", b"size 7001")
    model = Model(repository="acme/tiny", revision=store.of({b"one.safetensors": lying}), files=["*"])
    site = tmp_path / "site"
    place = site / file_path(model, "one.safetensors")
    place.parent.mkdir(parents=True)
    place.write_bytes(WEIGHTS)
    shutil.copytree(store.folder, site / "acme/tiny/git/objects")
    with pytest.raises(RefusedError, match=r"one\.safetensors is not what the commit"):
        prove_models(ModelsServed(models=[model]), site)


def test_hidden_files_are_never_taken(store: Store) -> None:
    """Nothing serves them: a mirror that had them would not be what clients get."""
    files = {b".gitattributes": b"{}", b"config.json": b"{}"}
    chosen = choice(
        Objects(store.folder), Model(repository="acme/tiny", revision=store.of(files), files=["*"]), blobs=True
    )
    assert [wanted.path for wanted in chosen.wanted] == ["config.json"]


def test_trees_that_git_would_not_write_are_refused(store: Store) -> None:
    def fault(tree: str) -> str:
        with pytest.raises(SparkctlError, match=r"^[^\n]+$") as caught:
            list(Objects(store.folder).entries(store.commit(tree)))
        return caught.value.message

    blob = ("100644", store.put("blob", b"{}"))
    assert "ends in the middle of an entry" in fault(store.put("tree", b"100644 config.json\0short"))
    twice = store.put("tree", (b"100644 a.json\0" + bytes.fromhex(blob[1])) * 2)
    assert "has a.json twice" in fault(twice)
    deep = store.tree({b"a.json": blob})
    for _ in range(25):
        deep = store.tree({b"d": ("40000", deep)})
    assert "more than 20 folders deep" in fault(deep)
    wide = store.tree({f"{number}".encode(): blob for number in range(600)})
    for _ in range(3):
        wide = store.tree({f"{number}".encode(): ("40000", wide) for number in range(20)})
    assert "more than 200,000 files, or more than 10,000 folders" in fault(wide)
    empty = store.tree({})
    for _ in range(15):
        empty = store.tree({f"{number}".encode(): ("40000", empty) for number in range(100)})
    assert "more than 200,000 files, or more than 10,000 folders" in fault(empty)
    assert "git has no tree 000000000000" in fault("0" * 40)


def test_an_object_that_unfolds_is_not_unfolded(store: Store) -> None:
    oid = store.put("blob", bytes(100 * 2**20))
    with pytest.raises(RefusedError, match="or larger than 1,024 bytes"):
        Objects(store.folder).content("blob", oid, 1024)
    store.folder.joinpath(oid[:2], oid[2:]).write_bytes(b"no zlib")
    with pytest.raises(RefusedError, match="is another"):
        Objects(store.folder).content("blob", oid)
    with pytest.raises(RefusedError, match="is another"):
        Objects(store.folder).content("tree", store.put("blob", b""))


def test_links_and_other_repositories_are_not_taken(store: Store) -> None:
    blob = store.put("blob", b"/etc/passwd")
    entries = {b"a.json": ("100644", blob), b"b.json": ("120000", blob), b"c.json": ("160000", "1" * 40)}
    model = Model(repository="acme/tiny", revision=store.commit(store.tree(entries)), files=["*.json"])
    chosen = choice(Objects(store.folder), model, blobs=True)
    assert [one.path for one in chosen.wanted] == ["a.json"]
    assert list(chosen.left_out) == ["acme/tiny: 2 files that no pattern names, or links: .json (2)"]


def test_pointers_are_read_as_they_are_specified() -> None:
    found = pointer_in(pointer(b"abc"))
    assert found is not None
    assert (found.sha256, found.size) == (hashlib.sha256(b"abc").hexdigest(), 3)
    assert pointer_in(b"version 1\n") is None
    sound = pointer(b"abc")
    for broken in (sound.replace(b"sha256:", b"md5:"), pointer(b"abc", -1), sound + b"more\n", pointer(b"abc", 10**17)):
        with pytest.raises(ValueError, match="pointer of Git LFS that cannot be read"):
            pointer_in(broken)
