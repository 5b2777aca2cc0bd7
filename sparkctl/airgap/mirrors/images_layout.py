"""A folder of images as OCI lays it out: contents by their digest, and an index of the names that lead to them.

    oci-layout, index.json      of the layout itself (OCI image specification, image-layout.md)
    blobs/sha256/DIGEST         indexes, manifests, configurations and layers, each once for all images

What Docker's registry made keeps its media types, since another form of it would have another digest.
"""

from collections.abc import Sequence
from pathlib import Path

from sparkctl.airgap.blobs import opened
from sparkctl.airgap.mirrors.images_documents import MAX_DOCUMENT, OCI_INDEX, Descriptor
from sparkctl.errors import UsageError
from sparkctl.model.canonical import Json, canonical_json
from sparkctl.model.mirror_images import ImageName
from sparkctl.model.printable import printable

MARK, INDEX, BLOBS = "oci-layout", "index.json", "blobs/sha256"
MARK_CONTENT = canonical_json({"imageLayoutVersion": "1.0.0"})
MAX_INDEX = 4 * 2**20
_REF_NAME = "org.opencontainers.image.ref.name"


def blob_path(digest: str) -> str:
    """Where a content is in a layout."""
    return f"{BLOBS}/{digest.removeprefix('sha256:')}"


def index_content(named: Sequence[tuple[ImageName | None, Descriptor]]) -> bytes:
    """The `index.json` of a layout with these contents, each by its name where it has one."""
    entries: list[Json] = []
    for name, one in named:
        entry: dict[str, Json] = {"mediaType": one.media_type, "digest": one.digest, "size": one.size}
        if name is not None:
            entry["annotations"] = {_REF_NAME: name.text}
        entries.append(entry)
    return canonical_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})


def read_content(path: Path, limit: int, named: str) -> bytes:
    """A file of a layout that is no link, of at most `limit` bytes; raises UsageError."""
    try:
        with opened(path) as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise UsageError(f"{named} is not there: {path} is missing", hint=AGAIN) from None
    except OSError as error:
        raise UsageError(f"{printable(str(path), 300)}: {error.strerror}") from error
    if len(content) > limit:
        raise UsageError(f"{named} is larger than {limit // 2**20} MiB", hint=AGAIN)
    return content


class Layout:
    """The manifests and configurations in a layout; nothing of it is believed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest(self, name: ImageName, wanted: str) -> bytes:
        """An index or a manifest; raises UsageError where it is not there."""
        return read_content(self.folder / blob_path(wanted), MAX_DOCUMENT, f"the manifest {wanted} of {name.text}")

    def config(self, name: ImageName, manifest: str, wanted: Descriptor) -> bytes:
        """A configuration; raises UsageError where it is not there."""
        named = f"the configuration of {name.path}@{manifest}"
        return read_content(self.folder / blob_path(wanted.digest), MAX_DOCUMENT, named)


AGAIN = "run the same command again; if it stays so, it is damaged"
