"""Who a node is, as far as anything in it proves that."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Text, UtcDatetime, Word

Source = Literal[
    "smbios.product_serial",
    "smbios.product_uuid",
    "smbios.board_serial",
    "smbios.chassis_serial",
    "dgx_release.serial",
    "tpm.ek_name",
]


class Identifier(Record):
    """A value that should be this machine's alone; `privilege` is what reading it needed.

    `placeholder` marks what a maker writes where nobody wrote a serial: it identifies nothing.
    """

    value: Word
    privilege: Literal["none", "root"]
    placeholder: bool
    locator: Text


class Clue(Record):
    """What one source says about the platform: true for a GB10, false against it, null for neither."""

    says: bool | None = None
    words: Text
    locator: Text


class Platform(Record):
    """Whether the machine is a GB10, by evidence; null when it cannot be told. No product name decides it."""

    is_gb10: bool | None = None
    clues: Annotated[dict[Literal["pci", "release", "smbios", "cores"], Clue], Field(max_length=10)]


class Smbios(Record):
    """What the maker wrote into SMBIOS and everybody may read."""

    sys_vendor: Word | None = None
    product_name: Word | None = None
    product_version: Word | None = None
    product_family: Word | None = None
    product_sku: Word | None = None
    board_vendor: Word | None = None
    board_name: Word | None = None
    board_version: Word | None = None
    chassis_vendor: Word | None = None
    chassis_type: Word | None = None


class Identity(Record):
    """Every source of identity.

    `serial` is the one to go by, null when there is none, and `serial_source` names where it comes from. Sources are
    taken in the order SMBIOS product serial, then the serial that the factory image wrote. Where the first could not be
    read, `serial_source` has a gap, for the serial is the second's word alone. `serials_agree` is false where both name
    a serial and not the same one, null where fewer than two name any.
    `macs` are permanent addresses by interface, `drives` serials by controller, `gpus` UUIDs by PCI address.
    `machine_id` and `host_keys` (fingerprints by algorithm) identify nothing, since some images are cloned with them;
    they are here so that clones can be found.
    """

    serial: Word | None = None
    serial_source: Source | None = None
    serials_agree: bool | None = None
    identifiers: Annotated[dict[Source, Identifier], Field(max_length=20)]
    platform: Platform
    smbios: Smbios
    hostname: Word | None = None
    macs: Annotated[dict[Word, Word], Field(max_length=64)] = {}
    drives: Annotated[dict[Word, Word], Field(max_length=64)] = {}
    gpus: Annotated[dict[Word, Word], Field(max_length=16)] = {}
    machine_id: Word | None = None
    host_keys: Annotated[dict[Word, Word], Field(max_length=16)] = {}


class IdentityVolatile(Record):
    """What is only true until the next boot."""

    boot_id: Word | None = None
    booted_at: UtcDatetime | None = None
