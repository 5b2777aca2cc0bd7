"""What a simulated node needs for the checks of forensic readiness, of services and of its packages' state."""

import datetime as dt

from sparkctl.lab.devices import ports
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

SHOW_SERVICES = (
    "systemctl", "show", "--property=Id,LoadState,ActiveState,SubState,UnitFileState", "docker.service",
    "containerd.service",
)  # fmt: skip
CLOCKS = ("timedatectl", "show", "-p", "LocalRTC", "-p", "TimeUSec", "-p", "RTCTimeUSec")
FIRST_MESSAGE = dt.datetime(2025, 9, 10, 14, 2, 11, tzinfo=dt.UTC)
"""When the oldest journal that is kept begins: the day of the factory image, before every simulated boot."""
READ_AT = dt.datetime(2026, 3, 18, 10, 0, 0, tzinfo=dt.UTC)
"""What both clocks show in a recording where the model names no other time; only their difference is judged."""
PERMANENT, LINK_SCOPE, HOST_SCOPE = 0x80, 0x20, 0x10


def add_readiness(tree: Tree, node: NodeModel) -> None:
    """The journal, crash records, clocks, services, package lists, huge pages and IPv6 addresses."""
    _journal(tree, node)
    _crash_records(tree)
    _clocks(tree, node)
    _services(tree, node)
    tree.files["/var/lib/apt/lists/repo.example.net_spark_dists_noble_InRelease"] = "simulated\n"
    tree.files["/usr/bin/apt-get"] = "simulated\n"
    tree.files["/var/lib/apt/periodic/update-success-stamp"] = ""
    for size in (64, 2048, 32_768, 1_048_576):
        tree.put(f"/sys/kernel/mm/hugepages/hugepages-{size}kB", nr_hugepages=0, free_hugepages=0)
    tree.files["/proc/net/if_inet6"] = "".join(_addresses(node))


def _journal(tree: Tree, node: NodeModel) -> None:
    here = f"/var/log/journal/{node.machine_id}"
    begins = int(FIRST_MESSAGE.timestamp()) * 1_000_000
    archived = f"system@{node.material('journal', 16).hex()}-0000000000000001-{begins:016x}.journal"
    for name in (archived, "system.journal", "user-1000.journal"):
        tree.files[f"{here}/{name}"] = "LPKSHHRH (simulated)\n"
    tree.files["/etc/systemd/journald.conf"] = "# simulated\n[Journal]\n#Storage=auto\n"
    tree.files["/var/log/wtmp"] = "simulated\n"


def _crash_records(tree: Tree) -> None:
    unit = "/usr/lib/systemd/system/systemd-pstore.service"
    tree.files[unit] = "[Unit]\nDescription=Simulated\n"
    tree.links["/etc/systemd/system/sysinit.target.wants/systemd-pstore.service"] = unit
    tree.put("/proc/sys/kernel", panic_on_oops=0, softlockup_panic=0, hung_task_panic=0, panic_on_warn=0)


def _clocks(tree: Tree, node: NodeModel) -> None:
    tree.put("/sys/class/rtc/rtc0", name="rtc-efi rtc-efi.0", hctosys=1)
    moment = READ_AT if node.clock.shows is None else dt.datetime.fromtimestamp(node.clock.shows, dt.UTC)
    shown = moment.strftime("%a %Y-%m-%d %H:%M:%S UTC")
    tree.record(CLOCKS, f"LocalRTC=no\nTimeUSec={shown}\nRTCTimeUSec={shown}\n")


def _services(tree: Tree, node: NodeModel) -> None:
    failed = dict(node.failed_units)
    blocks = []
    for name in SHOW_SERVICES[3:]:
        active, sub = ("failed", "failed") if name in failed else ("active", "running")
        active, sub = ("inactive", "dead") if name in node.stopped else (active, sub)
        load, file = ("masked", "masked-runtime") if name in node.masked else ("loaded", "enabled")
        states = f"LoadState={load}\nActiveState={active}\nSubState={sub}\nUnitFileState={file}\n"
        blocks.append(f"Id={name}\n{states}")
    tree.record(SHOW_SERVICES, "\n".join(blocks))


def _addresses(node: NodeModel) -> list[str]:
    """The loopback's address, and the link-local one that each port with a link makes of its MAC address."""
    rows = [f"{1:032x} 01 80 {HOST_SCOPE:02x} {PERMANENT:02x}       lo\n"]
    for index, port in enumerate(ports(node), 2):
        if port.up:
            mac = bytes.fromhex(port.mac.replace(":", ""))
            host = bytes([mac[0] ^ 2, *mac[1:3], 0xFF, 0xFE, *mac[3:]]).hex()
            rows.append(f"fe80{0:012x}{host} {index:02x} 40 {LINK_SCOPE:02x} {PERMANENT:02x} {port.name:>8}\n")
    return rows
