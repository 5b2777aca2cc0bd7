"""Python wheels for machines without an index: which files a lock file names, for which interpreters."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Sha256Hex, Text, Word

MAX_PINS = 5000
MAX_HASHES = 1000  # of one release; a large project has a wheel for each of some hundred platforms

Machine = Literal["aarch64", "x86_64"]
GlibcVersion = Annotated[str, StringConstraints(pattern=r"^2\.(1[7-9]|[2-9][0-9])$")]
"""A release of glibc, not older than 2.17, with which manylinux2014 begins (PEP 599)."""

PythonVersion = Annotated[str, StringConstraints(pattern=r"^3\.([7-9]|[1-9][0-9])$")]
"""A release of CPython without its last number, such as 3.12."""

Distribution = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
"""The name of a distribution, normalised (PEP 503)."""


class WheelPin(Record):
    """One requirement of a lock file: a release, where it is needed, and the digests of the files it may be."""

    name: Distribution
    version: Word
    extras: Annotated[list[Word], Field(max_length=100)]
    marker: Text | None
    sha256: Annotated[list[Sha256Hex], Field(min_length=1, max_length=MAX_HASHES)]


Pins = Annotated[list[WheelPin], Field(min_length=1, max_length=MAX_PINS)]
Pythons = Annotated[list[PythonVersion], Field(min_length=1, max_length=10)]


class WheelsMirror(Record):
    """Wheels to mirror, as a lock file pins them, from an index and further ones."""

    name: Word
    pins: Pins
    machine: Machine
    glibc: GlibcVersion
    pythons: Pythons
    indexes: Annotated[list[Text], Field(min_length=1, max_length=10)]


class WheelsServed(Record):
    """What is on the index; of the digests of a pin, those of the files that are there."""

    kind: Literal["wheels"] = "wheels"
    machine: Machine
    glibc: GlibcVersion
    pythons: Pythons
    pins: Pins
