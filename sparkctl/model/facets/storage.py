"""Where a node keeps its data."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Word
from sparkctl.model.facets.base import Names, Number

LayerKind = Literal["lvm", "crypt", "multipath", "raid", "partition", "other"]


class Partition(Record):
    """A partition; `type` is its GUID, or its number in an MBR.

    `content` is what stands in it (`ext4`, `crypto_LUKS`, `LVM2_member`) with its label and UUID, null when nothing
    that udev knows. When udev keeps no record, `type` has a gap and the contents are null.
    """

    number: Number | None = None
    start_bytes: Number | None = None
    size_bytes: Number | None = None
    label: Word | None = None
    type: Word | None = None
    uuid: Word | None = None
    content: Word | None = None
    content_label: Word | None = None
    content_uuid: Word | None = None


class Disk(Record):
    """A whole disk.

    `transport` is the bus (`nvme`, `usb`, `ata`, `virtio`). `namespace` is the number of an NVMe namespace and
    `metadata_bytes` what it keeps beside each block. `table` is the kind of partition table.
    """

    size_bytes: Number | None = None
    model: Word | None = None
    serial: Word | None = None
    wwid: Word | None = None
    transport: Word | None = None
    rotational: bool | None = None
    removable: bool | None = None
    read_only: bool | None = None
    logical_block_bytes: Number | None = None
    physical_block_bytes: Number | None = None
    scheduler: Word | None = None
    namespace: Number | None = None
    metadata_bytes: Number | None = None
    table: Word | None = None
    partitions: Annotated[dict[Word, Partition], Field(max_length=64)] | None = None


class Layer(Record):
    """A device over others; `format` is `LUKS2` for encryption, the level for RAID. `members` are what it stands on."""

    kind: LayerKind
    format: Word | None = None
    uuid: Word | None = None
    size_bytes: Number | None = None
    members: Names


class FileSystem(Record):
    """A mounted file system with the options that change what it does; the size of a remote one is null.

    `in_fstab` is null where fstab could not be read.
    """

    source: Word
    type: Word
    options: Names
    size_bytes: Number | None = None
    in_fstab: bool | None = None


class Esp(Record):
    """An EFI system partition; `mount_point` is null when it is not mounted."""

    disk: Word
    mount_point: Word | None = None


class Swap(Record):
    """What the kernel swaps to; the higher `priority` is used first."""

    type: Word
    size_bytes: Number
    priority: Annotated[int, Field(ge=-32768, le=32767)]


class FstabEntry(Record):
    """An entry of /etc/fstab, and whether it is mounted or swapped to; null where mounts or swaps could not be read."""

    source: Word
    type: Word
    options: Names
    mounted: bool | None = None


class Storage(Record):
    """Disks by the kernel's name, layers by theirs, file systems by mount point, ESPs by partition, swaps by file.

    Pseudo file systems, squashfs, overlay, tmpfs and the mounts of containers and sessions are left out. `fstab` is by
    mount point, swap in it by its source. `zswap` is null on a kernel without it.
    """

    disks: Annotated[dict[Word, Disk], Field(max_length=64)] | None = None
    layers: Annotated[dict[Word, Layer], Field(max_length=64)] | None = None
    file_systems: Annotated[dict[Word, FileSystem], Field(max_length=128)] | None = None
    esps: Annotated[dict[Word, Esp], Field(max_length=64)] | None = None
    swaps: Annotated[dict[Word, Swap], Field(max_length=64)] | None = None
    zswap: bool | None = None
    fstab: Annotated[dict[Word, FstabEntry], Field(max_length=128)] | None = None


class Usage(Record):
    """What is used and free of one file system, as an ordinary user may use it."""

    used_bytes: Number | None = None
    available_bytes: Number | None = None
    used_inodes: Number | None = None


class Smart(Record):
    """The SMART log of an NVMe drive: shares in percent, counts since manufacture, the bits of its warnings."""

    critical_warning: Number | None = None
    available_spare_percent: Number | None = None
    percentage_used: Number | None = None
    media_errors: Number | None = None
    unsafe_shutdowns: Number | None = None
    power_on_hours: Number | None = None
    power_cycles: Number | None = None
    celsius: Number | None = None


class StorageVolatile(Record):
    """Usage by mount point, SMART by controller (the first one; needs root), swap in use, mounts left out by type."""

    usage: Annotated[dict[Word, Usage], Field(max_length=128)] = {}
    smart: Annotated[dict[Word, Smart], Field(max_length=8)] = {}
    swap_used_bytes: Annotated[dict[Word, Number], Field(max_length=64)] = {}
    left_out: Annotated[dict[Word, Number], Field(max_length=128)] = {}
