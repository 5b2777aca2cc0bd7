"""The PCI bus and the network in /sys and /proc/net of a simulated node."""

from ipaddress import IPv4Address

from sparkctl.lab.devices import ETHERNET, Function, Port, functions, ports
from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.tree import Tree

AER_NAMES = {
    "correctable": ("RxErr", "BadTLP", "BadDLLP", "Rollover", "Timeout", "NonFatalErr", "CorrIntErr", "HeaderOF"),
    "nonfatal": ("Undefined", "DLP", "SDES", "TLP", "FCP", "CmpltTO", "CmpltAbrt", "UnxCmplt", "RxOF", "MalfTLP"),
    "fatal": ("Undefined", "DLP", "SDES", "TLP", "FCP", "CmpltTO", "CmpltAbrt", "UnxCmplt", "RxOF", "MalfTLP"),
}
AER_TOTALS = {"correctable": "TOTAL_ERR_COR", "nonfatal": "TOTAL_ERR_NONFATAL", "fatal": "TOTAL_ERR_FATAL"}
GATEWAY = IPv4Address("192.0.2.254")


def add_bus(tree: Tree, node: NodeModel) -> None:
    """PCI functions, network interfaces, RoCE devices and routes."""
    for function in functions(node):
        _function(tree, function)
    for address, nonfatal, fatal in node.bus_errors:
        _count_errors(tree, address, nonfatal, fatal)
    found = ports(node)
    for port in found:
        _port(tree, port)
    _loopback(tree)
    _routes(tree, found)
    if not any(port.rdma for port in found):
        tree.folders.append("/sys/class/infiniband")


def _function(tree: Tree, function: Function) -> None:
    here = function.folder
    tree.put(here, vendor=function.vendor, device=function.device)
    tree.files[f"{here}/class"] = f"{function.class_code}\n"
    for which, link in (("current", function.link), ("max", function.best)):
        speed, width = link or ("Unknown", 0)
        words = f"{speed} GT/s PCIe" if link else "Unknown"
        tree.put(here, **{f"{which}_link_speed": words, f"{which}_link_width": width})
    for kind in AER_NAMES:
        tree.put(here, **{f"aer_dev_{kind}": _errors(kind, 0)})
    if function.driver is not None:
        tree.links[f"{here}/driver"] = f"/sys/bus/pci/drivers/{function.driver}"
        tree.folders.append(f"/sys/bus/pci/drivers/{function.driver}")
    tree.links[f"/sys/bus/pci/devices/{function.address}"] = f"../../../{here.removeprefix('/sys/')}"


def _count_errors(tree: Tree, address: str, nonfatal: int, fatal: int) -> None:
    here = f"/sys/devices/pci{address[:4]}:00/{address[:4]}:00:00.0/{address}"
    tree.put(here, aer_dev_nonfatal=_errors("nonfatal", nonfatal), aer_dev_fatal=_errors("fatal", fatal))


def _errors(kind: str, count: int) -> str:
    """As the kernel lists them; all errors are of one sort, a completion that did not come."""
    rows = [f"{name} {count if name == 'CmpltTO' else 0}" for name in AER_NAMES[kind]]
    return "\n".join([*rows, f"{AER_TOTALS[kind]} {count}"])


def _port(tree: Tree, port: Port) -> None:
    device = f"/sys/devices/pci{port.address[:4]}:00/{port.address[:4]}:00:00.0/{port.address}"
    here = f"{device}/net/{port.name}"
    tree.put(
        here,
        operstate="up" if port.up else "dormant" if port.wireless else "down",
        carrier=1 if port.up else 0,
        speed=port.speed if port.up else -1,
        mtu=port.mtu,
        address=port.mac,
        flags="0x1003",
        carrier_changes=2 if port.up else 1,
        carrier_up_count=1 if port.up else 0,
        carrier_down_count=1,
        type=1,
        tx_queue_len=1000,
    )
    traffic = 67_000_000 if port.up else 0
    tree.put(
        f"{here}/statistics",
        rx_packets=traffic, tx_packets=traffic // 3, rx_bytes=traffic * 900, tx_bytes=traffic * 200,
        rx_errors=0, tx_errors=0, rx_dropped=traffic // 3000, tx_dropped=0, rx_crc_errors=0, collisions=0,
    )  # fmt: skip
    if port.wireless:
        tree.folders.append(f"{here}/wireless")
    tree.links[f"{here}/device"] = f"../../../{port.address}"
    tree.links[f"/sys/class/net/{port.name}"] = f"../../{here.removeprefix('/sys/')}"
    if port.rdma is not None:
        _rdma(tree, port, device)


def _rdma(tree: Tree, port: Port, device: str) -> None:
    here = f"{device}/infiniband/{port.rdma}"
    tree.put(here, fw_ver="28.45.4028", node_type="1: CA", board_id="NVD0000000087", hca_type="MT4129")
    tree.put(
        f"{here}/ports/1",
        state="4: ACTIVE" if port.up else "1: DOWN",
        phys_state="5: LinkUp" if port.up else "3: Disabled",
        rate="200 Gb/sec (2X NDR)" if port.up else "40 Gb/sec (4X QDR)",
        link_layer="Ethernet",
    )
    tree.links[f"/sys/class/infiniband/{port.rdma}"] = f"../../{here.removeprefix('/sys/')}"
    tree.links[f"{here}/device"] = f"../../../{port.address}"


def _loopback(tree: Tree) -> None:
    here = "/sys/devices/virtual/net/lo"
    tree.put(here, operstate="unknown", carrier=1, mtu=65536, address="00:00:00:00:00:00", flags="0x9", type=772)
    tree.put(f"{here}/statistics", rx_packets=81_223, tx_packets=81_223, rx_errors=0, tx_errors=0)
    tree.links["/sys/class/net/lo"] = "../../devices/virtual/net/lo"


def _routes(tree: Tree, found: list[Port]) -> None:
    header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
    rows = [f"{ETHERNET}\t00000000\t{_little_endian(GATEWAY)}\t0003\t0\t0\t100\t00000000\t0\t0\t0"]
    for port in found:
        if port.ip is not None:
            network = IPv4Address(int(IPv4Address(port.ip)) & 0xFFFFFF00)
            rows.append(f"{port.name}\t{_little_endian(network)}\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0")
    tree.put("/proc/net", route="\n".join([header, *rows]))
    titles = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop"
    )
    lines = [
        f"{port.name}: {67_000 if port.up else 0} 67 0 0 0 0 0 0 {22_000 if port.up else 0} 22 0 0" for port in found
    ]
    tree.put("/proc/net", dev="\n".join([titles, *lines]))


def _little_endian(address: IPv4Address) -> str:
    return address.packed[::-1].hex().upper()
