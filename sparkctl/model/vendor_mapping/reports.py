"""The vendor's reporters: identity, hardware, firmware, operating system, drivers."""

from collections.abc import Iterator, Mapping

from sparkctl.model.vendor_mapping.claims import Part, Said
from sparkctl.model.vendor_mapping.outline import TEXT, TEXTS, WHOLE, Each, Leaf, Outline, Rows, Type, left
from sparkctl.model.vendor_mapping.parts import (
    DISK,
    DMI,
    GPU,
    HEADER,
    NIC,
    OS_RELEASE_OUTLINE,
    PCI,
    SERIALS,
    disks,
    dmi,
    gpus,
    header,
    nics,
    os_release,
    pci,
    release_serial,
    uname,
)

KERNEL: Mapping[str, Outline] = {"uname_r": TEXT, "uname_a": TEXT}
OWN_DIGEST = left("a digest of the tool's own making over what it lists elsewhere")
ONE_KIND_OF_CORE = "lscpu tells it of one of the two kinds of cores that a GB10 has"
SHIFTING = frozenset({"supported", "trusted-metadata", "reported", "notified", "historical"})
"""Flags of fwupd that change with its metadata and history, which the facet has apart, as volatile."""
SNAP: Mapping[str, Outline] = {
    "name": left("it is the name under which the rest is kept", Type.TEXT),
    "rev": TEXT,
    "revision": TEXT,
    "version": left("we keep revisions, which tell more", Type.TEXT),
    "tracking": left("we keep no channels", Type.TEXT),
    "publisher": left("we keep no publishers; * and ** behind one are marks of the store's check of him", Type.TEXT),
    "notes": left("words for people", Type.TEXT),
}
RELEASE_FIELDS = {
    "DGX_NAME": "name", "DGX_PRETTY_NAME": "pretty_name", "DGX_SWBUILD_VERSION": "build_version",
    "DGX_SWBUILD_DATE": "build_date", "DGX_COMMIT_ID": "commit", "DGX_PLATFORM": "platform", "DGX_OTA_DATE": "ota_date",
    "DGX_OTA_VERSION": "version",
}  # fmt: skip

IDENTITY: Mapping[str, Outline] = {
    **HEADER,
    **dict.fromkeys((*SERIALS, "sys_vendor", "product_name", "product_version", "os_machine_id"), TEXT),
}
HARDWARE: Mapping[str, Outline] = {
    **HEADER,
    "cpu": {
        "architecture": TEXT,
        "logical_cpus": left("a count; ours lists which processors there are"),
        **{
            name: left(ONE_KIND_OF_CORE)
            for name in ("sockets", "cores_per_socket", "threads_per_core", "model_names", "max_mhz", "min_mhz")
        },
    },
    "memory": {
        "mem_total_bytes": WHOLE,
        "mem_free_bytes": left("volatile", Type.WHOLE),
        "mem_available_bytes": left("volatile", Type.WHOLE),
    },
    "storage": Rows(DISK),
    "network": Rows(NIC),
    "gpu": Rows(GPU),
    "pci": Rows(PCI),
}
FWUPD_DEVICE: Mapping[str, Outline] = {
    **dict.fromkeys(("name", "current_version", "minimum_version", "vendor"), TEXT),
    "device_id": left("a digest of fwupd's own", Type.TEXT),
    "summary": left("words for people", Type.TEXT),
    "serial_number": left("fwupd tells it to root only", Type.TEXT),
    "guid": left("the first GUID is the name under which the rest is kept"),
    "guids": left("the first GUID is the name under which the rest is kept"),
    "update_state": WHOLE,
    "device_flags": TEXTS,
    "device_requests": TEXTS,
}
FIRMWARE: Mapping[str, Outline] = {
    **HEADER,
    "fwupd": {
        "available": left("what the tool could do, not what the machine is", Type.FLAG),
        "fwupdmgr_version": left("the first line of a list of versions, which may be that of a library", Type.RAW),
        "parse_mode": left("how the tool came by it", Type.TEXT),
        "devices": Rows(FWUPD_DEVICE),
        "raw_devices_text": left("the text of a command, where the tool could not read it either", Type.RAW),
    },
    "nics": Rows(NIC),
    "nvme": Rows(
        {
            "controller": left("it is the name under which the rest is kept", Type.TEXT),
            "sources": left("how the tool came by it"),
            **dict.fromkeys(("model", "serial", "firmware_rev"), TEXT),
        }
    ),
    "gpu": Rows(GPU),
    "pci": Rows(PCI),
}
OS_BUILD: Mapping[str, Outline] = {
    **HEADER,
    "os": {
        "os_release": OS_RELEASE_OUTLINE,
        "lsb_release_file": left("os_release says the same"),
        "lsb_release_cmd": left("os_release says the same", Type.RAW),
        "kernel": KERNEL,
    },
    "dgx": {
        "dgx_release": Each(TEXT),
        "release_markers": Each(left("whole files as they are", Type.RAW)),
    },
    "baseline": {
        "packages": Each(TEXT),
        "snaps": Rows(SNAP),
        "fingerprint_sha256": OWN_DIGEST,
        "fingerprint_material": OWN_DIGEST,
    },
}
MODULE_FILE = "modinfo tells of the module's file, which need not be the one that is loaded"
DRIVERS: Mapping[str, Outline] = {
    **HEADER,
    "kernel": KERNEL,
    "pci": Rows(PCI),
    "nics": Rows(NIC),
    "storage": Rows(DISK),
    "gpu": Rows(GPU),
    "usb": {
        "available": left("what the tool could do, not what the machine is", Type.FLAG),
        "tree": left("USB devices are by port path in ours, which it does not tell"),
        "devices": left("USB devices are by port path in ours, which it does not tell"),
        "raw_tree_text": left("the text of a command", Type.RAW),
    },
    "drivers_manifest": Rows(
        {
            "module": left("it is the name under which the rest is kept", Type.TEXT),
            "modinfo": {
                "filename": Leaf(Type.TEXT, "we keep no paths of modules but that of the NVIDIA driver"),
                **{
                    name: left(MODULE_FILE)
                    for name in (
                        "version", "description", "author", "license", "signer", "sig_key", "vermagic", "srcversion",
                        "depends",
                    )
                },
            },
            "loaded": Leaf(Type.FLAG, "the list may have been cut, ours is whole"),
            "used_by": left("functions of PCI only, ours has platform devices too"),
        }
    ),
}  # fmt: skip


def device_identity(data: Part) -> Iterator[Said]:
    """The serials stand twice: beside SMBIOS and in it."""
    yield from dmi(Part({name: data.value[name] for name in DMI if name in data.value}, data.place))
    yield from header(data)
    yield from data.take("os_machine_id", ("identity", "machine_id"))


def hardware_config(data: Part) -> Iterator[Said]:
    """The inventory of parts; its sizes are in bytes already, but for the GPU's memory."""
    yield from header(data)
    yield from data.part("cpu").take("architecture", ("os", "architecture"))
    yield from data.part("memory").take("mem_total_bytes", ("hardware", "memory", "total_bytes"))
    yield from disks(data)
    yield from nics(data, "network")
    yield from gpus(data)
    yield from pci(data)


def firmware_reporter(data: Part) -> Iterator[Said]:
    """Versions as they are written: what a hexadecimal one means is each maker's own affair."""
    yield from header(data)
    known: set[str] = set()
    for row in data.part("fwupd").rows("devices"):
        yield from _fwupd_device(row, known)
    yield from nics(data, "nics")
    for row in data.rows("nvme"):
        controller = row.text("controller")
        if controller is None:
            yield from row.leave("it has no name")
            continue
        yield from row.take("model", ("hardware", "nvme", controller, "model"))
        yield from row.take("serial", ("hardware", "nvme", controller, "serial"))
        yield from row.take("serial", ("identity", "drives", controller))
        yield from row.take("firmware_rev", ("firmware", "drives", controller))
    yield from gpus(data)
    yield from pci(data)


def _fwupd_device(row: Part, known: set[str]) -> Iterator[Said]:
    guids = [*_texts(row, "guid"), *_texts(row, "guids")]
    if not guids:
        yield from row.leave("without a GUID ours is by plugin, which it does not tell")
        return
    guid = guids[0].lower()
    if guid in known:
        yield from row.leave("a device before it has the same GUID")
        return
    known.add(guid)
    here = ("firmware", "fwupd", guid)
    for name, field in (
        ("name", "name"), ("vendor", "vendor"), ("current_version", "version"), ("minimum_version", "version_lowest"),
        ("update_state", "update_state"),
    ):  # fmt: skip
        yield from row.take(name, (*here, field))
    flags = sorted({flag for flag in _texts(row, "device_flags") if flag not in SHIFTING})
    yield from row.claim("device_flags", (*here, "flags"), flags or None)
    yield from row.claim(
        "device_requests", (*here, "request_flags"), sorted(set(_texts(row, "device_requests"))) or None
    )


def _texts(row: Part, name: str) -> list[str]:
    """The texts of a list, also where the tool writes one alone."""
    value = row.value.get(name)
    texts = value if isinstance(value, list) else [value]
    return [text for text in texts if isinstance(text, str) and text]


def os_build_identity(data: Part) -> Iterator[Said]:
    """Release files, kernel, packages and snaps."""
    yield from header(data)
    yield from os_release(data.part("os").part("os_release"))
    yield from uname(data.part("os").part("kernel"))
    release = data.part("dgx").part("dgx_release")
    for key, field in RELEASE_FIELDS.items():
        yield from release.take(key, ("os", "dgx", field))
    if release.text("DGX_OTA_VERSION") is None:
        yield from release.take("DGX_SWBUILD_VERSION", ("os", "dgx", "version"))
    yield from release_serial(release, "DGX_SERIAL_NUMBER")
    packages = data.part("baseline").part("packages")
    for name in packages.value:
        yield from packages.take(name, ("software", "packages", name))
    yield from snaps(data.part("baseline"), "snaps")


def snaps(data: Part, name: str) -> Iterator[Said]:
    """Revisions by snap; two tools name the same column differently."""
    for row in data.rows(name):
        snap = row.text("name")
        if snap is None:
            yield from row.leave("it has no name")
            continue
        for column in ("rev", "revision"):
            yield from row.take(column, ("software", "snaps", snap))


def driver_inventory_reporter(data: Part) -> Iterator[Said]:
    """What holds the devices."""
    yield from header(data)
    yield from uname(data.part("kernel"))
    yield from pci(data)
    yield from nics(data, "nics")
    yield from disks(data)
    yield from gpus(data)
    running = data.part("kernel").text("uname_r")
    for row in data.rows("drivers_manifest"):
        if row.text("module") == "nvidia":
            yield from row.take("loaded", ("drivers", "nvidia", "loaded"))
            yield from _nvidia_file(row.part("modinfo"), running)


def _nvidia_file(modinfo: Part, running: str | None) -> Iterator[Said]:
    """The path below the modules of the running kernel, for which modinfo looks where nothing else is asked."""
    path, folder = modinfo.text("filename"), f"/lib/modules/{running}/"
    if path is not None and running is not None and path.startswith(folder):
        yield from modinfo.claim("filename", ("drivers", "nvidia", "running_kernel_module"), path.removeprefix(folder))
    else:
        yield from modinfo.leave("it is not below the modules of the kernel that the document names", "filename")
