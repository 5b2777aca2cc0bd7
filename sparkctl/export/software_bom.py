"""A software bill of materials (SBOM) in CycloneDX for each node: packages, images, the operating system."""

import re
from collections.abc import Iterator
from functools import lru_cache

from sparkctl.export.bom import Kind, bom_format, properties, purl
from sparkctl.export.fields import Field, constant
from sparkctl.export.part import Part
from sparkctl.export.subject import Subject

FACETS = ("identity", "os", "software")
_ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}


@lru_cache(maxsize=32768)  # the nodes of a fleet have most packages in common
def _deb_url(distribution: str, name: str, version: str, arch: str | None, distro: str | None) -> str:
    return purl("deb", distribution, name, version, {"arch": arch, "distro": distro})


def _pypi(part: Part) -> str:
    return purl("pypi", None, re.sub(r"[-_.]+", "-", part.get("name")).lower(), part.get("version"), {})


def _oci(part: Part) -> str | None:
    """The package URL of an image; none for one that was never in a registry, whose digest is not known."""
    digest = part.get("digest")
    repository, _, tag = part.name.rpartition(":")
    if digest is None or not repository or "/" in tag:
        return None
    return purl(
        "oci", None, repository.rpartition("/")[2].lower(), digest, {"repository_url": repository.lower(), "tag": tag}
    )


OS_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "operating-system"),
    constant("bom-ref", "os"),
    Field("name", "os.distribution.id", lambda p: p.get("id")),
    Field("version", "os.distribution.version_id", lambda p: p.get("version_id")),
    Field("description", "os.distribution.pretty_name", lambda p: p.get("pretty_name")),
    Field("properties", "os.dgx.version, os.kernel.running", lambda p: properties({
        "dgx_os": p.subject.fact("os.dgx.version"), "kernel": p.subject.fact("os.kernel.running"),
    })),
)  # fmt: skip
DEB_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "library"),
    Field("bom-ref", "software.packages", lambda p: f"deb:{p.name}"),
    Field("name", "software.packages", lambda p: p.get("name")),
    Field("version", "software.packages.*", lambda p: p.get("version")),
    Field(
        "purl", "software.packages, os.distribution, os.architecture", lambda p: p.get("purl"),
        "absent while the distribution is not known",
    ),
)  # fmt: skip
PYTHON_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "library"),
    Field("bom-ref", "software.python_packages", lambda p: f"pypi:{p.name}"),
    Field("name", "software.python_packages", lambda p: p.get("name")),
    Field("version", "software.python_packages.*", lambda p: p.get("version")),
    Field("purl", "software.python_packages", _pypi),
)
SNAP_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "application"),
    Field("bom-ref", "software.snaps", lambda p: f"snap:{p.name}"),
    Field("name", "software.snaps", lambda p: p.name),
    Field("version", "software.snaps.*", lambda p: p.get("version"), "the revision; package URLs know no snaps"),
)
IMAGE_FIELDS: tuple[Field[Part], ...] = (
    constant("type", "container"),
    Field("bom-ref", "software.docker_images", lambda p: f"image:{p.name}"),
    Field("name", "software.docker_images", lambda p: p.name),
    Field("version", "software.docker_images.*.digest", lambda p: p.get("digest") or p.get("id"), "else its id"),
    Field("purl", "software.docker_images.*.digest", _oci, "absent for an image that was never in a registry"),
)


def _os(subject: Subject) -> Iterator[Part]:
    distribution = subject.members("os.distribution")
    if distribution.get("id"):
        yield Part(subject, "os", distribution)


def _debs(subject: Subject) -> Iterator[Part]:
    """Debian packages; they have no package URL while it is not known whose distribution it is."""
    distribution, release = subject.fact("os.distribution.id"), subject.fact("os.distribution.version_id")
    native = _ARCHITECTURES.get(subject.fact("os.architecture"))
    distro = f"{distribution}-{release}" if release else None
    for name, version in sorted(subject.members("software.packages").items()):
        bare, _, foreign = name.partition(":")
        url = _deb_url(distribution, bare, version, foreign or native, distro) if distribution else None
        yield Part(subject, name, {"name": bare, "version": version, "purl": url})


def _pythons(subject: Subject) -> Iterator[Part]:
    for name, version in sorted(subject.members("software.python_packages").items()):
        yield Part(subject, name, {"name": name.partition("/")[2], "version": version})


def _snaps(subject: Subject) -> Iterator[Part]:
    for name, revision in sorted(subject.members("software.snaps").items()):
        yield Part(subject, name, {"version": revision})


def _images(subject: Subject) -> Iterator[Part]:
    found = {**subject.members("software.podman_images"), **subject.members("software.docker_images")}
    return (Part(subject, name, about) for name, about in sorted(found.items()))


KINDS: tuple[Kind, ...] = (
    ("Operating system", "node", OS_FIELDS, _os),
    ("Debian packages", "package", DEB_FIELDS, _debs),
    ("Python packages", "package of the whole machine", PYTHON_FIELDS, _pythons),
    ("Snaps", "snap", SNAP_FIELDS, _snaps),
    ("Images", "image of Docker or Podman", IMAGE_FIELDS, _images),
)
SOFTWARE_BOM = bom_format("cyclonedx-sbom", "a software bill of materials in CycloneDX", "sbom", FACETS, KINDS)
