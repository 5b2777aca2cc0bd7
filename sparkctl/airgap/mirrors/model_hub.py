"""A Hub made of plain files: what its client asks for, at the same addresses; the bytes follow from what is proven.

ORG/NAME/resolve/COMMIT/PATH            a file of a model
api/models/ORG/NAME/revision/COMMIT     what a model is, and
api/models/ORG/NAME/tree/COMMIT         its files, for huggingface_hub of before 2.0 and since
ORG/NAME/SHA256SUMS                     for `sha256sum -c` where the files of the model lie
ORG/NAME/git/                           a repository of the commit, its trees and pointers, and nothing else
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sparkctl.airgap.mirrors.model_choice import Wanted
from sparkctl.model.canonical import Json, canonical_json
from sparkctl.model.mirror_models import Model

GIT = "git"


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is there; `size` in bytes."""

    wanted: Wanted
    size: int
    sha256: str


def file_path(model: Model, path: str) -> str:
    """Where a file of a model lies."""
    return f"{model.repository}/resolve/{model.revision}/{path}"


def object_path(model: Model, oid: str) -> str:
    """Where an object of git lies."""
    return f"{model.repository}/{GIT}/objects/{oid[:2]}/{oid[2:]}"


def pages_of(model: Model, held: Sequence[Held]) -> dict[str, bytes]:
    """Every file beside those of the model and the objects of git, by its path."""
    siblings: list[Json] = [{"rfilename": one.wanted.path} for one in held]
    about: Json = {"id": model.repository, "modelId": model.repository, "sha": model.revision, "siblings": siblings,
             "private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0}  # fmt: skip
    repository = f"{model.repository}/{GIT}"
    api = f"api/models/{model.repository}"
    return {
        f"{api}/revision/{model.revision}": canonical_json(about),
        f"{api}/tree/{model.revision}": canonical_json([_entry(one) for one in held]),
        f"{model.repository}/SHA256SUMS": "".join(f"{one.sha256}  {one.wanted.path}\n" for one in held).encode(),
        f"{repository}/HEAD": b"ref: refs/heads/mirrored\n",
        f"{repository}/refs/heads/mirrored": f"{model.revision}\n".encode(),
        f"{repository}/shallow": f"{model.revision}\n".encode(),
    }


def _entry(one: Held) -> Json:
    entry: dict[str, Json] = {"type": "file", "oid": one.wanted.blob, "size": one.size, "path": one.wanted.path}
    if one.wanted.pointer is not None:
        entry["lfs"] = {"oid": one.sha256, "size": one.size, "pointerSize": one.wanted.pointer.length}
    return entry
