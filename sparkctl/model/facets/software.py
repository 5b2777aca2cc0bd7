"""Which software a node has, and where its updates come from."""

from typing import Annotated

from pydantic import Field

from sparkctl.model.base import MAX_INTEGER, Record, Sha256Hex, Text, Word
from sparkctl.model.facets.base import Names, Number


class PackageState(Record):
    """A package that is not wholly installed: dpkg's three words for it, such as `deinstall ok config-files`."""

    state: Word
    version: Word | None = None


class Container(Record):
    """A container: the image as its engine names it, and that image's id where it can be told."""

    image: Text
    image_id: Word | None = None


class Image(Record):
    """An image: `id` is the digest of its configuration (with Docker's containerd store: of its manifest), `digest`
    that of its manifest in a registry, null for one that was never in a registry.
    """

    id: Word
    digest: Word | None = None


class LocalUnit(Record):
    """A unit that no package brought; `enabled`: another unit pulls it in."""

    enabled: bool


class AptSource(Record):
    """One source of packages.

    URIs come without user, password and query. `signed_by` are paths or fingerprints of keys, `embedded` for a key in
    the file itself, null where every key that APT trusts will do. `trusted` true takes packages without a signature.
    """

    types: Names = []
    uris: Annotated[list[Text], Field(max_length=100)]
    suites: Names = []
    components: Names = []
    architectures: Names = []
    signed_by: Text | None = None
    enabled: bool
    trusted: bool | None = None


class AptKeyring(Record):
    """A file of public keys, by its SHA-256 and its size."""

    sha256: Sha256Hex
    size_bytes: Number


class AptPin(Record):
    """One preference: packages, the sources or versions meant, and the priority (negative: never install)."""

    packages: Names
    pin: Text | None = None
    priority: Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class AutomaticUpdates(Record):
    """What APT does by itself.

    `periodic` are the settings below `APT::Periodic` in lower case, mostly days between two runs, `0` for never.
    `origins` and `blacklist` are those of unattended-upgrades, as is `automatic_reboot`.
    """

    periodic: Annotated[dict[Word, Word], Field(max_length=40)] = {}
    origins: Annotated[list[Text], Field(max_length=1000)] = []
    blacklist: Annotated[list[Text], Field(max_length=1000)] = []
    automatic_reboot: Word | None = None


class Software(Record):
    """All software.

    `packages` are versions by name, `NAME:ARCH` for a foreign architecture; a held package is installed too and named
    in `held_packages`. `python_packages` are versions by `PYTHON/NAME` of what pip installed for the whole machine, not
    those of virtual environments and users. `snaps` are revisions by name. Containers are by name, images by
    `REPOSITORY:TAG`, else by digest or id; those of Podman are root's. What an engine that is not installed would have
    is null. Sources and pins of APT are by file, the second of a file as `FILE#2`; `apt_keyrings` are the files that
    `signed_by` of sources name, by path, as far as they are there. `automatic_updates` is null where nothing is set.
    """

    packages: Annotated[dict[Word, Word], Field(max_length=10_000)] | None = None
    packages_not_installed: Annotated[dict[Word, PackageState], Field(max_length=10_000)] | None = None
    held_packages: Annotated[list[Word], Field(max_length=10_000)] | None = None
    python_packages: Annotated[dict[Word, Word], Field(max_length=2_000)] | None = None
    snaps: Annotated[dict[Word, Word], Field(max_length=300)] | None = None
    docker_containers: Annotated[dict[Word, Container], Field(max_length=500)] | None = None
    docker_images: Annotated[dict[Word, Image], Field(max_length=500)] | None = None
    podman_containers: Annotated[dict[Word, Container], Field(max_length=500)] | None = None
    podman_images: Annotated[dict[Word, Image], Field(max_length=500)] | None = None
    local_units: Annotated[dict[Word, LocalUnit], Field(max_length=500)] | None = None
    apt_sources: Annotated[dict[Word, AptSource], Field(max_length=300)] | None = None
    apt_keyrings: Annotated[dict[Word, AptKeyring], Field(max_length=100)] | None = None
    apt_pins: Annotated[dict[Word, AptPin], Field(max_length=300)] | None = None
    automatic_updates: AutomaticUpdates | None = None


class SoftwareVolatile(Record):
    """The state of each Docker container: `running`, `exited`, ..."""

    container_states: Annotated[dict[Word, Word], Field(max_length=500)] = {}
