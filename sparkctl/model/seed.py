"""Seeds: what one node is told at its first boot, what signs it, and what the node says afterwards."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import NodeId, Record, Sha256Hex, Text, UtcDatetime, Word
from sparkctl.model.envelope import Count

SEED_NAMESPACE = "spark-seed"
"""What a signature of a seed is for, as `ssh-keygen -Y` names it."""

Fingerprint = Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]


class NodeSeed(Record):
    """What differs from node to node. `address` is with its prefix length, None for DHCP."""

    node_id: NodeId
    hostname: Word
    fqdn: Text
    instance_id: Word
    serial: Word | None
    mac: Mac
    address: Word | None
    gateway: Word | None
    labels: dict[Word, Text]


class SeedFile(Record):
    """A file by its digest and its size in bytes."""

    sha256: Sha256Hex
    size: Count


class SeedManifest(Record):
    """Every file of a folder of seeds. Its signature stands beside it, in the namespace `spark-seed`."""

    manifest_schema: Annotated[Literal["sparkctl.seed-manifest/1"], Field(alias="schema")] = "sparkctl.seed-manifest/1"
    nodes: dict[NodeId, Word]
    templates: Sha256Hex
    files: dict[Text, SeedFile]


class PlacedEntry(Record):
    """A file of a payload: which of its files goes where, with which mode."""

    source: Text
    target: Text
    mode: Word
    sha256: Sha256Hex
    size: Count


class SeedPayload(Record):
    """What the stick of one node brings, and for whom. The hook does nothing that a signature does not cover.

    `enrolment` is the digest of the node's secret on the stick.
    """

    payload_schema: Annotated[Literal["sparkctl.seed-payload/1"], Field(alias="schema")] = "sparkctl.seed-payload/1"
    node_id: NodeId
    instance_id: Word
    serial: Word | None
    enrolment: Sha256Hex
    files: list[PlacedEntry]


class HostKey(Record):
    """A host key of a node, as `TYPE BASE64`, and its fingerprint."""

    fingerprint: Fingerprint
    public_key: Annotated[str, Field(pattern=r"^[a-z0-9@.-]{1,60} [A-Za-z0-9+/=]{20,2000}$")]


class SeedBeacon(Record):
    """What the first-boot hook did. `hmac` is HMAC-SHA256 of the rest, under the secret of the node's stick.

    It is taken over the document without `hmac`, with sorted keys and no spaces (`canonical` of the hook). None where
    the stick was not there, or was not to be trusted. `steps` are those that are done, in order.
    """

    beacon_schema: Annotated[Literal["sparkctl.seed-beacon/1"], Field(alias="schema")] = "sparkctl.seed-beacon/1"
    state: Literal["done", "waiting", "refused"]
    node_id: Word
    instance_id: Word
    serial: Word | None
    boot_id: Word | None
    at: UtcDatetime
    attempts: Count
    steps: Annotated[list[Word], Field(max_length=20)]
    signer: Fingerprint | None
    payload_sha256: Sha256Hex | None
    placed: dict[Text, Sha256Hex]
    host_keys: Annotated[list[HostKey], Field(max_length=10)]
    errors: Annotated[list[Text], Field(max_length=50)]
    hmac: Sha256Hex | None


class SeedReport(Record):
    """What `airgap seed` wrote. `checked_by` is the cloud-init that checked all user-data, None when none was here."""

    report_schema: Annotated[Literal["sparkctl.seed-report/1"], Field(alias="schema")] = "sparkctl.seed-report/1"
    folder: Text
    nodes: list[NodeId]
    files: Count
    bytes_written: Count
    manifest_sha256: Sha256Hex
    signed_by: Fingerprint
    checked_by: Text | None
    images: bool


class InstallerReport(Record):
    """What `airgap iso` wrote: an installer with the seeds of some nodes. `kept` files are those of the original.

    `verified_by` has the fingerprints of the OpenPGP keys that signed its digest, none where the operator named that.
    `by_mac` are the nodes that only a MAC address tells apart.
    """

    report_schema: Annotated[Literal["sparkctl.seed-installer/1"], Field(alias="schema")] = "sparkctl.seed-installer/1"
    file: Text
    sha256: Sha256Hex
    bytes_written: Count
    installer: Text
    installer_sha256: Sha256Hex
    verified_by: list[Word]
    seeds_sha256: Sha256Hex
    seeds_signed_by: Fingerprint
    nodes: list[NodeId]
    by_mac: list[NodeId]
    kernel: Text
    initrd: Text
    kept: Count
    changed: list[Text]


class BeaconRead(Record):
    """What became of a beacon that was read: whether its HMAC held, and what was pinned under which name."""

    read_schema: Annotated[Literal["sparkctl.seed-beacon-read/1"], Field(alias="schema")] = (
        "sparkctl.seed-beacon-read/1"
    )
    node_id: NodeId
    state: Word
    at: UtcDatetime
    serial: Word | None
    pinned_as: Text
    pinned: list[Fingerprint]
    known_before: list[Fingerprint]
    errors: list[Text]
