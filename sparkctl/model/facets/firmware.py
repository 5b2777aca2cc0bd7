"""Which firmware a node and its parts run.

Versions are kept as their source writes them. What a version in hexadecimal means is each vendor's own affair: only
versions of one device of one vendor can be compared.
"""

import datetime as dt
from typing import Annotated

from pydantic import Field

from sparkctl.model.base import Record, Word
from sparkctl.model.facets.base import Hex, Names, Number


class Bios(Record):
    """The system firmware as SMBIOS type 0 names it.

    `date` is its build; a maker may deliver newer firmware without changing it. `release` is SMBIOS's `major.minor`.
    """

    vendor: Word | None = None
    version: Word | None = None
    date: dt.date | None = None
    release: Word | None = None


class SmbiosFirmware(Record):
    """One component of SMBIOS type 45.

    `version` is null where nobody wrote one. `placeholder` marks a version that says nothing: none, `0` or `1`.
    `guid` is the firmware's class, which few components have; `release_date` is as written, in the maker's own form.
    """

    version: Word | None = None
    placeholder: bool
    guid: Word | None = None
    release_date: Word | None = None
    manufacturer: Word | None = None
    lowest_supported_version: Word | None = None
    state: Word | None = None


class EsrtEntry(Record):
    """One resource of the EFI System Resource Table; versions are numbers of 32 bits.

    `type`: 0 unknown, 1 system firmware, 2 device firmware, 3 UEFI driver. `last_attempt_status`: 0 success, else the
    kind of failure as the UEFI specification counts them.
    """

    type: Number | None = None
    version: Number | None = None
    lowest_supported_version: Number | None = None
    last_attempt_version: Number | None = None
    last_attempt_status: Number | None = None
    capsule_flags: Hex | None = None


class FwupdDevice(Record):
    """One device as fwupd sees it.

    `version_decoded` is what the vendor calls a version in hexadecimal, null where its way of counting is not known.
    `update_state`: 1 pending, 2 success, 3 failed, 4 needs reboot, 5 failed for a passing cause.
    """

    name: Word | None = None
    plugin: Word | None = None
    vendor: Word | None = None
    version: Word | None = None
    version_lowest: Word | None = None
    version_format: Word | None = None
    version_decoded: Word | None = None
    update_state: Number | None = None
    flags: Names = []
    request_flags: Names = []


class NicFirmware(Record):
    """Firmware of a network adapter; `board_id` is the board that an image is built for (PSID), where it is told."""

    version: Word
    board_id: Word | None = None


class GpuFirmware(Record):
    """Firmware of a GPU: its VBIOS, that of its system processor (GSP), and its inforom image."""

    vbios: Word | None = None
    gsp: Word | None = None
    inforom: Word | None = None


class TpmFirmware(Record):
    """Firmware of the TPM: `version` as four numbers of 16 bits, `version_raw` as the 64 bits that it tells."""

    manufacturer: Word | None = None
    version: Word
    version_raw: Hex


class Firmware(Record):
    """All firmware.

    `smbios` is by component name, `esrt` by the GUID of the class, null where there is no such table. `fwupd` is by
    GUID, else by `PLUGIN/NAME`; the levels of the UEFI variables db, dbx, KEK and SBAT are devices of their own there
    (plugins `uefi_db`, `uefi_dbx`, `uefi_kek`, `uefi_sbat`). `nics` are by device address; an adapter whose driver
    tells nothing is not among them. `drives` are revisions by NVMe controller, `gpus` are by PCI address.
    """

    bios: Bios
    smbios: Annotated[dict[Word, SmbiosFirmware], Field(max_length=500)] | None = None
    esrt: Annotated[dict[Word, EsrtEntry], Field(max_length=100)] | None = None
    fwupd: Annotated[dict[Word, FwupdDevice], Field(max_length=300)] | None = None
    nics: Annotated[dict[Word, NicFirmware], Field(max_length=100)] | None = None
    drives: Annotated[dict[Word, Word], Field(max_length=64)] | None = None
    gpus: Annotated[dict[Word, GpuFirmware], Field(max_length=64)] | None = None
    tpm: TpmFirmware | None = None


class FirmwareVolatile(Record):
    """Flags by device that change with fwupd's metadata and history, not with the machine."""

    fwupd_flags: Annotated[dict[Word, Names], Field(max_length=300)] = {}
