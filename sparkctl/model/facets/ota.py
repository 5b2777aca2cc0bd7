"""The OTA state of a node: recipes of DGX OS releases, and what the node has of them."""

from typing import Annotated

from pydantic import Field

from sparkctl.model.base import Record, Sha256Hex, Word
from sparkctl.model.facets.base import Names, Nothing


class Release(Record):
    """/etc/dgx-release: `version` is that of the last OTA update, else that of the factory build."""

    version: Word | None = None
    build_version: Word | None = None


class Recipe(Record):
    """A recipe on the node, as DGX OS keeps them in /opt/nvidia/spark-ota-check/metadata.

    `name` as OTA2607, `title` for people, `released` as the file has it. `required` names components without which the
    node is not on this release. `format_known` is false for a file of another form: then nothing of it is told but its
    digest, and nothing can be verified.
    """

    name: Word | None = None
    title: Word | None = None
    released: Word | None = None
    required: Names = []
    sha256: Sha256Hex
    format_known: bool


Wanted = Annotated[dict[Word, dict[Word, Names]], Field(max_length=5000)]
"""By component, the versions that recipes want, and for each version the recipes that do."""


class Requirements(Record):
    """What the recipes want at least; `software` are `kernel` and `driver`."""

    packages: Wanted = {}
    software: Wanted = {}
    firmware: Wanted = {}
    connectx: Wanted = {}


class Installed(Record):
    """What the node has.

    `packages` are only those that a recipe wants, and those that stamp a release. `kernel` and `driver` are what runs,
    `kernel_images` what could. `firmware` are versions of SMBIOS type 45 by component (root only; `NAME (2)` for the
    second of a name), `connectx` firmware by RoCE device, none for an adapter that left the bus for want of a cable.
    """

    packages: Annotated[dict[Word, Word], Field(max_length=5000)] | None = None
    kernel: Word | None = None
    kernel_images: Names | None = None
    driver: Word | None = None
    firmware: Annotated[dict[Word, Word], Field(max_length=500)] | None = None
    connectx: Annotated[dict[Word, Word], Field(max_length=16)] | None = None


class Ota(Record):
    """Recipes by the release in their file's name, what they want, and what is there. See `ota_score` for the verdict.

    `release` is null on a machine without DGX OS, `recipes` are empty where its checker is not installed.
    """

    release: Release | None = None
    recipes: Annotated[dict[Word, Recipe], Field(max_length=40)] = {}
    requirements: Requirements | None = None
    installed: Installed


OtaVolatile = Nothing
