"""Mirrors of container images."""

import hashlib
import re
import stat
from collections.abc import Callable
from pathlib import Path

from sparkctl.airgap.mirrors import images_client, images_fetch
from sparkctl.airgap.mirrors.images_proof import prove
from sparkctl.airgap.mirrors.kind import Fetched, Planned, Proven
from sparkctl.app import site_values as values
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, one_of
from sparkctl.model.mirror_images import (
    DIGEST,
    HOST,
    MAX_IMAGES,
    PLATFORM,
    REPOSITORY,
    TAG,
    ImageName,
    ImagesMirror,
    ImagesServed,
    ImagesSite,
    clashing,
)  # fmt: skip

DEFAULT_PLATFORM = "linux/arm64"
"""What a DGX Spark runs."""

ALL = "all"
_IMAGE = re.compile(rf"(?P<registry>{HOST})/(?P<repository>{REPOSITORY})(:(?P<tag>{TAG}))?(@(?P<digest>{DIGEST}))?")
_AS = "as nvcr.io/nvidia/pytorch:25.09-py3 or docker.io/library/redis@sha256:..."
_HUB = "docker.io"
registry_host = matches(HOST, "must be HOST or HOST:PORT, in small letters")
_platform = matches(rf"{ALL}|{PLATFORM}", f"must be as {DEFAULT_PLATFORM}, or `{ALL}`")


class Images:
    """The kind `images`."""

    keys: tuple[str, ...] = ("images", "platforms", "authfile", "ca", "site")
    clients_verify = True

    def read(self, name: str, fields: Fields) -> ImagesMirror | None:
        """An entry; None, with the problem noted, where it cannot be used."""
        images = fields.texts("images", image_name)
        if not images:
            if not fields.has("images"):
                fields.wrong(None, "`images` is missing", f"Write `images:` and a list of names; one {_AS}.")
            return None
        site = _site(fields)
        if len({image.text for image in images}) != len(images):
            fields.wrong("images", "an image is named twice", "Leave one.")
            return None
        if len(images) > MAX_IMAGES:
            fields.wrong("images", f"there are more than {MAX_IMAGES} of them", "Make two mirrors.")
            return None
        if clash := clashing(images, by_registry=site is not None and site.by_registry):
            fields.wrong(
                "images",
                f"{clash[0].path} and {clash[1].path} would be one repository of the site's registry",
                "Write `site: {by_registry: true}`, or make two mirrors that are pushed to two registries.",
            )
            return None
        platforms = fields.texts("platforms", _platform) or [DEFAULT_PLATFORM]
        if ALL in platforms and len(platforms) > 1:
            fields.wrong("platforms", f"`{ALL}` stands beside others", "Leave one or the other.")
        return ImagesMirror(
            name=name,
            images=images,
            platforms=[] if ALL in platforms else list(dict.fromkeys(platforms)),
            authfile=fields.text("authfile", _logins(fields.folder)),
            ca=fields.text("ca", _certificates(fields.folder)),
            site=site,
        )

    def origin(self, spec: ImagesMirror) -> list[str]:
        """The names of the images."""
        return sorted(image.text for image in spec.images)

    def plan(self, spec: ImagesMirror, work: Path) -> Planned:
        """What their manifests say."""
        return images_fetch.plan(spec, work)

    def fetch(self, spec: ImagesMirror, work: Path) -> Fetched:
        """By skopeo."""
        return images_fetch.fetch(spec, work)

    def prove(self, served: ImagesServed, folder: Path) -> Proven:
        """From the pinned digests down."""
        return prove(served, folder)

    def vouchers(self, served: ImagesServed) -> list[str]:
        """The registry from which clients get them, and its CA; the images themselves are known by their digests."""
        if served.site is None:
            return []
        ca = hashlib.sha256(served.site.ca.encode()).hexdigest() if served.site.ca else "a public one"
        return [f"the registry {served.site.registry}, CA: {ca}"]

    def client(self, served: ImagesServed, url: str, name: str) -> dict[str, str]:  # noqa: ARG002 - no client asks nginx
        """For containerd, and a list of what can be pulled; images come from the site's registry, not from `url`."""
        return images_client.client(served, name)


def image_name(text: str) -> ImageName:
    """An image with its registry and a tag, a digest or both; raises ValueError with half a sentence."""
    match = _IMAGE.fullmatch(text)
    if match is None:
        raise ValueError(f"must be {_AS}")
    registry, repository = match["registry"], match["repository"]
    if not set(".:") & set(registry) and registry != "localhost":
        raise ValueError(f"must begin with its registry, {_AS}")
    if registry in {"index.docker.io", "registry-1.docker.io"} or (registry == _HUB and "/" not in repository):
        raise ValueError(f"must be as {_HUB}/library/redis:7 where it is one of Docker's own")
    if match["tag"] is None and match["digest"] is None:
        raise ValueError(f"must end with a tag or a digest, {_AS}")
    if len(registry) > 255 or len(repository) > 255:
        raise ValueError("must have a registry and a repository of at most 255 characters")
    return ImageName(registry=registry, repository=repository, tag=match["tag"], digest=match["digest"])


def logins(path: Path) -> str:
    """The path of a file of logins that nobody else may read; raises ValueError with half a sentence."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(mode):
        raise ValueError("must be a file")
    if mode & 0o077:
        raise ValueError(f"must be for its owner alone (chmod 600), since logins are in it, and is {mode & 0o777:04o}")
    return str(path)


def _site(fields: Fields) -> ImagesSite | None:
    if not fields.has("site"):
        return None
    site = fields.under("site", ("registry", "ca", "by_registry"))
    registry = site.text("registry", registry_host, required="Name the registry of the site: `registry: HOST:PORT`.")
    ca = site.text("ca", _certificates(fields.folder))
    by_registry = site.text("by_registry", one_of(("true", "false"))) == "true"
    return ImagesSite(registry=registry, ca=ca, by_registry=by_registry) if registry else None


def _logins(folder: Path) -> Callable[[str], str]:
    return lambda text: logins(lexical(folder / text))


def _certificates(folder: Path) -> Callable[[str], str]:
    return lambda text: values.certificates(lexical(folder / text))
