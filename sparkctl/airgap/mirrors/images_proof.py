"""Prove a layout of images from the pinned digests down: every index, manifest, configuration and layer."""

from dataclasses import dataclass, field
from pathlib import Path

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors.images_documents import Descriptor
from sparkctl.airgap.mirrors.images_layout import (
    AGAIN,
    BLOBS,
    INDEX,
    MARK,
    MARK_CONTENT,
    MAX_INDEX,
    Layout,
    blob_path,
    index_content,
    read_content,
)  # fmt: skip
from sparkctl.airgap.mirrors.images_walk import Walked, kept, left_out, walk
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.errors import UsageError
from sparkctl.model.evidence_path import bytewise
from sparkctl.model.mirror import MAX_SENTENCES
from sparkctl.model.mirror_images import ImagesServed, PinnedImage
from sparkctl.model.transfer import MAX_FILES, TransferFile


@dataclass(slots=True)
class _Found:
    files: dict[str, TransferFile] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: {"images": 0, "indexes": 0, "manifests": 0, "configurations": 0, "layers": 0}
    )
    left_out: list[str] = field(default_factory=list)


def prove(served: ImagesServed, folder: Path) -> Proven:
    """Verify every content that the pinned digests lead to; raises UsageError for the first that is not what it should.

    Only what was proven is in the result: what else lies in the folder is left out.
    """
    found, layout = _Found(), Layout(folder)
    roots = [(image.name, _image(image, served, layout, found).root.descriptor) for image in served.images]
    for path, content in ((MARK, MARK_CONTENT), (INDEX, index_content(roots))):
        if read_content(folder / path, MAX_INDEX, path) != content:
            raise UsageError(f"{folder / path} is not what names the images of this mirror", hint=AGAIN)
        _enter(folder, path, None, found)
    if len(found.files) > MAX_FILES:
        raise UsageError(f"the images have more than {MAX_FILES:,} contents", hint="make two mirrors of them")
    if strange := _strange(folder, found):
        found.left_out.append(f"{strange:,} files of {BLOBS} to which none of these images leads")
    whom = ", ".join(served.platforms) or "the platform that their index says"
    return Proven(
        files=sorted(found.files.values(), key=lambda file: bytewise(file.path)),
        proven_by=[
            f"{len(served.images):,} names, each by the digest that it led to when it was pinned",
            f"{found.counts['manifests']:,} manifests, each by its SHA-256 and size",
            f"{found.counts['layers']:,} layers, each by the SHA-256 and size that a manifest says",
            f"{found.counts['configurations']:,} configurations, each for {whom}",
        ],
        counts=found.counts,
        left_out=found.left_out[:MAX_SENTENCES],
    )


def _image(image: PinnedImage, served: ImagesServed, layout: Layout, found: _Found) -> Walked:
    name = image.name
    if name.digest not in {None, image.digest}:
        raise UsageError(f"{name.text} was pinned to {image.digest}, which is not the digest in its name", hint=AGAIN)
    walked = walk(name, image.digest, served.platforms, layout)
    if walked.image != image:
        raise UsageError(
            f"{name.text}: the snapshot names other manifests than {image.digest} leads to",
            hint="it was changed, or another program made it",
        )
    found.counts["images"] += 1
    found.counts["indexes"] += walked.root.is_index
    if walked.root.is_index:
        _enter(layout.folder, blob_path(image.digest), walked.root.descriptor, found)
    for manifest in walked.manifests:
        path = blob_path(manifest.descriptor.digest)
        found.counts["manifests"] += _enter(layout.folder, path, manifest.descriptor, found)
        if manifest.config is not None:
            path = blob_path(manifest.config.digest)
            found.counts["configurations"] += _enter(layout.folder, path, manifest.config, found)
        for layer in kept(manifest):
            found.counts["layers"] += _enter(layout.folder, blob_path(layer.digest), layer, found)
    found.left_out += left_out(walked)
    return walked


def _enter(folder: Path, path: str, told: Descriptor | None, found: _Found) -> bool:
    """Prove one file and note it; whether it is the first time."""
    known = found.files.get(path)
    if known is None:
        try:
            sha256, size = digest_of(folder / path)
        except FileNotFoundError:
            raise UsageError(f"{path} is named by a manifest and is not there", hint=AGAIN) from None
        except OSError as error:
            raise UsageError(f"{folder / path}: {error.strerror}") from error
        if told is not None and sha256 != told.sha256:
            raise UsageError(f"{path} is not what its name says: its SHA-256 is {sha256}", hint=AGAIN)
        found.files[path] = TransferFile(path=path, size=size, sha256=sha256)
    size = found.files[path].size
    if told is not None and size != told.size:
        raise UsageError(f"{path} has {size:,} bytes, where a manifest says {told.size:,}", hint=AGAIN)
    return known is None


def _strange(folder: Path, found: _Found) -> int:
    """How many files lie among the contents and belong to no image."""
    return sum(f"{BLOBS}/{path.name}" not in found.files for path in (folder / BLOBS).iterdir())
