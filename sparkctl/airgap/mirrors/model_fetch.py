"""Bring models: the commit and its small files by git, large files by curl, each by the digest in its pointer."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors.download import download
from sparkctl.airgap.mirrors.git_fetch import commit
from sparkctl.airgap.mirrors.git_objects import Objects
from sparkctl.airgap.mirrors.hub_token import Login, login
from sparkctl.airgap.mirrors.kind import Fetched, Planned
from sparkctl.airgap.mirrors.model_choice import Choice, Wanted, choice
from sparkctl.airgap.mirrors.model_hub import Held, file_path, object_path, pages_of
from sparkctl.airgap.mirrors.tool import version
from sparkctl.errors import RefusedError
from sparkctl.model.mirror_models import Model, ModelsMirror, ModelsServed


def plan_models(mirror: ModelsMirror, work: Path) -> Planned:
    """What a mirror would bring, by the pointers of its commits; raises UsageError, RefusedError, OSError."""
    total, files, left_out = 0, 0, list[str]()
    with login(mirror.endpoint, mirror.token_file, work) as private:
        for _, _, chosen in _chosen(mirror, work, private):
            total += sum(wanted.size or 0 for wanted in chosen.wanted)
            files += len(chosen.wanted)
            left_out += chosen.left_out
    return Planned(total, {"models": len(mirror.models), "files": files}, left_out)


def fetch_models(mirror: ModelsMirror, work: Path) -> Fetched:
    """Have all files of all models in a folder as a Hub has them; raises UsageError, RefusedError, OSError."""
    folder, store = work / "site", work / "lfs"
    shutil.rmtree(folder, ignore_errors=True)
    store.mkdir(parents=True, exist_ok=True)
    needed = set[str]()
    with login(mirror.endpoint, mirror.token_file, work) as private:
        bringing = _Bringing(mirror, private, store)
        for model, objects, chosen in _chosen(mirror, work, private):
            held = [bringing.held(model, one, objects) for one in chosen.wanted]
            needed |= {one.sha256 for one in held}
            _write(model, objects, held, store, folder)
    for path in store.iterdir():
        if path.name.removeprefix(".").removesuffix(".part") not in needed:
            path.unlink()
    made_with = [version(["git", "--version"], package="git"), version(["curl", "--version"], package="curl")]
    return Fetched(folder, ModelsServed(models=mirror.models), made_with)


def _chosen(mirror: ModelsMirror, work: Path, private: Login) -> Iterator[tuple[Model, Objects, Choice]]:
    """Each model with the objects of its commit and what is taken of it."""
    for model in mirror.models:
        place = work / "git" / model.repository
        place.mkdir(parents=True, exist_ok=True)
        objects = commit(f"{mirror.endpoint}/{model.repository}", model.revision, place, private.git)
        yield model, objects, choice(objects, model, blobs=True)


@dataclass(frozen=True, slots=True)
class _Bringing:
    """Where files come from, with which login, and where they are kept by their digests."""

    mirror: ModelsMirror
    private: Login
    store: Path

    def held(self, model: Model, wanted: Wanted, objects: Objects) -> Held:
        """A file, which is in the store then."""
        pointer = wanted.pointer
        if pointer is None:
            fresh = self.store / ".fresh"
            fresh.write_bytes(objects.content("blob", wanted.blob))
            sha256, size = digest_of(fresh)
            fresh.replace(self.store / sha256)
            return Held(wanted, size, sha256)
        address = f"{self.mirror.endpoint}/{file_path(model, quote(wanted.path))}"
        place, log = self.store / pointer.sha256, self.store.parent / "curl.log"
        download(address, place, log, limit=pointer.size, sha256=pointer.sha256, config=self.private.curl)
        if (size := place.stat().st_size) != pointer.size:
            raise RefusedError(
                f"{wanted.path} of {model.repository} has {size:,} bytes, and {pointer.size:,} by its pointer",
                hint="the repository is damaged; take another commit of it",
            )
        return Held(wanted, size, pointer.sha256)


def _write(model: Model, objects: Objects, held: Sequence[Held], store: Path, folder: Path) -> None:
    """The files of a model, by hard links into the store, and what proves and lists them."""
    for one in held:
        place = folder / file_path(model, one.wanted.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(store / one.sha256, place)
    plain = {one.wanted.blob for one in held if one.wanted.pointer is None}
    for oid in objects.read - plain:
        place = folder / object_path(model, oid)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(objects.place(oid), place)
    for path, content in pages_of(model, held).items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
