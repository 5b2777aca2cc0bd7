"""/sys of a simulated node, the PCI bus and the network aside (see `files_bus`)."""

from sparkctl.lab.devices import CONNECTX_PORTS, NVME_ADDRESS
from sparkctl.lab.files_proc import A725_CORES
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

CRITICAL = 104_800  # the only trip point of a zone: here the kernel orders a shutdown
NVME_FOLDER = f"/sys/devices/pci0004:00/0004:00:00.0/{NVME_ADDRESS}/nvme/nvme0"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SETUP_MODE = "/sys/firmware/efi/efivars/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SERIALS = ("product_serial", "product_uuid", "board_serial", "chassis_serial")
MODULE_VERSIONS = {"r8127": "11.014.00-NAPI"}


def add_sys(tree: Tree, node: NodeModel) -> None:
    """DMI, temperatures, processors, the drive, firmware and the kernel's own folders."""
    _dmi(tree, node)
    _thermal(tree, node)
    _processors(tree, node)
    _drive(tree, node)
    _firmware(tree)
    _kernel(tree, node)


def _dmi(tree: Tree, node: NodeModel) -> None:
    here = "/sys/devices/virtual/dmi/id"
    tree.put(here, **node.make.dmi)
    tree.put(
        here,
        product_serial=node.serial,
        product_uuid=node.uuid,
        board_serial=node.make.filler,
        chassis_serial=node.make.filler or node.serial,
        board_asset_tag=node.make.filler,
    )
    tree.links["/sys/class/dmi/id"] = "../../devices/virtual/dmi/id"


def _thermal(tree: Tree, node: NodeModel) -> None:
    for at, temperature in enumerate(node.zones):
        here = f"/sys/devices/virtual/thermal/thermal_zone{at}"
        tree.put(
            here, type="acpitz", temp=temperature, policy="step_wise", mode="enabled", trip_point_0_type="critical",
            trip_point_0_temp=CRITICAL,
        )  # fmt: skip
        tree.links[f"/sys/class/thermal/thermal_zone{at}"] = f"../../devices/virtual/thermal/thermal_zone{at}"
    zones = {f"temp{at + 1}_input": value for at, value in enumerate(node.zones)}
    limits = {f"temp{at + 1}_crit": CRITICAL for at in range(len(node.zones))}
    _hwmon(tree, 0, "acpitz", "/sys/devices/virtual/thermal/thermal_zone0", **zones, **limits)
    composite = node.drive.celsius * 1000 + 850
    if node.drive.state != "gone":
        _hwmon(
            tree, 1, "nvme", NVME_FOLDER,
            temp1_label="Composite", temp1_input=composite, temp1_max=82_850, temp1_crit=84_850, temp1_min=-5150,
            temp1_alarm=0, temp2_label="Sensor 1", temp2_input=composite, temp2_min=-273_150, temp2_max=65_261_850,
        )  # fmt: skip
    wireless = "/sys/devices/pci0009:00/0009:00:00.0/0009:01:00.0/ieee80211/phy0"
    _hwmon(tree, 2, "mt7925_phy0", wireless, temp1_input=44_000)
    _hwmon(tree, 3, "acpi_fan", "/sys/devices/platform/PNP0C0B:00", fan1_input=2)
    if node.cabled is not None:
        for at, (address, _, _) in enumerate(CONNECTX_PORTS):
            folder = f"/sys/devices/pci{address[:4]}:00/{address[:4]}:00:00.0/{address}"
            _hwmon(tree, 4 + at, "mlx5", folder, temp1_label="asic", temp1_input=52_000, temp1_crit=105_000)


def _hwmon(tree: Tree, number: int, name: str, parent: str, **files: object) -> None:
    here = f"{parent}/hwmon/hwmon{number}"
    tree.put(here, name=name, **files)
    tree.links[f"/sys/class/hwmon/hwmon{number}"] = f"../../{here.removeprefix('/sys/')}"


def _processors(tree: Tree, node: NodeModel) -> None:
    cpu = "/sys/devices/system/cpu"
    tree.put(cpu, online=_ranges(node.cores), present="0-19", possible="0-19", offline=_ranges(node.cores_offline))
    for core in node.cores:
        slow = core in A725_CORES
        tree.put(
            f"{cpu}/cpufreq/policy{core}",
            scaling_governor="performance",
            scaling_driver="cppc_cpufreq",
            cpuinfo_min_freq=338_000 if slow else 1_378_000,
            cpuinfo_max_freq=_highest(core),
        )
    tree.folders.append("/sys/devices/system/edac/mc")


def _highest(core: int) -> int:
    if core in A725_CORES:
        return 2_808_000 if core < 5 else 2_860_000
    return 4_004_000 if core == 19 else 3_900_000 if core < 10 else 3_978_000


def _ranges(numbers: tuple[int, ...]) -> str:
    """As the kernel lists them: `0-9,12`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _drive(tree: Tree, node: NodeModel) -> None:
    if node.drive.state == "gone":
        tree.folders += ["/sys/class/nvme", "/sys/block"]
        return
    drive, here = node.make.drive, NVME_FOLDER
    tree.put(
        here,
        model=f"{drive.model:<40}",
        serial=f"{node.drive_serial:<20}",
        firmware_rev=f"{drive.firmware:<8}",
        state=node.drive.state,
        transport="pcie",
        address=NVME_ADDRESS,
        cntlid=1,
    )
    tree.links[f"{here}/device"] = f"../../../{NVME_ADDRESS}"
    tree.links["/sys/class/nvme/nvme0"] = f"../../{here.removeprefix('/sys/')}"
    block = f"{here}/nvme0n1"
    tree.put(block, size=drive.size // 512, ro=0, removable=0)
    tree.put(f"{block}/queue", rotational=0, scheduler="[none] mq-deadline", logical_block_size=512)
    tree.links["/sys/block/nvme0n1"] = f"../{block.removeprefix('/sys/')}"
    errors: dict[str, object] = {"errors_count": node.root.ext4_errors, "lifetime_write_kbytes": 812_344_120}
    if node.root.ext4_errors:
        errors |= {"first_error_time": 1_770_000_000, "last_error_time": 1_770_086_400}
    tree.put("/sys/fs/ext4/nvme0n1p2", **errors)


def _firmware(tree: Tree) -> None:
    attributes = b"\x06\x00\x00\x00"
    tree.files[SECURE_BOOT] = attributes + b"\x01"
    tree.files[SETUP_MODE] = attributes + b"\x00"
    tree.put("/sys/firmware/efi", fw_platform_size=64)
    tree.put("/sys/class/tpm/tpm0", tpm_version_major=2)
    tree.put(
        "/sys/class/watchdog/watchdog0",
        identity="SBSA Generic Watchdog",
        state="inactive",
        status="0x0",
        timeout=10,
        timeleft=1_261_440_000,
        nowayout=0,
        bootstatus=0,
    )
    tree.folders.append("/sys/class/power_supply")


def _kernel(tree: Tree, node: NodeModel) -> None:
    tree.put("/sys/kernel", kexec_crash_loaded=0, kexec_crash_size=0, kexec_loaded=0)
    tree.put("/sys/power", state="freeze mem disk", mem_sleep="[s2idle]")
    tree.folders.append("/sys/fs/pstore")
    tree.put("/sys/module/pstore/parameters", backend="efi_pstore")
    tree.put("/sys/module/r8127", version=MODULE_VERSIONS["r8127"])
    if node.module_loaded:
        for name in ("nvidia", "nvidia_drm", "nvidia_modeset", "nvidia_uvm"):
            tree.put(f"/sys/module/{name}", version=node.driver, initstate="live", taint="O")
