"""Bring images: pin what their names lead to, have skopeo bring the layers, and lay them out by their digests.

skopeo writes an OCI layout in OCI's form alone, by which most images would have another digest. It is asked for layers
only; manifests and configurations are taken as the registry has them, and proven by their digest.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors import skopeo
from sparkctl.airgap.mirrors.images_documents import MAX_DOCUMENT, Descriptor, Document, digest
from sparkctl.airgap.mirrors.images_layout import (
    BLOBS,
    INDEX,
    MARK,
    MARK_CONTENT,
    blob_path,
    index_content,
    read_content,
)  # fmt: skip
from sparkctl.airgap.mirrors.images_walk import Walked, kept, left_out, walk
from sparkctl.airgap.mirrors.kind import Fetched, Planned
from sparkctl.airgap.mirrors.skopeo import Skopeo
from sparkctl.atomic_file import replace_file
from sparkctl.errors import UsageError
from sparkctl.model.mirror_images import ImageName, ImagesMirror, ImagesServed

_NO_SIGNATURES = "signatures that lie beside images (cosign, notation) are not brought: a client cannot ask for them"

_NO_SITE = "`site` does not say which registry the site has: clients get a list of images, and no hosts.toml"


class Remote:
    """Manifests and configurations of registries; those that are in `folder` with their digest are not asked for."""

    def __init__(self, registries: Skopeo, folder: Path) -> None:
        self._registries, self._folder = registries, folder

    def pinned(self, name: ImageName) -> str:
        """The digest that a name leads to at this moment; raises UsageError."""
        if name.digest is not None:
            return name.digest
        return self._kept(self._registries.manifest(f"{name.path}:{name.tag}"))

    def manifest(self, name: ImageName, wanted: str) -> bytes:
        """An index or a manifest; raises UsageError."""
        return self._held(wanted) or self._new(self._registries.manifest(f"{name.path}@{wanted}"))

    def config(self, name: ImageName, manifest: str, wanted: Descriptor) -> bytes:
        """The configuration of a manifest; raises UsageError."""
        return self._held(wanted.digest) or self._new(self._registries.config(f"{name.path}@{manifest}"))

    def _held(self, wanted: str) -> bytes | None:
        path = self._folder / blob_path(wanted)
        if not path.is_file() or path.is_symlink():
            return None
        content = read_content(path, MAX_DOCUMENT, wanted)
        return content if digest(content) == wanted else None

    def _new(self, content: bytes) -> bytes:
        self._kept(content)
        return content

    def _kept(self, content: bytes) -> str:
        found = digest(content)
        path = self._folder / blob_path(found)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content, 0o644)
        return found


def plan(spec: ImagesMirror, work: Path) -> Planned:
    """What the images have by their manifests, and what of them would not be there; raises UsageError, OSError."""
    walked = _walked(spec, _registries(spec, work), work / "layout")
    contents = {digest: size for one in walked for digest, size in one.contents.items()}
    manifests = {manifest.descriptor.digest for one in walked for manifest in one.manifests}
    counts = {"images": len(walked), "manifests": len(manifests), "contents": len(contents)}
    missing = [sentence for one in walked for sentence in left_out(one)]
    unsaid = [] if spec.site else [_NO_SITE]
    return Planned(sum(contents.values()), counts, [*missing, _NO_SIGNATURES, *unsaid])


def fetch(spec: ImagesMirror, work: Path) -> Fetched:
    """Bring all contents into a layout; those that are there are not brought again. Raises UsageError, OSError."""
    made_with = skopeo.made_with()
    layout, brought = work / "layout", work / "brought"
    shutil.rmtree(brought, ignore_errors=True)
    (layout / BLOBS).mkdir(parents=True, exist_ok=True)
    _drop_damaged(layout / BLOBS)
    registries = _registries(spec, work)
    walked = _walked(spec, registries, layout)
    for one in walked:
        for manifest in one.manifests:
            _bring_layers(one.image.name, manifest, registries, layout, brought)
    shutil.rmtree(brought, ignore_errors=True)
    wanted = {Path(blob_path(digest)).name for one in walked for digest in one.contents}
    _drop(path for path in (layout / BLOBS).iterdir() if path.name not in wanted)
    replace_file(layout / MARK, MARK_CONTENT, 0o644)
    replace_file(layout / INDEX, index_content([(one.image.name, one.root.descriptor) for one in walked]), 0o644)
    served = ImagesServed(platforms=spec.platforms, images=[one.image for one in walked], site=spec.site)
    return Fetched(layout, served, [made_with])


def certificates(pem: str | None, folder: Path) -> Path | None:
    """A folder with the certificates of a CA, as skopeo reads them (containers-certs.d(5)); raises OSError."""
    if pem is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "ca.crt", pem.encode("ascii"), 0o644)
    return folder


def _registries(spec: ImagesMirror, work: Path) -> Skopeo:
    logins = Path(spec.authfile) if spec.authfile else None
    return Skopeo(certificates(spec.ca, work / "certificates"), logins, work / "log")


def _walked(spec: ImagesMirror, registries: Skopeo, layout: Path) -> list[Walked]:
    """What every name leads to, each resolved once, sorted by name."""
    remote = Remote(registries, layout)
    names = sorted(spec.images, key=lambda name: name.text)
    return [walk(name, remote.pinned(name), spec.platforms, remote) for name in names]


def _bring_layers(name: ImageName, manifest: Document, registries: Skopeo, layout: Path, brought: Path) -> None:
    def missing() -> list[Descriptor]:
        return [layer for layer in kept(manifest) if not (layout / blob_path(layer.digest)).is_file()]

    if not (wanted := missing()):
        return
    reference = f"{name.path}@{manifest.descriptor.digest}"
    ran = registries.bring(reference, brought, layout / "blobs", sum(layer.size for layer in wanted))
    if still := missing():
        raise UsageError(
            f"{reference} was not brought, {len(still):,} of its layers are missing: {skopeo.said(ran.tail)}",
            hint="run the same command again; layers that are there are not brought again",
        )


def _drop_damaged(blobs: Path) -> None:
    """Remove what is not what its name says, so that it is brought again: skopeo takes what has the name."""
    _drop(
        path for path in blobs.iterdir() if path.is_symlink() or not path.is_file() or digest_of(path)[0] != path.name
    )


def _drop(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
