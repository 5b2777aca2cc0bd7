"""Put the images of a proven layout into the registry of a site, and read every manifest back from there.

All contents come before any tag is turned, so that no client is led to what is not there yet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sparkctl.airgap.mirrors import skopeo
from sparkctl.airgap.mirrors.images_documents import Document, digest
from sparkctl.airgap.mirrors.images_layout import MARK, MARK_CONTENT, Layout, index_content
from sparkctl.airgap.mirrors.images_walk import Walked, walk
from sparkctl.airgap.mirrors.skopeo import Skopeo
from sparkctl.errors import UsageError
from sparkctl.model.mirror_images import ImagesServed, PinnedImage, site_repository


@dataclass(frozen=True, slots=True)
class Landed:
    """An image in the registry of a site, as `repository` of it.

    `index_refused` is what the registry said when it did not take an index of which manifests are missing. `tagged`
    is the digest that its tag leads to now, `moved_from` the one that it led to before, if it was another. `fresh`
    counts the manifests that were not there before.
    """

    image: PinnedImage
    repository: str
    fresh: int
    index_refused: str | None
    tagged: str | None
    moved_from: str | None

    @property
    def digests(self) -> list[str]:
        """By which digests the registry has it: that of its index, where it took one, and those of its manifests."""
        found = [manifest.digest for manifest in self.image.manifests]
        return [self.image.digest, *found] if self.image.is_index and self.index_refused is None else found


class SiteRegistry:
    """The registry of a site, as HOST:PORT, and the layout that goes into it; raises UsageError, OSError."""

    def __init__(self, host: str, access: Skopeo, layout: Path) -> None:
        self._host, self._access, self._layout = host, access, layout

    def push(self, served: ImagesServed) -> list[Landed]:
        """Push every image, then turn the tags; what is there is not pushed again.

        Raises UsageError where a manifest that was read back is not the one that was pushed.
        """
        layout = Layout(self._layout)
        landed = []
        for image in served.images:
            walked = walk(image.name, image.digest, served.platforms, layout)
            repository = f"{self._host}/{site_repository(image.name, by_registry=served.by_registry)}"
            landed.append((walked, repository, *self._contents(walked, repository)))
        return [self._tagged(*one) for one in landed]

    def _contents(self, walked: Walked, repository: str) -> tuple[int, str | None]:
        """Push manifests with what belongs to them, then their index; how many are new, and why an index is not."""
        fresh = sum(self._put(manifest, f"{repository}@{manifest.descriptor.digest}") for manifest in walked.manifests)
        if not walked.root.is_index:
            return fresh, None
        try:
            return fresh + self._put(walked.root, f"{repository}@{walked.image.digest}"), None
        except _NotTakenError as error:
            if walked.image.whole:
                raise
            return fresh, error.said

    def _tagged(self, walked: Walked, repository: str, fresh: int, refused: str | None) -> Landed:
        """Turn the tag of an image to its index, or to its one manifest where the registry has no such index."""
        image = walked.image
        wanted = walked.root if refused is None else walked.manifests[0]
        if image.name.tag is None or (refused is not None and len(walked.manifests) > 1):
            return Landed(image, repository, fresh, refused, None, None)
        reference = f"{repository}:{image.name.tag}"
        before = self._digest_at(reference)
        if before != wanted.descriptor.digest:
            self._put(wanted, reference)
        moved_from = before if before not in {None, wanted.descriptor.digest} else None
        return Landed(image, repository, fresh, refused, wanted.descriptor.digest, moved_from)

    def _put(self, document: Document, reference: str) -> bool:
        """Put a document and what belongs to it where it is asked for; whether it was not there before."""
        wanted = document.descriptor
        fresh = self._digest_at(reference) != wanted.digest
        size = sum(layer.size for layer in document.layers)
        with _layout_of(document) as folder:
            ran = self._access.put(folder, self._layout / "blobs", reference, size)
        if self._digest_at(reference) != wanted.digest:
            raise _NotTakenError(reference, skopeo.said(ran.tail))
        return fresh

    def _digest_at(self, reference: str) -> str | None:
        """The digest of what the registry gives out for a name; None when it gives nothing."""
        try:
            return digest(self._access.manifest(reference))
        except UsageError:
            return None


class _NotTakenError(UsageError):
    def __init__(self, reference: str, said: str) -> None:
        super().__init__(
            f"{reference} is not there after it was pushed: {said}",
            hint="run the same command again; what is there is not pushed again",
        )
        self.said = said


@contextmanager
def _layout_of(document: Document) -> Iterator[Path]:
    """A layout of one document alone, since skopeo finds none of Docker's by name; the contents lie elsewhere."""
    with TemporaryDirectory(prefix="sparkctl-") as scratch:
        folder = Path(scratch) / "one"
        folder.mkdir()
        (folder / MARK).write_bytes(MARK_CONTENT)
        (folder / "index.json").write_bytes(index_content([(None, document.descriptor)]))
        yield folder
