"""What the tools of a simulated node print, rendered from the same model as its files."""

import json

from sparkctl.lab.devices import CONNECTX_FIRMWARE, ETHERNET, Port, functions, ports
from sparkctl.lab.files_bus import GATEWAY
from sparkctl.lab.files_proc import root_options
from sparkctl.lab.kernel_messages import kernel_messages, monotonic_journal
from sparkctl.lab.node_model import KERNEL_BANNER, NodeModel
from sparkctl.lab.tree import Tree

WITHOUT = tuple(f"--exclude-type={kind}" for kind in ("tmpfs", "devtmpfs", "squashfs", "overlay", "efivarfs"))
DF = ("df", "--local", "--block-size=1", "--output=target,fstype,size,used,avail", *WITHOUT)
DF_INODES = ("df", "--local", "--output=target,fstype,itotal,iused,iavail", *WITHOUT)
FAILED_UNITS = ("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full")
TIMEDATE = ("timedatectl", "show", "-p", "NTP", "-p", "NTPSynchronized")
KERNEL_LOG = ("journalctl", "-k", "-b", "0", "-r", "--no-pager", "-o", "short-monotonic")
SMART_LOG = ("/usr/sbin/nvme", "smart-log", "-o", "json", "/dev/nvme0")
ESP_BYTES = 535_805_952
KELVIN = 273
PACKAGES = {
    "python3": "3.12.3-0ubuntu2.1",
    "openssh-server": "1:9.6p1-3ubuntu13.14",
    "nvme-cli": "2.8-1ubuntu0.1",
    "dgx-release": "7.4.0",
}


def add_recordings(tree: Tree, node: NodeModel) -> None:
    """Every tool but nvidia-smi (see `recordings_gpu`)."""
    _disks(tree, node)
    _systemd(tree, node)
    _clock(tree, node)
    _kernel(tree, node)
    _drive(tree, node)
    _network(tree, node)
    _inventory(tree, node)


def packages(node: NodeModel) -> dict[str, str]:
    """Versions of packages that dpkg-query is asked for, by name."""
    driver = {} if node.driver is None else {"nvidia-driver-580-open": f"{node.driver}-0ubuntu0.24.04.1"}
    known = PACKAGES | driver
    return known | {name: version for name, version in node.upgraded if name in known}


def _disks(tree: Tree, node: NodeModel) -> None:
    size = int(node.make.drive.size * 0.983)
    usable = int(size * 0.95)
    kind = "overlay" if node.live else "ext4 "
    used = int(usable * node.root.used_percent / 100)
    rows = [
        f"/              {kind} {size} {used} {usable - used}",
        f"/boot/efi      vfat  {ESP_BYTES} {ESP_BYTES // 80} {ESP_BYTES - ESP_BYTES // 80}",
    ][: 1 if node.live else 2]
    tree.record(DF, "\n".join(["Mounted on     Type  1B-blocks Used Avail", *rows, ""]))
    inodes = size // 16384
    taken = int(inodes * node.root.inodes_percent / 100)
    rows = [f"/              {kind} {inodes} {taken} {inodes - taken}", "/boot/efi      vfat  0 0 0"]
    rows = rows[: 1 if node.live else 2]
    tree.record(DF_INODES, "\n".join(["Mounted on     Type  Inodes IUsed IFree", *rows, ""]))
    filesystem = {"target": "/", "source": "/dev/nvme0n1p2", "fstype": "ext4", "options": root_options(node)}
    if node.live:
        filesystem |= {"source": "overlay", "fstype": "overlay"}
    tree.record(("findmnt", "-J", "/"), json.dumps({"filesystems": [filesystem]}) + "\n")
    mounted = [None] if node.live else ["/"]
    part = {"name": "nvme0n1p2", "size": size, "type": "part", "mountpoints": mounted, "fstype": "ext4"}
    disk = {"name": "nvme0n1", "size": node.make.drive.size, "type": "disk", "tran": "nvme", "rota": False}
    disk |= {"model": node.make.drive.model, "children": [part]}
    tree.record(("lsblk", "-J", "-b", "-O"), json.dumps({"blockdevices": [disk]}) + "\n")


def _systemd(tree: Tree, node: NodeModel) -> None:
    rows = [f"{name} loaded failed failed {words}" for name, words in node.failed_units]
    tree.record(FAILED_UNITS, "".join(f"{row}\n" for row in rows))
    state, status = ("degraded", 1) if rows else ("running", 0)
    tree.record(("systemctl", "is-system-running"), f"{state}\n", rc=status)


def _clock(tree: Tree, node: NodeModel) -> None:
    clock = node.clock
    answer = {"NTP": clock.enabled, "NTPSynchronized": clock.synchronised}
    tree.record(TIMEDATE, "".join(f"{key}={'yes' if value else 'no'}\n" for key, value in answer.items()))
    offset = f"{clock.offset:+.3f}s" if abs(clock.offset) >= 1 else f"{clock.offset * 1000:+.3f}ms"
    told = f"         Offset: {offset}\n          Delay: 11.2ms\n         Jitter: 1.3ms\n" if clock.enabled else ""
    tree.record(
        ("timedatectl", "timesync-status"),
        "         Server: 192.0.2.123 (ntp.example.net)\n  Poll interval: 34min 8s (min: 32s; max 34min 8s)\n"
        f"           Leap: normal\n        Version: 4\n        Stratum: 2\n{told}   Packet count: 611\n",
    )


def _kernel(tree: Tree, node: NodeModel) -> None:
    tree.record(KERNEL_LOG, monotonic_journal(node))
    tree.record_for_root(("/usr/bin/journalctl", *KERNEL_LOG[1:]), monotonic_journal(node))
    errors = [text for _, text in kernel_messages(node) if "Xid" in text or "error" in text.lower()]
    tree.record(("journalctl", "-k", "-p", "err"), "".join(f"{node.name} kernel: {text}\n" for text in errors))
    tree.record(("uname", "-r"), f"{node.kernel}\n")
    tree.record(("uname", "-a"), f"Linux {node.name} {node.kernel} {KERNEL_BANNER} aarch64 aarch64 aarch64 GNU/Linux\n")
    tree.record(("mokutil", "--sb-state"), "SecureBoot enabled\n")
    tree.record_for_root(("/usr/bin/ls", "-1", "/sys/fs/pstore"))
    tree.record_for_root(("/usr/bin/cat", "/sys/class/dmi/id/product_serial"), f"{node.serial}\n")
    if node.driver is None:
        tree.record(("modinfo", "nvidia"), rc=1, stderr="modinfo: ERROR: Module nvidia not found.\n")
    else:
        module = f"/lib/modules/{node.kernel}/kernel/nvidia-580-open/nvidia.ko"
        tree.record(
            ("modinfo", "nvidia"),
            f"filename:       {module}\nlicense:        Dual MIT/GPL\nversion:        {node.driver}\n",
        )


def _drive(tree: Tree, node: NodeModel) -> None:
    health = node.drive
    log = {
        "critical_warning": health.critical_warning,
        "temperature": health.celsius + KELVIN,
        "avail_spare": health.spare,
        "spare_thresh": 10,
        "percent_used": health.used,
        "endurance_grp_critical_warning_summary": 0,
        "data_units_read": 41_220_331,
        "data_units_written": 22_008_114,
        "host_read_commands": 512_003_991,
        "host_write_commands": 330_112_870,
        "controller_busy_time": 812,
        "power_cycles": 31,
        "power_on_hours": int(node.uptime / 3600) + 2100,
        "unsafe_shutdowns": health.unsafe_shutdowns,
        "media_errors": health.media_errors,
        "num_err_log_entries": 0,
        "warning_temp_time": 0,
        "critical_comp_time": 0,
        "temperature_sensor_1": health.celsius + KELVIN,
    }
    if health.state == "live":
        tree.record_for_root(SMART_LOG, json.dumps(log, indent=2) + "\n")
    else:
        tree.record_for_root(SMART_LOG, rc=1, stderr="/dev/nvme0: Resource temporarily unavailable\n")


def _network(tree: Tree, node: NodeModel) -> None:
    found = ports(node)
    tree.record(("ip", "-j", "link"), json.dumps([_link(port) for port in found]) + "\n")
    tree.record(
        ("ip", "-j", "addr"), json.dumps([_link(port) | {"addr_info": _addresses(port)} for port in found]) + "\n"
    )
    route = {"dst": "default", "gateway": str(GATEWAY), "dev": ETHERNET, "protocol": "dhcp", "metric": 100, "flags": []}
    tree.record(("ip", "-j", "route"), json.dumps([route]) + "\n")
    for port in found:
        version, firmware = {
            "r8127": ("11.014.00-NAPI", ""),
            "mlx5_core": (node.kernel, CONNECTX_FIRMWARE),
        }.get(port.driver, (node.kernel, "____000000-20250825212648"))
        tree.record(
            ("ethtool", "-i", port.name),
            f"driver: {port.driver}\nversion: {version}\nfirmware-version: {firmware}\nbus-info: {port.address}\n",
        )


def _link(port: Port) -> dict[str, object]:
    flags = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"] if port.up else ["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"]
    state = "UP" if port.up else "DOWN"
    return {"ifname": port.name, "flags": flags, "mtu": port.mtu, "operstate": state, "address": port.mac}


def _addresses(port: Port) -> list[dict[str, object]]:
    return [] if port.ip is None else [{"family": "inet", "local": port.ip, "prefixlen": 24, "scope": "global"}]


def _inventory(tree: Tree, node: NodeModel) -> None:
    tree.record(("lspci",), "".join(f"{function.address} {function.words}\n" for function in functions(node)))
    dmi = node.make.dmi
    tree.record_for_root(
        ("/usr/sbin/dmidecode", "-t", "system"),
        f"# dmidecode 3.5\nSMBIOS 3.3.0 present.\n\nSystem Information\n\tManufacturer: {dmi['sys_vendor']}\n"
        f"\tProduct Name: {dmi['product_name']}\n\tSerial Number: {node.serial}\n\tUUID: {node.uuid}\n",
    )
    for name, version in packages(node).items():
        tree.record(("dpkg-query", "-W", "-f=${Version}", name), version)
    tree.record(("ps", "-eo", "pid,stat,comm"), "    PID STAT COMMAND\n      1 Ss   systemd\n    912 Ss   sshd\n")
