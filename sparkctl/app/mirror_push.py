"""On the far side: push the images of a snapshot into the registry of the site, once all of it was proven again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sparkctl.airgap.mirrors.images_fetch import certificates
from sparkctl.airgap.mirrors.images_push import Landed, SiteRegistry
from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.airgap.mirrors.skopeo import Skopeo
from sparkctl.app.file_values import lexical
from sparkctl.app.mirror_file import MirrorFile
from sparkctl.app.mirror_kinds.images import logins, registry_host
from sparkctl.app.mirror_shelf import named, newest, require_holds, snapshot_of
from sparkctl.app.site_values import certificates as certificates_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror import Snapshot
from sparkctl.model.mirror_images import ImageName, ImagesServed, site_repository
from sparkctl.model.printable import printable

GivenT = TypeVar("GivenT", str, Path)
MeantT = TypeVar("MeantT", str, Path)


@dataclass(frozen=True, slots=True)
class To:
    """The registry of a site, as HOST:PORT, with PEM certificates of its CA, and a file of logins."""

    registry: str
    ca: str | None
    authfile: Path | None


def push(shelf: Shelf, snapshot: Snapshot, to: To) -> list[Landed]:
    """Prove a snapshot and push its images; what is there is not pushed again.

    Raises UsageError for a snapshot of no images or a damaged one, and where the registry does not give back what was
    pushed; RefusedError where images of another mirror have the same place in the registry.
    """
    served = images_of(snapshot)
    _require_alone(shelf, snapshot.mirror, served)
    require_holds(shelf, snapshot)
    with TemporaryDirectory(prefix="sparkctl-") as scratch:
        access = Skopeo(
            certificates(to.ca, Path(scratch) / "certificates"), to.authfile, shelf.work(snapshot.mirror) / "push.log"
        )
        return SiteRegistry(to.registry, access, shelf.place(snapshot.mirror, snapshot.stamp)).push(served)


def chosen(file: MirrorFile, shelf: Shelf, name: str, ring: str | None) -> Snapshot:
    """The snapshot MIRROR/STAMP, the newest of MIRROR, or the one that a ring has of MIRROR; raises UsageError."""
    if ring is None:
        return named(shelf, name)
    file.require_ring(ring)
    stamp = shelf.stamp_in(ring, name) if name in shelf.mirrors() else None
    if stamp is None:
        raise UsageError(
            f"the ring {ring} has no snapshot of {name!r}",
            hint="name MIRROR alone, and promote first, or MIRROR/STAMP without --ring",
        )
    return snapshot_of(shelf, name, stamp)


def target(snapshot: Snapshot, registry: str | None, ca: Path | None, authfile: Path | None) -> To:
    """Where to push to: what is named, and else what the snapshot says of the site; raises UsageError."""
    site = images_of(snapshot).site
    host = _option("--registry", registry, registry_host) or (site.registry if site else None)
    if host is None:
        raise UsageError(
            f"{snapshot.name} does not say which registry the site has", hint="name it: --registry HOST:PORT"
        )
    told = site.ca if site and site.registry == host else None
    return To(
        registry=host,
        ca=_option("--ca", ca, lambda path: certificates_of(lexical(path))) or told,
        authfile=_option("--authfile", authfile, lambda path: Path(logins(lexical(path)))),
    )


def images_of(snapshot: Snapshot) -> ImagesServed:
    """What a snapshot of images serves; raises UsageError for any other."""
    served = snapshot.served
    if not isinstance(served, ImagesServed):
        raise UsageError(f"{snapshot.name} holds no images, but {served.kind}", hint="name a mirror of images")
    return served


def _require_alone(shelf: Shelf, mirror: str, served: ImagesServed) -> None:
    """Raise RefusedError where another mirror has images of another origin for the same repository."""
    ours = {site_repository(image.name, by_registry=served.by_registry): image.name for image in served.images}
    for name, place in _others(shelf, mirror):
        mine = ours.get(place)
        if mine is not None and mine.path != name.path:
            raise RefusedError(
                f"{mine.path} and {name.path} would be one repository of the site's registry, {place}",
                hint="write `by_registry: true` under the `site` of both mirrors, sync, and push these snapshots",
            )


def _others(shelf: Shelf, mirror: str) -> Iterable[tuple[ImageName, str]]:
    """Images of the newest snapshots of other mirrors, each with its place in the registry."""
    for other in shelf.mirrors():
        snapshot = newest(shelf, other) if other != mirror else None
        if snapshot is not None and isinstance(snapshot.served, ImagesServed):
            for image in snapshot.served.images:
                yield image.name, site_repository(image.name, by_registry=snapshot.served.by_registry)


def _option(word: str, given: GivenT | None, convert: Callable[[GivenT], MeantT]) -> MeantT | None:
    try:
        return None if given is None else convert(given)
    except ValueError as error:
        raise UsageError(f"{word} {printable(str(given), 200)}: it {error}", hint="correct it") from None
