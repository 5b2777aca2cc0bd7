"""What fields of the vendor's mean in ours, with every conversion; and every field is accounted for."""

import json
from typing import Any

import pytest

from sparkctl.contract.vendor import read_vendor
from sparkctl.model.vendor_mapping.taking import Taken
from tests.ingest.documents import KERNEL, SERIAL, dmi, fork, orchestrator, report, script, tool

GPU = {
    "index": 0, "uuid": "GPU-0", "name": "NVIDIA GB10", "driver_version": "580.173.02",
    "vbios_version": "9A.0B.1E.00.00", "pci_bus_id": "0000000F:01:00.0", "memory_total_mib": None,
}  # fmt: skip
AT = "000f:01:00.0"


def taken(document: Any) -> Taken:
    return read_vendor(json.dumps(document).encode()).taken


def reasons(found: Taken) -> dict[str, str]:
    return {fate.source: fate.reason for fate in found.fates if fate.reason is not None}


def fields(found: Taken) -> dict[str, tuple[str, ...]]:
    return {fate.source: fate.fields for fate in found.fates if fate.fields}


def test_the_asset_id_is_a_serial_only_when_it_says_so() -> None:
    root = taken(tool("device_identity", report()))
    assert root.facets["identity"]["serial"] == SERIAL
    assert root.facets["identity"]["serial_source"] == "smbios.product_serial"
    bare = report(asset_id="0" * 31 + "1", asset_id_source="machine_id", platform_dmi=dmi(product_serial=""))
    other = taken(tool("device_identity", {**bare, "os_machine_id": "0" * 31 + "1"}))
    assert "serial" not in other.facets["identity"]
    assert other.facets["identity"]["machine_id"] == "0" * 31 + "1"
    assert reasons(other)["data.asset_id"] == "it is a serial only where asset_id_source is smbios_serial"


def test_an_asset_id_that_contradicts_smbios_is_left() -> None:
    found = taken(tool("device_identity", report(asset_id="another")))
    assert found.facets["identity"]["serial"] == SERIAL
    assert "data.platform_dmi.product_serial says otherwise" in reasons(found)["data.asset_id"]


@pytest.mark.parametrize("filler", ["", "N/A", "Default string", "00000000", "Not Specified", "To be filled by O.E.M."])
def test_placeholders_are_nothing(filler: str) -> None:
    found = taken(tool("device_identity", report(asset_id_source="x", platform_dmi=dmi(product_serial=filler))))
    assert "serial" not in found.facets["identity"]
    assert "identifiers" not in found.facets["identity"]
    assert "data.platform_dmi.product_serial" in reasons(found)


def test_texts_of_smbios_have_single_blanks_as_ours() -> None:
    assert taken(tool("device_identity", report())).facets["identity"]["smbios"]["sys_vendor"] == "Dell Inc."


@pytest.mark.parametrize(("size", "expected"), [(1024, 2**30), ("1024", 2**30), ("[N/A]", None), (None, None)])
def test_memory_of_a_gpu_is_in_mebibytes(size: Any, expected: int | None) -> None:
    found = taken(tool("hardware_config", report(gpu=[{**GPU, "memory_total_mib": size}])))
    assert found.facets["hardware"]["gpus"][AT].get("memory_total_bytes") == expected
    assert found.facets["identity"]["gpus"] == {AT: "GPU-0"}
    assert found.facets["drivers"] == {"nvidia": {"version": "580.173.02"}}


def test_hardware() -> None:
    nic = {
        "ifname": "enp1s0f0np0", "is_virtual": False, "mac": "02:00:00:00:00:AB", "mtu": 9000, "speed_mbps": -1,
        "driver": "mlx5_core", "firmware_version": "28.45.4028 (NVD0000000087)", "bus_info": "0000:01:00.0",
        "pci_vendor_id": "0x15b3", "pci_device_id": "0x1021",
    }  # fmt: skip
    child = {"name": "sda1", "type": "part", "size": 10**9, "fstype": "vfat", "mountpoint": "/boot/efi"}
    disk = {
        "name": "sda", "type": "disk", "size_bytes": 10**10, "tran": "sata", "wwn": "0x5000", "children": [child],
    }  # fmt: skip
    function = {
        "pci_addr": AT, "vendor_device_id": "[10de:2e12]", "class_text": "VGA [0300]", "description": "(rev a1)",
    }  # fmt: skip
    data = report(
        memory={"mem_total_bytes": 130_644_983_808, "mem_free_bytes": 1},
        network=[nic, {"ifname": "docker0", "is_virtual": True, "mac": "02:00:00:00:00:01"}],
        storage=[disk, {"name": "loop0", "type": "loop", "size_bytes": 5}],
        pci=[function, {"pci_addr": "?", "vendor_device_id": "[1:2]"}],
    )
    found = taken(tool("hardware_config", data))
    assert found.facets["hardware"]["memory"] == {"total_bytes": 130_644_983_808}
    assert found.facets["hardware"]["pci"] == {
        "0000:01:00.0": {"vendor": "0x15b3", "device": "0x1021"},
        AT: {"vendor": "0x10de", "device": "0x2e12", "revision": "0xa1"},
    }
    assert found.facets["network"]["interfaces"] == {
        "enp1s0f0np0": {
            "mac": "02:00:00:00:00:ab", "mtu": 9000, "driver": "mlx5_core", "device": "0000:01:00.0",
        }
    }  # fmt: skip
    assert found.facets["firmware"]["nics"] == {"0000:01:00.0": {"version": "28.45.4028", "board_id": "NVD0000000087"}}
    assert found.facets["storage"]["disks"] == {
        "sda": {
            "size_bytes": 10**10, "transport": "ata",
            "partitions": {"sda1": {"size_bytes": 10**9, "content": "vfat"}},
        }
    }  # fmt: skip
    left = reasons(found)
    assert left["data.memory.mem_free_bytes"] == "volatile"
    assert left["data.network[].speed_mbps"] == "a speed of no link"
    assert left["data.storage[].wwn"] == "it is written otherwise than the kernel writes it"


def test_firmware_versions_stay_as_they_are_written() -> None:
    device = {
        "name": "Embedded Controller", "vendor": "Example", "current_version": "0x02000005", "guid": ["ABC"],
        "device_flags": ["updatable", "supported", "internal"], "update_state": 2, "serial_number": "x",
    }  # fmt: skip
    twin, nameless = {**device, "current_version": "7"}, {**device, "guid": []}
    data = report(
        platform_dmi=dmi(bios_version="5.36", bios_date="06/12/2026"),
        fwupd={"devices": [device, twin, nameless]},
        nvme=[{"controller": "nvme0", "model": "M", "serial": "S", "firmware_rev": "F"}],
    )
    found = taken(tool("firmware_reporter", data))
    assert found.facets["firmware"]["bios"] == {"version": "5.36", "date": "2026-06-12"}
    assert found.facets["firmware"]["fwupd"] == {
        "abc": {
            "name": "Embedded Controller", "vendor": "Example", "version": "0x02000005", "update_state": 2,
            "flags": ["internal", "updatable"],
        }
    }  # fmt: skip
    assert found.facets["firmware"]["drives"] == {"nvme0": "F"}
    assert found.facets["identity"]["drives"] == {"nvme0": "S"}
    why = {fate.reason for fate in found.fates if fate.source == "data.fwupd.devices[].current_version"}
    assert {"a device before it has the same GUID", "without a GUID ours is by plugin, which it does not tell"} <= why


def test_a_date_that_is_none_is_left() -> None:
    found = taken(tool("firmware_reporter", report(platform_dmi=dmi(bios_date="31/12/2026"))))
    assert reasons(found)["data.platform_dmi.bios_date"] == "it is no month/day/year"


def test_operating_system() -> None:
    snap = {"name": "snapd", "version": "2.76", "rev": "7", "publisher": "canonical**"}
    release = {"DGX_SWBUILD_VERSION": "7.2.3", "DGX_OTA_VERSION": "7.5.0", "DGX_SERIAL_NUMBER": SERIAL}
    data = {
        "os": {
            "os_release": {"ID": "ubuntu", "PRETTY_NAME": "Ubuntu 24.04.4 LTS", "LOGO": "x"},
            "kernel": {"uname_r": KERNEL, "uname_a": f"Linux spark01 {KERNEL} #29 aarch64"},
        },
        "dgx": {"dgx_release": release, "release_markers": {"/etc/issue": "Ubuntu \\n \\l\n\n"}},
        "baseline": {"packages": {"dgx-release": "7.5.0"}, "snaps": [snap]},
    }
    found = taken(tool("os_build_identity_reporter", data))
    assert found.facets["os"]["kernel"] == {"running": KERNEL}
    assert found.facets["os"]["dgx"] == {"build_version": "7.2.3", "version": "7.5.0"}
    assert found.facets["os"]["distribution"] == {"id": "ubuntu", "pretty_name": "Ubuntu 24.04.4 LTS"}
    assert found.facets["identity"] == {
        "hostname": "spark01", "identifiers": {"dgx_release.serial": {"value": SERIAL}},
    }  # fmt: skip
    assert found.facets["software"] == {"packages": {"dgx-release": "7.5.0"}, "snaps": {"snapd": "7"}}
    assert fields(found)["data.baseline.packages.*"] == ("software.packages.*",)
    assert "marks" in reasons(found)["data.baseline.snaps[].publisher"]
    without = {**data, "dgx": {"dgx_release": {"DGX_SWBUILD_VERSION": "7.2.3"}}}
    assert taken(tool("os_build_identity_reporter", without)).facets["os"]["dgx"]["version"] == "7.2.3"


def test_software() -> None:
    packages = [
        {"name": "dpkg", "version": "1.22", "arch": "arm64"},
        {"name": "libc6", "version": "2.39", "arch": "armhf"},
        {"name": "tzdata", "version": "2026a", "arch": "all"},
    ]
    containers = [{"name": "train", "image": "example:1", "status": "Up 2 days", "id": "c0ffee"}]
    data: dict[str, Any] = {
        "dpkg": {"packages": packages, "holds": ["linux-b", "linux-a"], "errors": []},
        "snaps": {"snaps": [{"name": "snapd", "revision": "7"}]},
        "docker": {"images": [{"id": "short"}], "containers": containers},
        "pip": {"packages": [{"name": "x"}]},
    }
    found = taken(tool("software_inventory_reporter", data))
    assert found.facets["software"] == {
        "packages": {"dpkg": "1.22", "libc6:armhf": "2.39", "tzdata": "2026a"},
        "held_packages": ["linux-a", "linux-b"],
        "snaps": {"snapd": "7"},
        "docker_containers": {"train": {"image": "example:1"}},
    }
    assert {"data.pip", "data.docker.images", "data.docker.containers[].status"} <= reasons(found).keys()
    data["dpkg"]["errors"] = ["dpkg-query: timeout"]
    assert "held_packages" not in taken(tool("software_inventory_reporter", data)).facets["software"]


def test_drivers_and_what_modinfo_says_of_a_file() -> None:
    modinfo = {"filename": f"/lib/modules/{KERNEL}/updates/nvidia.ko", "version": "580.1", "srcversion": "AB"}
    data = report(
        kernel={"uname_r": KERNEL, "uname_a": "Linux ..."},
        drivers_manifest=[{"module": "nvidia", "modinfo": modinfo, "loaded": True, "used_by": {}}],
        pci=[{"pci_addr": AT, "vendor_device_id": "[10de:2e12]", "kernel_driver_in_use": "nvidia"}],
    )
    found = taken(tool("driver_inventory_reporter", data))
    assert found.facets["drivers"] == {"nvidia": {"loaded": True, "running_kernel_module": "updates/nvidia.ko"}}
    assert found.facets["hardware"]["pci"][AT]["driver"] == "nvidia"
    assert "need not be the one" in reasons(found)["data.drivers_manifest[].modinfo.version"]


def test_diagnosis_updates_and_resets() -> None:
    health = taken(tool("spark_diagctl", {"memory": {"mem_total_kb": 127_583_008, "mem_used_percent": 2.2}}))
    assert health.facets == {"hardware": {"memory": {"total_bytes": 127_583_008 * 1024}}}
    mark = {"pending": True, "indicators": ["/run/reboot-required exists"], "packages": ["b", "a"]}
    update = taken(tool("spark_updatectl", {"kernel": {"current_kernel": KERNEL}, "pending_reboot": mark}))
    assert update.facets["os"] == {
        "kernel": {"running": KERNEL}, "reboot_required": True, "reboot_packages": ["a", "b"],
    }  # fmt: skip
    other = taken(tool("spark_updatectl", {"pending_reboot": {**mark, "indicators": ["a newer kernel"]}}))
    assert other.facets == {}
    reset = taken(tool("reset_reason_reporter", {"current_boot": {"kernel": KERNEL}, "last_reset": {"confidence": 50}}))
    assert reset.facets == {"os": {"kernel": {"running": KERNEL}}}
    assert "judges from evidence" in reasons(reset)["data.last_reset"]


def test_scripts_and_the_fork() -> None:
    assert taken(script()).facets["security"] == {
        "uefi": True, "secure_boot": True, "setup_mode": False, "lockdown": "integrity",
    }  # fmt: skip
    assert "secure_boot" not in taken(script(secureboot_var="UNKNOWN")).facets["security"]
    sysfs = {"identity": "SBSA Generic Watchdog", "timeout": "10", "nowayout": "0", "state": "inactive"}
    watchdog = {"watchdog_device_present": True, "watchdog_device_path": "/dev/watchdog0", "sysfs": sysfs}
    line = {"status": "PASS", "run_id": "20261105T092000Z", **watchdog}
    assert taken(line).facets["hardware"]["watchdogs"] == {
        "watchdog0": {
            "identity": "SBSA Generic Watchdog", "timeout_s": 10, "nowayout": False, "state": "inactive",
        }
    }  # fmt: skip
    assert taken(orchestrator()).facets == {}
    found = taken(fork())
    assert found.facets["hardware"] == {"memory": {"total_bytes": 130_644_983_808}}
    assert found.facets["identity"] == {"hostname": "spark01"}


def test_what_does_not_fit_a_facet_is_left_and_the_rest_stays() -> None:
    packages = {"good": "1", "bad": "x" * 121, "k" * 121: "1"}
    found = taken(tool("os_build_identity_reporter", {"baseline": {"packages": packages}}))
    assert found.facets["software"] == {"packages": {"good": "1"}}
    (why,) = [fate.reason for fate in found.fates if fate.source == "data.baseline.packages.*" and fate.reason]
    assert why.startswith("it does not fit software.packages.*: ")
    rows = [{"pci_bus_id": f"{number:08x}:00:00.0", "name": "x" * 130} for number in range(20_000)]
    assert "hardware" not in taken(tool("hardware_config", {"gpu": rows})).facets  # far more than a facet holds
    serial = taken(tool("firmware_reporter", {"nvme": [{"controller": "nvme0", "serial": "x" * 130, "model": "M"}]}))
    assert serial.facets == {"hardware": {"nvme": {"nvme0": {"model": "M"}}}}
    many = {f"package{number}": "1" for number in range(10_001)}
    assert taken(tool("os_build_identity_reporter", {"baseline": {"packages": many}})).facets == {}


def _leaves(value: Any) -> int:
    if isinstance(value, dict) and value:
        return sum(map(_leaves, value.values()))
    return 1


def test_every_field_has_exactly_one_fate() -> None:
    data = report(gpu=[GPU, GPU], memory={"mem_total_bytes": 1, "newer": {"a": 1, "b": 2}}, pci=[])
    found = taken(tool("hardware_config", data))
    # ok, three of meta, errors; the head of the report; the rows of GPUs; memory with an unknown object; no functions
    assert sum(found.fates.values()) == 5 + _leaves(report()) + 2 * len(GPU) + 2 + 1
