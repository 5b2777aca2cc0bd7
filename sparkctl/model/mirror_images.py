"""Container images: what is mirrored of registries, which digests were pinned, and how clients name them."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from sparkctl.model.base import Record, Text, Word
from sparkctl.model.mirror_apt import Pem

MAX_IMAGES = 500
MAX_CHILDREN = 500
"""Manifests that one index names at most."""

HOST = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = rf"{_PART}(/{_PART})*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"
PLATFORM = r"[a-z0-9]{1,20}/[a-z0-9_]{1,20}(/[a-z0-9.]{1,20})?"

RegistryHost = Annotated[str, StringConstraints(pattern=rf"^{HOST}$", max_length=255)]
"""HOST or HOST:PORT."""

Repository = Annotated[str, StringConstraints(pattern=rf"^{REPOSITORY}$", max_length=255)]
"""The path of images in a registry, such as nvidia/pytorch (distribution specification, `name`)."""

Tag = Annotated[str, StringConstraints(pattern=rf"^{TAG}$")]
Digest = Annotated[str, StringConstraints(pattern=rf"^{DIGEST}$")]

Platform = Annotated[str, StringConstraints(pattern=rf"^{PLATFORM}$")]
"""OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/arm64."""


class ImageName(Record):
    """An image as people name it: registry, repository, and a tag, a digest, or both."""

    registry: RegistryHost
    repository: Repository
    tag: Tag | None
    digest: Digest | None

    @model_validator(mode="after")
    def _require_pin(self) -> Self:
        if self.tag is None and self.digest is None:
            raise ValueError("an image has a tag or a digest")
        return self

    @property
    def path(self) -> str:
        """REGISTRY/REPOSITORY."""
        return f"{self.registry}/{self.repository}"

    @property
    def text(self) -> str:
        """As it is written: REGISTRY/REPOSITORY:TAG@DIGEST."""
        return self.path + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


class ImagesSite(Record):
    """The registry of the site, by which its clients get the images; `ca` where no public one signed for it.

    `by_registry` has it keep images below the name of the registry that they came from.
    """

    registry: RegistryHost
    ca: Pem | None
    by_registry: bool


class ImagesMirror(Record):
    """Images to mirror, for these platforms; none for all that each image has.

    `authfile` is where logins of registries are kept (containers-auth.json(5)), `ca` of registries that no public CA
    signed for.
    """

    name: Word
    images: Annotated[list[ImageName], Field(min_length=1, max_length=MAX_IMAGES)]
    platforms: Annotated[list[Platform], Field(max_length=20)]
    authfile: Text | None
    ca: Pem | None
    site: ImagesSite | None


class PlatformManifest(Record):
    """The manifest of an image for one platform."""

    digest: Digest
    platform: Platform


class PinnedImage(Record):
    """What a name led to when it was mirrored: the digest of an index, or of the one manifest itself.

    `manifests` are those that are here; `whole` says that the index names no other.
    """

    name: ImageName
    digest: Digest
    whole: bool
    manifests: Annotated[list[PlatformManifest], Field(min_length=1, max_length=MAX_CHILDREN)]

    @property
    def is_index(self) -> bool:
        """Whether the name leads to an index."""
        return [manifest.digest for manifest in self.manifests] != [self.digest]


class ImagesServed(Record):
    """The images of a snapshot by their digests; `platforms` are those that were asked for, none for all."""

    kind: Literal["images"] = "images"
    platforms: Annotated[list[Platform], Field(max_length=20)]
    images: Annotated[list[PinnedImage], Field(min_length=1, max_length=MAX_IMAGES)]
    site: ImagesSite | None

    @model_validator(mode="after")
    def _require_once(self) -> Self:
        names = [image.name.text for image in self.images]
        if names != sorted(set(names)):
            raise ValueError("images are sorted by their names, and each is there once")
        clash = clashing([image.name for image in self.images], by_registry=self.by_registry)
        if clash is not None:
            raise ValueError(f"{clash[0].path} and {clash[1].path} are one repository of the site's registry")
        return self

    @property
    def by_registry(self) -> bool:
        """Whether the site's registry keeps images below the name of where they came from."""
        return self.site is not None and self.site.by_registry


def site_repository(name: ImageName, *, by_registry: bool) -> str:
    """Where an image is in the site's registry: its own path, as a mirror of containerd is asked for it.

    containerd asks `/v2/REPOSITORY/...?ns=REGISTRY` (its docs/hosts.md), and most registries do not read `ns`.
    """
    return f"{name.registry.replace(':', '-')}/{name.repository}" if by_registry else name.repository


def clashing(names: list[ImageName], *, by_registry: bool) -> tuple[ImageName, ImageName] | None:
    """Two images of different origin that would be one repository of the site's registry, if there are any."""
    seen: dict[str, ImageName] = {}
    for name in names:
        other = seen.setdefault(site_repository(name, by_registry=by_registry), name)
        if other.path != name.path:
            return other, name
    return None
