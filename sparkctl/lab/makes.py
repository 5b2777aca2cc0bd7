"""The makes of GB10 machine that the lab can play: what each maker writes into SMBIOS and puts into the case.

Strings were published by owners of such machines (2025-2026), except where a make says `assumed`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Drive:
    """An NVMe drive: `size` in bytes, `gigatransfers` the speed of its PCIe link in GT/s."""

    model: str
    firmware: str
    size: int
    vendor: str
    device: str
    gigatransfers: str


SAMSUNG_4T = Drive("SAMSUNG MZALC4T0HBL1-00B07", "NXHB202Q", 4_000_787_030_016, "0x144d", "0xa810", "32.0")
PHISON_1T = Drive("ESL01TBTLCZ-27J2-TYN", "SIMFW001", 1_000_204_886_016, "0x1987", "0x5027", "16.0")
PHISON_2T = Drive("ESL02TBTLCZ", "SIMFW001", 2_000_398_934_016, "0x1987", "0x5027", "16.0")
PHISON_4T = Drive("ESL04TBTLCZ-27J4-TYN", "SIMFW001", 4_000_787_030_016, "0x1987", "0x5027", "16.0")


@dataclass(frozen=True)
class Make:
    """One maker's machine.

    `dmi` are the files of /sys/class/dmi/id, serials aside. `filler` is what the firmware holds where nobody wrote a
    serial. `memory_kib` is MemTotal. `firmware` are the versions that fwupd shows, embedded controller, then UEFI, of a
    maker that numbers them in its own way; SMBIOS type 45 of every make tells those of NVIDIA.
    """

    name: str
    description: str
    dmi: dict[str, str]
    drive: Drive
    memory_kib: int = 127_600_748
    filler: str = ""
    firmware: tuple[str, str] | None = None
    firmware_vendor: str = "NVIDIA"


def _dmi(vendor: str, product: str, board: str, bios: tuple[str, str], **more: str) -> dict[str, str]:
    return {
        "sys_vendor": vendor,
        "product_name": product,
        "product_version": "1.0",
        "product_family": "DGX Spark",
        "board_vendor": vendor,
        "board_name": board,
        "board_version": "1.0",
        "chassis_vendor": vendor,
        "chassis_type": "17",
        "bios_vendor": "AMI",
        "bios_version": bios[0],
        "bios_date": bios[1],
        "bios_release": "5.36",
        **more,
    }


_FOUNDERS = _dmi(
    "NVIDIA", "NVIDIA_DGX_Spark", "P4242", ("5.36_0ACUM018", "08/06/2025"), product_version="A.7", board_version="A04"
)

MAKES: dict[str, Make] = {
    make.name: make
    for make in (
        Make("founders", "healthy NVIDIA DGX Spark Founders Edition", _FOUNDERS, SAMSUNG_4T),
        Make(
            "asus",
            "healthy ASUS Ascent GX10: SMBIOS says only GX10",
            _dmi("ASUSTeK COMPUTER INC.", "GX10", "GX10", ("GX10DGX.0103.2026.0129.1152", "01/29/2026")),
            PHISON_1T,
            memory_kib=125_442_868,
            filler="Default string",
            firmware=("0x02000005", "0x03000006"),
            firmware_vendor="Asus",
        ),
        Make(
            "dell",
            "healthy Dell Pro Max with GB10: two spaces in the maker's name",
            _dmi(
                "Dell  Inc.", "Dell Pro Max with GB10 FCM1253", "0SIM00", ("5.36_1.0.2", "11/14/2025"), chassis_type="3"
            ),
            PHISON_2T,
            filler="Not Specified",
            firmware_vendor="Dell",
        ),
        Make(
            "lenovo",
            "healthy Lenovo ThinkStation PGX: the product name is a machine type",
            _dmi("LENOVO", "30KL0005GF", "SIM-30KL", ("5.36_2.0.14", "01/15/2026"), product_version="ThinkStation PGX"),
            PHISON_4T,
            memory_kib=127_606_860,
            filler="None",
            firmware_vendor="Lenovo",
        ),
        Make(
            "msi",
            "healthy MSI EdgeXpert: SMBIOS says MS-C931",
            _dmi("MSI", "MS-C931", "EdgeXpert (MS-C931)", ("5.36_1.5.0", "01/30/2026")),
            SAMSUNG_4T,
            memory_kib=127_606_860,
            filler="To be filled by O.E.M.",
            firmware=("10700", "0x02009b0b"),
            firmware_vendor="MSI",
        ),
        Make(
            "gigabyte",
            "healthy Gigabyte AI TOP ATOM",
            _dmi("GIGABYTE", "AI TOP ATOM", "AI TOP ATOM", ("5.36_0.0.3", "10/08/2025")),
            PHISON_4T,
            filler="Default string",
            firmware=("0x03000302", "0x02009b0b"),
            firmware_vendor="Gigabyte",
        ),
        Make(
            "hp",
            "healthy HP ZGX Nano (SMBIOS strings assumed)",
            _dmi("HP", "HP ZGX Nano G1n AI Station", "SIM1", ("5.36_0ACUM018", "10/20/2025")),
            SAMSUNG_4T,
            memory_kib=127_535_336,
            firmware_vendor="HP",
        ),
        Make(
            "acer",
            "healthy Acer Veriton GN100 (SMBIOS strings assumed)",
            _dmi("Acer", "Veriton GN100", "Veriton GN100", ("5.36_0ACUM018", "10/31/2025")),
            PHISON_4T,
            filler="Default string",
            firmware_vendor="Acer",
        ),
    )
}
"""Every make by its name."""
