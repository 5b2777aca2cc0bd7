"""What nvidia-smi prints on a simulated node."""

from sparkctl.lab.node_model import VBIOS, Gpu, NodeModel
from sparkctl.lab.tree import Tree

NOT_SUPPORTED = "[N/A]"
RESET = "[GPU requires reset]"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n\n"
)
NO_DRIVER_STATUS = 9
NO_DEVICE, NO_DEVICE_STATUS = "No devices were found\n", 6
HANG_SECONDS = 3600.0
REASON_BITS = {
    "gpu_idle": 0x1, "applications_clocks_setting": 0x2, "sw_power_cap": 0x4, "hw_slowdown": 0x8, "sync_boost": 0x10,
    "sw_thermal_slowdown": 0x20, "hw_thermal_slowdown": 0x40, "hw_power_brake_slowdown": 0x80,
}  # fmt: skip
UNITS = {
    "power.draw": "W", "power.draw.instant": "W", "power.draw.average": "W", "utilization.gpu": "%",
    "utilization.memory": "%", "clocks.sm": "MHz", "clocks.gr": "MHz", "clocks.video": "MHz", "clocks.max.sm": "MHz",
    "clocks.applications.graphics": "MHz",
}  # fmt: skip
ABSENT_FIELDS = (
    "memory.total", "memory.free", "memory.used", "memory.reserved", "fan.speed", "power.limit", "power.default_limit",
    "power.max_limit", "enforced.power.limit", "clocks.mem", "clocks.max.mem", "temperature.memory",
    "ecc.mode.current", "ecc.errors.uncorrected.volatile.total", "mig.mode.current",
    "inforom.img",
)  # fmt: skip
HEALTH_FIELDS = (
    "name", "pci.bus_id", "driver_version", "pstate", "persistence_mode", "temperature.gpu", "power.draw",
    "utilization.gpu", "clocks.sm", "clocks.max.sm", "clocks.applications.graphics", "clocks_event_reasons.active",
    "memory.total", "memory.used", "gpu_recovery_action",
)  # fmt: skip
QUERIES = (
    HEALTH_FIELDS,
    tuple(field for field in HEALTH_FIELDS if field != "gpu_recovery_action"),
    ("name", "driver_version", "memory.total"),
    ("index", "name", "uuid", "driver_version", "vbios_version", "pci.bus_id"),
    ("temperature.gpu", "power.draw", "utilization.gpu", "utilization.memory"),
    ("pci.bus_id", "name", "compute_cap", "memory.total", "clocks.max.sm", "temperature.gpu", "clocks.sm"),
    ("pci.bus_id", "vbios_version", "inforom.img"),
)
PROCESS_QUERY = ("nvidia-smi", "--query-compute-apps=pid,process_name,used_memory")
FORMATS = ("csv,noheader,nounits", "csv,noheader", "csv")


def add_gpu_recordings(tree: Tree, node: NodeModel) -> None:
    """nvidia-smi in its usual forms; without a driver every form says so, and a hanging one never comes back."""
    values = gpu_values(node)
    for fields in QUERIES:
        for style in FORMATS:
            argv = ("nvidia-smi", f"--query-gpu={','.join(fields)}", f"--format={style}")
            record_smi(tree, node, argv, csv(values, fields, style))
    for style in FORMATS:
        record_smi(tree, node, (*PROCESS_QUERY, f"--format={style}"), _processes(node, style))
    record_smi(tree, node, ("nvidia-smi", "-L"), f"GPU 0: NVIDIA GB10 (UUID: {node.gpu_uuid})\n")
    record_smi(tree, node, ("nvidia-smi",), table(node))


def record_smi(tree: Tree, node: NodeModel, argv: tuple[str, ...], stdout: str) -> None:
    """Record one form of nvidia-smi as this node's driver and GPU let it end."""
    if not node.module_loaded:
        tree.record(argv, NO_DRIVER, rc=NO_DRIVER_STATUS)
    elif node.gpu.state == "gone":
        tree.record(argv, NO_DEVICE, rc=NO_DEVICE_STATUS)
    elif node.gpu.state == "hung":
        tree.record(argv, delay=HANG_SECONDS)
    else:
        tree.record(argv, stdout)


def gpu_values(node: NodeModel) -> dict[str, str]:
    """The value of every field that the queries ask for, without its unit."""
    gpu = node.gpu
    bits = sum(REASON_BITS[reason] for reason in gpu.reasons)
    values = {
        "index": "0",
        "name": "NVIDIA GB10",
        "uuid": node.gpu_uuid,
        "pci.bus_id": "0000000F:01:00.0",
        "driver_version": str(node.driver),
        "vbios_version": VBIOS,
        "compute_cap": "12.1",
        "compute_mode": "Default",
        "pstate": gpu.pstate,
        "persistence_mode": "Enabled",
        "temperature.gpu": str(gpu.celsius),
        "power.draw": f"{gpu.watts:.2f}",
        "utilization.gpu": str(gpu.utilisation),
        "utilization.memory": "0",
        "clocks.sm": str(gpu.sm_mhz),
        "clocks.max.sm": "3003",
        "clocks.applications.graphics": "2418",
        "clocks_event_reasons.active": f"0x{bits:016x}",
        "gpu_recovery_action": "None",
        **dict.fromkeys(ABSENT_FIELDS, NOT_SUPPORTED),
    }
    if gpu.state == "reset_required":
        kept = (
            "index",
            "name",
            "uuid",
            "pci.bus_id",
            "driver_version",
            "temperature.gpu",
            "pstate",
            "persistence_mode",
        )
        values = {field: value if field in kept else RESET for field, value in values.items()}
        values["gpu_recovery_action"] = "Reset"
    return values


def csv(values: dict[str, str], fields: tuple[str, ...], style: str) -> str:
    """One answer as `--format` asks for it."""
    with_units = "nounits" not in style
    cells = [
        f"{values[field]} {UNITS[field]}"
        if with_units and field in UNITS and values[field][0] != "["
        else values[field]
        for field in fields
    ]
    header = "" if "noheader" in style else ", ".join(fields) + "\n"
    return header + ", ".join(cells) + "\n"


def _processes(node: NodeModel, style: str) -> str:
    unit = "" if "nounits" in style else " MiB"
    header = "" if "noheader" in style else "pid, process_name, used_gpu_memory [MiB]\n"
    return header + "".join(f"{pid}, {name}, {mib}{unit}\n" for pid, name, mib in node.gpu.processes)


def table(node: NodeModel) -> str:
    """The table that nvidia-smi prints without arguments."""
    gpu, driver = node.gpu, str(node.driver)
    power = f"{gpu.watts:.0f}W /  N/A"
    line = "+-----------------------------------------+------------------------+----------------------+\n"
    top = "+-----------------------------------------------------------------------------------------+\n"
    return (
        f"{top}| NVIDIA-SMI {driver:<22} Driver Version: {driver:<14} CUDA Version: 13.0     |\n{line}"
        "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |\n"
        "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |\n"
        "|=========================================+========================+======================|\n"
        "|   0  NVIDIA GB10                    On  |   0000000F:01:00.0 Off |                  N/A |\n"
        f"| {_fan(gpu)}  {gpu.celsius:>3}C    {gpu.pstate}  {power:>23} | Not Supported          |"
        f"{gpu.utilisation:>7}%      Default |\n{line}"
    )


def _fan(gpu: Gpu) -> str:
    return "ERR!" if gpu.state == "reset_required" else "N/A "
