"""Firmware of the Linux Vendor Firmware Service: what is mirrored of it, and how clients take it from the mirror."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from sparkctl.model.base import Record, Sha256Hex, Text, Word

Certificates = Annotated[str, StringConstraints(min_length=1, max_length=262_144)]
"""X.509 certificates in PEM, one after the other, and nothing else."""

Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""By which fwupd knows a kind of device."""

METADATA = "firmware.xml.gz"
"""What the site signed: the metadata of the cabs that lie beside it. Every fwupd reads it in this form."""

SIGNATURES = ".jcat"
"""What the name of a file of signatures has more than the name of what it signs."""

ORIGIN = "origin"
"""The folder of the metadata as the origin signed it, by which the far side proves the digests of cabs."""


class OwnCab(Record):
    """A cab that the operator got elsewhere; `file` is where it lies, `sha256` what it must be."""

    file: Text
    sha256: Sha256Hex


class FirmwareMirror(Record):
    """A remote to mirror; one of the certificates in `trust` must have issued that of who signed it.

    `metadata` is its address, with the signatures beside it; `base` is where its cabs are, when it names them without
    an address. `devices` are those whose firmware is taken. `sign_cert` is the site's signing certificate and, after
    it, that of the site's CA, which clients get; `sign_key` is the file of the private key to it.
    """

    name: Word
    metadata: Text
    base: Text | None
    trust: Certificates
    devices: Annotated[list[Guid], Field(max_length=1000)]
    cabs: Annotated[list[OwnCab], Field(max_length=1000)]
    sign_cert: Certificates
    sign_key: Text


class FirmwareServed(Record):
    """What a client has to know, and by what the far side proves it.

    `ca` are the certificates that a client must trust for what the site signed, `trust` those for what the origin
    signed, `devices` whose firmware is served, `own` the digests of cabs that do not come from the origin.
    """

    kind: Literal["firmware"] = "firmware"
    metadata: Text
    ca: Certificates
    trust: Certificates
    devices: Annotated[list[Guid], Field(max_length=1000)]
    own: Annotated[list[Sha256Hex], Field(max_length=1000)]
