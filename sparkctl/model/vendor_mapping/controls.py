"""The vendor's other tools: software inventory, diagnosis, updates, the last reset."""

from collections.abc import Iterator, Mapping

from sparkctl.model.vendor_mapping.claims import Part, Said
from sparkctl.model.vendor_mapping.outline import TEXT, TEXTS, WHOLE, Leaf, Outline, Rows, Type, left
from sparkctl.model.vendor_mapping.parts import HEADER, OS_RELEASE_OUTLINE, header, os_release
from sparkctl.model.vendor_mapping.reports import OWN_DIGEST, SNAP, snaps

VOLATILE = left("volatile")
ABLE = left("what the tool could do, not what the machine is")
LINES = left("lines of logs are no facts")
OWN_JUDGEMENT = left("a judgement of the tool; sparkctl judges from evidence of its own")
PLANS = left("a plan of the tool, not a fact of the machine")
REBOOT_MARK = "/run/reboot-required"
NATIVE = "arm64"  # of every DGX Spark; the list itself tells where it names dpkg's own package

SOFTWARE: Mapping[str, Outline] = {
    **HEADER,
    "os": {"os_release": OS_RELEASE_OUTLINE, "kernel_uname_r": TEXT},
    "dpkg": {
        "available": ABLE,
        "mode": left("how much the tool was asked to list", Type.TEXT),
        "packages": Rows(
            {"name": TEXT, "version": TEXT, "arch": left("it is part of the name where foreign", Type.TEXT)}
        ),
        "holds": TEXTS,
        "errors": left("trouble of the tool"),
    },
    "snaps": {
        "available": ABLE,
        "mode": left("how much the tool was asked to list", Type.TEXT),
        "snaps": Rows(SNAP),
        "errors": left("trouble of the tool"),
    },
    "pip": left("packages of pip live in as many environments as a node has projects"),
    "docker": {
        "enabled": ABLE,
        "available": ABLE,
        "docker_version": left("the package says the same", Type.TEXT),
        "images": left("short ids and sizes for people; ours are whole digests"),
        "containers": Rows(
            {
                "name": left("it is the name under which the rest is kept", Type.TEXT),
                "id": left("we keep no ids of containers", Type.TEXT),
                "image": TEXT,
                "status": left("volatile", Type.TEXT),
            }
        ),
        "errors": left("trouble of the tool"),
    },
    "manifest": OWN_DIGEST,
}
_GPU: Mapping[str, Outline] = {
    "nvidia_smi_available": ABLE,
    "gpus": left("rows by number, without the PCI address that ours are by; readings are volatile"),
    "driver_info": left("the text of a file"),
    "gpu_processes": VOLATILE,
    "kernel_gpu_messages": LINES,
}
_HEALTH: Mapping[str, Outline] = {
    "cpu": dict.fromkeys(("load_average", "cpu_usage_percent", "top_processes"), VOLATILE)
    | {"cpu_count": left("a count; ours lists which processors there are")},
    "memory": {
        "mem_total_kb": WHOLE,
        **dict.fromkeys(("mem_free_kb", "mem_available_kb", "mem_used_percent"), VOLATILE),
    },
    "disk": left("sizes rounded for people, in units that the text does not settle"),
    "network": left("states and counters are volatile"),
    "thermal": VOLATILE,
    "gpu": _GPU,
}
_CRASH: Mapping[str, Outline] = {
    name: left("no facet keeps how crashes are caught")
    for name in ("kdump", "userspace_coredumps", "crash_dumps_found")
}
_LOGS: Mapping[str, Outline] = dict.fromkeys(("journald", "kern_log", "syslog"), LINES)
_EVENTS: Mapping[str, Outline] = dict.fromkeys(
    ("boot_logs", "acpi_events", "pcie_aer", "fwupd_history", "rasdaemon"), LINES
)
DIAGNOSIS: Mapping[str, Outline] = {
    **_HEALTH,
    **_CRASH,
    **_LOGS,
    **_EVENTS,
    **_GPU,
    "diagnostic_capabilities": ABLE,
    "crash_capture": left("no facet keeps how crashes are caught"),
    "logging": left("no facet keeps which loggers run"),
    "health": _HEALTH,
    "logs": _LOGS,
    "hwfw_events": _EVENTS,
    "crash": _CRASH,
    "tarball_created": left("what the tool did"),
}
UPDATES: Mapping[str, Outline] = {
    "timestamp": left("the moment of the document, not a fact of the machine", Type.TEXT),
    "kernel": {"current_kernel": TEXT, "uname_all": left("the same again", Type.TEXT)},
    "uptime": VOLATILE,
    "pending_reboot": {
        "pending": Leaf(Type.FLAG, "a reboot may be wanted for another reason than Ubuntu's mark, which ours is"),
        "indicators": left("why the tool thinks that a reboot is wanted", Type.TEXTS),
        "packages": TEXTS,
    },
    "inhibitors": VOLATILE,
    "systemd_timeouts": left("no facet keeps systemd's time limits"),
    "last_reboot_history": LINES,
    "available_kernels": left("entries of the boot menu; ours lists the kernels that are there"),
    "grub_env": left("ours says what follows from it: what the next boot takes"),
    "firmware_rollback_summary": ABLE,
    **dict.fromkeys(("reason", "delay_sec", "blocked", "block_reasons"), PLANS),
    **dict.fromkeys(("safe_to_proceed", "recommended_actions"), PLANS),
}  # fmt: skip
RESET: Mapping[str, Outline] = {
    "current_boot": {
        "boot_id": left("volatile", Type.TEXT),
        "kernel": TEXT,
        "uptime_seconds": left("volatile", Type.NUMBER),
    },
    "last_reset": OWN_JUDGEMENT,
    "signals": left("evidence of resets is no fact of what the machine is"),
}


def software_inventory_reporter(data: Part) -> Iterator[Said]:
    """Packages, holds, snaps and containers."""
    yield from header(data)
    yield from os_release(data.part("os").part("os_release"))
    yield from data.part("os").take("kernel_uname_r", ("os", "kernel", "running"))
    yield from _packages(data.part("dpkg"))
    yield from snaps(data.part("snaps"), "snaps")
    for row in data.part("docker").rows("containers"):
        name = row.text("name")
        if name is None:
            yield from row.leave("it has no name")
        else:
            yield from row.take("image", ("software", "docker_containers", name, "image"))


def _packages(dpkg: Part) -> Iterator[Said]:
    rows = list(dpkg.rows("packages"))
    native = next((arch for row in rows if row.text("name") == "dpkg" and (arch := row.text("arch"))), NATIVE)
    for row in rows:
        name, arch = row.text("name"), row.text("arch")
        if name is None:
            yield from row.leave("it has no name")
            continue
        key = name if ":" in name or arch in (native, "all", None) else f"{name}:{arch}"
        yield from row.take("version", ("software", "packages", key))
    holds = dpkg.value.get("holds")
    if holds and not dpkg.value.get("errors"):
        yield from dpkg.claim("holds", ("software", "held_packages"), sorted(set(holds)))
    elif holds:
        yield from dpkg.leave("the tool had trouble with dpkg: the list may lack some", "holds")


def spark_diagctl(data: Part) -> Iterator[Said]:
    """Of a diagnosis only the memory is a fact of ours; the kernel's kB are KiB."""
    for memory in (data.part("memory"), data.part("health").part("memory")):
        total = memory.value.get("mem_total_kb")
        if total is not None:
            yield from memory.claim("mem_total_kb", ("hardware", "memory", "total_bytes"), total * 1024)


def spark_updatectl(data: Part) -> Iterator[Said]:
    """The running kernel, and whether Ubuntu's mark wants a reboot."""
    yield from data.part("kernel").take("current_kernel", ("os", "kernel", "running"))
    pending = data.part("pending_reboot")
    marked = any(REBOOT_MARK in text for text in pending.value.get("indicators") or ())
    if marked or pending.value.get("pending") is False:
        yield from pending.take("pending", ("os", "reboot_required"))
    if marked and pending.value.get("packages"):
        yield from pending.claim("packages", ("os", "reboot_packages"), sorted(set(pending.value["packages"])))


def reset_reason_reporter(data: Part) -> Iterator[Said]:
    """Of the last reset nothing is taken, of the present boot the kernel."""
    yield from data.part("current_boot").take("kernel", ("os", "kernel", "running"))
