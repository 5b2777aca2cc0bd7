"""Documents of container images: indexes, manifests and configurations, of OCI and of Docker, read without trust."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, UsageError
from sparkctl.model.mirror_images import DIGEST, MAX_CHILDREN, PLATFORM
from sparkctl.model.printable import printable
from sparkctl.model.transfer import MAX_SIZE

MAX_DOCUMENT = 4 * 2**20
"""Bytes of a manifest at most, as the distribution specification has it; of a configuration too."""

MAX_LAYERS = 1000

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIGS = frozenset({
    "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
})  # fmt: skip
_OCI_LAYER, _OCI_FOREIGN = "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.nondistributable"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
LAYERS = frozenset({
    _OCI_LAYER, f"{_OCI_LAYER}+gzip", f"{_OCI_LAYER}+zstd", _DOCKER_LAYER, f"{_DOCKER_LAYER}.gzip",
    f"{_DOCKER_LAYER}.zstd", "application/vnd.in-toto+json",
})  # fmt: skip
"""Layers that are mirrored; the last is what builders attest of an image beside it."""
FOREIGN = frozenset({
    f"{_OCI_FOREIGN}.v1.tar", f"{_OCI_FOREIGN}.v1.tar+gzip", f"{_OCI_FOREIGN}.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
})  # fmt: skip
"""Layers that may not be handed on, and that registries do not keep (OCI image specification, layer.md)."""

_KNOWN = INDEXES | MANIFESTS
_DIGEST, _PLATFORM = re.compile(DIGEST), re.compile(PLATFORM)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one document says of another content; `platform` only where an index says it."""

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    urls: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest without the name of its algorithm."""
        return self.digest.removeprefix("sha256:")

    @property
    def foreign(self) -> bool:
        """Whether it is a layer that may not be handed on."""
        return self.media_type in FOREIGN


@dataclass(frozen=True, slots=True)
class Document:
    """An index with `manifests`, or a manifest with `config` and `layers`."""

    descriptor: Descriptor
    manifests: tuple[Descriptor, ...]
    config: Descriptor | None
    layers: tuple[Descriptor, ...]

    @property
    def is_index(self) -> bool:
        """Whether it names manifests, and no layers."""
        return self.config is None


def digest(content: bytes) -> str:
    """The digest of a document, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def document(content: bytes, named: str, told: str | None = None) -> Document:
    """An index or a manifest; `told` is the media type by which somebody refers to it. Raises UsageError."""
    value = _object(content, named)
    media_type = _media_type(value, named)
    if told is not None and told != media_type:
        raise _wrong(named, f"calls itself {media_type}, and is referred to as {printable(told, 100)}")
    itself = Descriptor(media_type, digest(content), len(content))
    if media_type in INDEXES:
        if "layers" in value or "config" in value:
            raise _wrong(named, "is an index and a manifest at once")
        children = _descriptors(value.get("manifests"), 1, MAX_CHILDREN, named)
        for child in children:
            if child.media_type not in MANIFESTS:
                raise _wrong(named, f"names {child.media_type or 'something without a media type'}, which is no image")
        return Document(itself, children, None, ())
    if "manifests" in value:
        raise _wrong(named, "is an index and a manifest at once")
    config = _descriptor(value.get("config"), named)
    if config.media_type not in CONFIGS:
        raise _wrong(named, f"is no container image: its configuration is {config.media_type or 'of no media type'}")
    layers = _descriptors(value.get("layers"), 0, MAX_LAYERS, named)
    for layer in layers:
        if layer.media_type not in LAYERS | FOREIGN:
            raise _wrong(named, f"has a layer of the unknown media type {layer.media_type or '(none)'}")
    return Document(itself, (), config, layers)


def platform(content: bytes, named: str) -> str:
    """The platform that a configuration is for; raises UsageError."""
    return _platform(_object(content, named), named)


def matches(asked: str, found: str) -> bool:
    """Whether an image for the platform `found` is what somebody asks for; arm64 is arm64/v8 (OCI image index)."""
    one, other = asked.split("/"), found.split("/")
    return one[:2] == other[:2] and (len(one) < 3 or _variant(one) == _variant(other))


def alike(one: str, other: str) -> bool:
    """Whether an index and a configuration speak of one platform; either may leave the variant out."""
    return matches(one, other) or matches(other, one)


def _variant(parts: list[str]) -> str:
    if len(parts) > 2:
        return parts[2]
    return "v8" if parts[1] == "arm64" else ""


def _media_type(value: dict[str, Any], named: str) -> str:
    """What a document says that it is; those of OCI need not (image specification, `mediaType`)."""
    if value.get("schemaVersion") != 2:
        raise _wrong(
            named, f"is of schema version {printable(str(value.get('schemaVersion')), 20)}, and only 2 is read"
        )
    told = value.get("mediaType", OCI_INDEX if "manifests" in value else OCI_MANIFEST)
    if not isinstance(told, str) or told not in _KNOWN:
        raise _wrong(named, f"is of the unknown media type {printable(str(told), 100)}")
    return told


def _object(content: bytes, named: str) -> dict[str, Any]:
    if len(content) > MAX_DOCUMENT:
        raise _wrong(named, f"is larger than {MAX_DOCUMENT // 2**20} MiB")
    try:
        value = strict_json.parse(content)
    except ContractError as error:
        raise _wrong(named, f"cannot be read: {printable(error.message, 200)}") from error
    if not isinstance(value, dict):
        raise _wrong(named, "is no JSON object")
    return value


def _descriptors(value: Any, least: int, most: int, named: str) -> tuple[Descriptor, ...]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise _wrong(named, f"does not name {least} to {most:,} contents")
    return tuple(_descriptor(item, named) for item in value)


def _descriptor(value: Any, named: str) -> Descriptor:
    """A reference to another content (OCI image specification, descriptor.md)."""
    if not isinstance(value, dict):
        raise _wrong(named, "refers to a content in no form that is known")
    media_type, found, size, urls = (value.get(key) for key in ("mediaType", "digest", "size", "urls"))
    if not isinstance(found, str) or not _DIGEST.fullmatch(found):
        raise _wrong(named, f"refers to a content by {printable(str(found), 100)}, which is no SHA-256 digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
        raise _wrong(named, f"names a content of {printable(str(size), 40)} bytes")
    if urls is not None and not (isinstance(urls, list) and all(isinstance(url, str) for url in urls)):
        raise _wrong(named, "refers to a content by addresses in no form that is known")
    where = value.get("platform")
    return Descriptor(
        media_type=printable(media_type, 100) if isinstance(media_type, str) else "",
        digest=found,
        size=size,
        platform=None if where is None else _platform(where, named),
        urls=tuple(printable(url, 200) for url in urls or ()),
    )


def _platform(value: Any, named: str) -> str:
    parts = [value.get(key) for key in ("os", "architecture", "variant")] if isinstance(value, dict) else []
    text = "/".join(str(part) for part in parts if part)
    if not all(isinstance(part, str) for part in parts if part) or not _PLATFORM.fullmatch(text):
        raise _wrong(named, "does not say in a known form for which platform it is")
    return text


def _wrong(named: str, words: str) -> UsageError:
    return UsageError(f"{named} {words}", hint="it is damaged, or nothing that this mirrors")
