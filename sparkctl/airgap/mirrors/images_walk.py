"""Follow the name of an image to its manifests for some platforms, every document on the way proven by its digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sparkctl.airgap.mirrors.images_documents import Descriptor, Document, alike, digest, document, matches, platform
from sparkctl.errors import UsageError
from sparkctl.model.mirror_images import ImageName, PinnedImage, PlatformManifest
from sparkctl.model.printable import clip

_SHOWN = 12


class Documents(Protocol):
    """Where manifests and configurations are read; nothing that it gives is believed. Raises UsageError, OSError."""

    def manifest(self, name: ImageName, wanted: str) -> bytes:
        """The index or manifest of this digest."""
        ...

    def config(self, name: ImageName, manifest: str, wanted: Descriptor) -> bytes:
        """The configuration that the manifest of this digest names."""
        ...


@dataclass(frozen=True, slots=True)
class Walked:
    """What a name leads to: the document that it names, and the manifests of it that were chosen."""

    image: PinnedImage
    root: Document
    manifests: Sequence[Document]
    not_chosen: Sequence[Descriptor]

    @property
    def contents(self) -> dict[str, int]:
        """The size of every content that belongs to it, by digest, without layers that may not be handed on."""
        found = {self.root.descriptor.digest: self.root.descriptor.size}
        for manifest in self.manifests:
            found[manifest.descriptor.digest] = manifest.descriptor.size
            if manifest.config is not None:
                found[manifest.config.digest] = manifest.config.size
            found |= {layer.digest: layer.size for layer in kept(manifest)}
        return found


def kept(manifest: Document) -> list[Descriptor]:
    """Layers of a manifest that registries keep."""
    return [layer for layer in manifest.layers if not layer.foreign]


def walk(name: ImageName, wanted: str, platforms: Sequence[str], documents: Documents) -> Walked:
    """Follow a name that leads to the digest `wanted`, for some platforms, or for all where none is named.

    Raises UsageError for a document that is not what its digest says, and where a platform has no image.
    """
    root = document(_proven(documents.manifest(name, wanted), wanted, name.text), name.text)
    if not root.is_index:
        found = _configured(name, root, None, documents)
        if platforms and not any(matches(asked, found) for asked in platforms):
            raise _no_image(name, platforms[0], [found])
        image = PinnedImage(
            name=name, digest=wanted, whole=True, manifests=[PlatformManifest(digest=wanted, platform=found)]
        )
        return Walked(image, root, [root], [])
    chosen = _chosen(name, root, platforms)
    manifests = [_child(name, child, documents) for child in chosen]
    pinned = [
        PlatformManifest(
            digest=child.digest, platform=_configured(name, manifest, child.platform, documents)
        )
        for child, manifest in zip(chosen, manifests, strict=True)
    ]  # fmt: skip
    digests = {child.digest for child in chosen}
    rest = [child for child in root.manifests if child.digest not in digests]
    return Walked(PinnedImage(name=name, digest=wanted, whole=not rest, manifests=pinned), root, manifests, rest)


def left_out(walked: Walked) -> list[str]:
    """Sentences on what of an image is not there, and by which digest it can be had all the same."""
    said = []
    name = walked.image.name
    if walked.not_chosen:
        said.append(
            f"{name.text}: its index {walked.image.digest} also names {_listed(walked.not_chosen)}, which is not here:"
            f" pull {name.path}@{walked.image.manifests[0].digest}; the digest of the index is there only in a registry"
            " that takes an index of which manifests are missing"
        )
    said += [
        f"{name.text}: a layer of {layer.size:,} bytes that may not be handed on, {layer.digest}; its maker has it"
        for manifest in walked.manifests
        for layer in manifest.layers
        if layer.foreign
    ]
    return [clip(sentence) for sentence in said]


def _chosen(name: ImageName, root: Document, platforms: Sequence[str]) -> list[Descriptor]:
    """What an index has for these platforms, each manifest once, in its order."""
    for asked in platforms:
        if not any(child.platform and matches(asked, child.platform) for child in root.manifests):
            raise _no_image(name, asked, [child.platform or "no platform" for child in root.manifests])
    found: dict[str, Descriptor] = {}
    for child in root.manifests:
        if not platforms or any(child.platform and matches(asked, child.platform) for asked in platforms):
            found.setdefault(child.digest, child)
    return list(found.values())


def _child(name: ImageName, child: Descriptor, documents: Documents) -> Document:
    named = f"{name.path}@{child.digest}"
    content = _proven(documents.manifest(name, child.digest), child.digest, named)
    if len(content) != child.size:
        raise UsageError(f"{named} has {len(content):,} bytes, where its index says {child.size:,}", hint=_DAMAGED)
    return document(content, named, child.media_type)


def _configured(name: ImageName, manifest: Document, told: str | None, documents: Documents) -> str:
    """The platform of a manifest by its configuration, which must not be another than its index says."""
    named = f"{name.path}@{manifest.descriptor.digest}"
    config = manifest.config
    if config is None:
        raise UsageError(f"{named} is an index within an index", hint="this is not mirrored")
    content = documents.config(name, manifest.descriptor.digest, config)
    _proven(content, config.digest, f"the configuration of {named}")
    if len(content) != config.size:
        raise UsageError(f"the configuration of {named} has another size than its manifest says", hint=_DAMAGED)
    found = platform(content, f"the configuration of {named}")
    if told is not None and not alike(told, found):
        raise UsageError(f"{named} is for {found}, and its index says {told}", hint="its maker has to correct that")
    return found


def _proven(content: bytes, wanted: str, named: str) -> bytes:
    if digest(content) != wanted:
        raise UsageError(f"{named} is not {wanted}: its digest is {digest(content)}", hint=_DAMAGED)
    return content


def _no_image(name: ImageName, asked: str, has: list[str]) -> UsageError:
    shown = ", ".join(sorted(set(has))[:_SHOWN])
    return UsageError(f"{name.text} has no image for {asked}; it has {shown}", hint="name another image or platform")


def _listed(children: Sequence[Descriptor]) -> str:
    names = sorted({child.platform or "a manifest of no platform" for child in children})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


_DAMAGED = "run the same command again; if it stays so, it is damaged there, or somebody changed it"
