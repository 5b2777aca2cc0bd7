"""Prove models, file by file, from nothing but the id of a commit and what lies beside them."""

import hashlib
import os
from pathlib import Path

from sparkctl.airgap.blobs import CHUNK, digest_of, opened
from sparkctl.airgap.mirrors.git_objects import MAX_POINTER, Objects, pointer_in, sha1
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.airgap.mirrors.model_choice import Wanted, choice
from sparkctl.airgap.mirrors.model_hub import GIT, Held, file_path, object_path, pages_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.evidence_path import bytewise
from sparkctl.model.mirror_models import Model, ModelsServed
from sparkctl.model.printable import printable
from sparkctl.model.transfer import TransferFile

_MAX_TOLD = 900
_AGAIN = "run the same command again; if it stays so, the origin is damaged, or somebody changed the file"


def prove_models(served: ModelsServed, folder: Path) -> Proven:
    """Verify every model; raises RefusedError for a file that does not follow from its commit, UsageError, OSError."""
    files, proofs, left_out = list[TransferFile](), list[str](), list[str]()
    counts = {"models": len(served.models), "files": 0, "files in Git LFS": 0}
    for model in served.models:
        objects = Objects(folder / model.repository / GIT / "objects")
        chosen = choice(objects, model, blobs=False)
        held = [_held(folder, model, wanted) for wanted in chosen.wanted]
        large = sum(one.wanted.pointer is not None for one in held)
        counts["files"] += len(held)
        counts["files in Git LFS"] += large
        files += [
            TransferFile(path=file_path(model, one.wanted.path), size=one.size, sha256=one.sha256) for one in held
        ]
        files += [_plain(folder, object_path(model, oid)) for oid in objects.read]
        files += [_page(folder, path, content) for path, content in pages_of(model, held).items()]
        proofs.append(_sentence(model, len(held), large))
        left_out += chosen.left_out
    if len(left_out) > _MAX_TOLD:
        left_out[_MAX_TOLD:] = [f"and {len(left_out) - _MAX_TOLD:,} more"]
    return Proven(sorted(files, key=lambda file: bytewise(file.path)), proofs, counts, left_out)


def _held(folder: Path, model: Model, wanted: Wanted) -> Held:
    """A file of a model, which must be what its commit says."""
    place = folder / file_path(model, wanted.path)
    named = f"{model.repository}/{printable(wanted.path, 300)}"
    try:
        if wanted.pointer is not None:
            sha256, size = digest_of(place)
            right = (sha256, size) == (wanted.pointer.sha256, wanted.pointer.size)
        else:
            blob, sha256, size = _blob_of(place)
            right = blob == wanted.blob
            _require_content(place, size, named)
    except OSError as error:
        raise UsageError(f"{named} cannot be read: {error.strerror}", hint=_AGAIN) from None
    if not right:
        raise RefusedError(f"{named} is not what the commit {model.revision[:12]} has", hint=_AGAIN)
    return Held(wanted, size, sha256)


def _blob_of(place: Path) -> tuple[str, str, int]:
    """The id that git gives a file, its SHA-256, and its size; raises OSError."""
    with opened(place) as file:
        size = os.fstat(file.fileno()).st_size
        blob, digest, read = sha1(f"blob {size}\0".encode()), hashlib.sha256(), 0
        while chunk := file.read(CHUNK):
            blob.update(chunk)
            digest.update(chunk)
            read += len(chunk)
    return blob.hexdigest(), digest.hexdigest(), read


def _require_content(place: Path, size: int, named: str) -> None:
    """Refuse a pointer that stands where its content should: git has it under the same id."""
    if size > MAX_POINTER:
        return
    with opened(place) as file:
        content = file.read(MAX_POINTER)
    try:
        pointer = pointer_in(content) is not None
    except ValueError:
        pointer = True
    if pointer:
        raise RefusedError(f"{named} is a pointer of Git LFS, and not what it points to", hint=_AGAIN)


def _page(folder: Path, path: str, content: bytes) -> TransferFile:
    found = _plain(folder, path)
    if (found.sha256, found.size) != (hashlib.sha256(content).hexdigest(), len(content)):
        raise RefusedError(f"{path} is not what follows from the files of this model", hint=_AGAIN)
    return found


def _plain(folder: Path, path: str) -> TransferFile:
    try:
        sha256, size = digest_of(folder / path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_AGAIN) from None
    return TransferFile(path=path, size=size, sha256=sha256)


def _sentence(model: Model, files: int, large: int) -> str:
    return (
        f"{model.repository}: all {files:,} files follow from the commit {model.revision}: trees and what they name "
        f"by SHA-1, as git has it, and {large:,} of these files, which lie in Git LFS, by the SHA-256 in their pointers"
    )
