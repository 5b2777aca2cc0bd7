"""The PCI functions and network ports of a simulated node, from which /sys, lspci, ip and ethtool are rendered."""

from dataclasses import dataclass

from sparkctl.lab.node_model import NodeModel

GPU_ADDRESS = "000f:01:00.0"
NVME_ADDRESS = "0004:01:00.0"
ETHERNET = "enP7s7"
WIRELESS = "wlP9s9"
CONNECTX_FIRMWARE = "28.45.4028 (NVD0000000087)"
CONNECTX_PORTS = (
    ("0000:01:00.0", "enp1s0f0np0", "rocep1s0f0"),
    ("0000:01:00.1", "enp1s0f1np1", "rocep1s0f1"),
    ("0002:01:00.0", "enP2p1s0f0np0", "roceP2p1s0f0"),
    ("0002:01:00.1", "enP2p1s0f1np1", "roceP2p1s0f1"),
)


@dataclass(frozen=True)
class Function:
    """A PCI function; the link as (GT/s, lanes), current and best, None for a bridge that leads nowhere."""

    address: str
    vendor: str
    device: str
    class_code: str
    driver: str | None
    words: str
    link: tuple[str, int] | None = None
    best: tuple[str, int] | None = None

    @property
    def bridge(self) -> str:
        """The address of the root port above it; root ports stand above themselves."""
        return f"{self.address[:4]}:00:00.0"

    @property
    def folder(self) -> str:
        """Its folder in /sys/devices."""
        top = f"/sys/devices/pci{self.address[:4]}:00/{self.bridge}"
        return top if self.address == self.bridge else f"{top}/{self.address}"


@dataclass(frozen=True)
class Port:
    """A network interface; `speed` in Mbit/s when it has a link. `rdma` is the name of its RoCE device."""

    name: str
    address: str
    driver: str
    mac: str
    up: bool
    speed: int
    mtu: int

    wireless: bool = False
    rdma: str | None = None
    ip: str | None = None


def functions(node: NodeModel) -> list[Function]:
    """Every function on the bus, in its order."""
    drive = node.make.drive
    found = [_bridge("0000", "0x22ce", ("32.0", 4)), _bridge("0002", "0x22ce", ("32.0", 4))]
    if node.cabled is not None:
        words = "Ethernet controller: Mellanox Technologies MT2910 Family [ConnectX-7]"
        found += [
            Function(address, "0x15b3", "0x1021", "0x020000", "mlx5_core", words, ("32.0", 4), ("32.0", 4))
            for address, _, _ in CONNECTX_PORTS
        ]
    link = (drive.gigatransfers, 4)
    found += [
        _bridge("0004", "0x22ce", ("32.0", 4)),
        _bridge("0006", "0x22d0", ("16.0", 1)),
        _bridge("0007", "0x22d0", ("16.0", 1)),
        Function(
            "0007:01:00.0", "0x10ec", "0x8127", "0x020000", "r8127",
            "Ethernet controller: Realtek Semiconductor Co., Ltd. Device 8127 (rev 05)", ("16.0", 1), ("16.0", 1),
        ),
        _bridge("0009", "0x22d0", ("16.0", 1)),
        Function(
            "0009:01:00.0", "0x14c3", "0x7925", "0x028000", "mt7925e",
            "Network controller: MEDIATEK Corp. Device 7925", ("5.0", 1), ("5.0", 1),
        ),
        _bridge("000f", "0x22d1", ("32.0", 16)),
        Function(
            GPU_ADDRESS, "0x10de", "0x2e12", "0x030000", "nvidia" if node.module_loaded else None,
            "VGA compatible controller: NVIDIA Corporation Device 2e12 (rev a1)", ("2.5", 1), ("32.0", 16),
        ),
    ]  # fmt: skip
    if node.gpu.state == "gone":
        found = [function for function in found if function.address != GPU_ADDRESS]
    if node.drive.state != "gone":
        words = f"Non-Volatile memory controller: {drive.model.split()[0]} Device {drive.device[2:]}"
        found.append(Function(NVME_ADDRESS, drive.vendor, drive.device, "0x010802", "nvme", words, link, link))
    return sorted(found, key=lambda function: function.address)


def ports(node: NodeModel) -> list[Port]:
    """Every network interface with hardware behind it."""
    address = f"192.0.2.{node.number % 250 + 1}"
    found = [
        Port(ETHERNET, "0007:01:00.0", "r8127", node.mac(1), node.ethernet_up, 10000, 1500, ip=address),
        Port(WIRELESS, "0009:01:00.0", "mt7925e", node.mac(2), up=False, speed=-1, mtu=1500, wireless=True),
    ]
    if node.cabled is not None:
        found += [
            # One cage holds the ports with the same last digit of both halves; the other cage stays empty.
            Port(
                name, place, "mlx5_core", node.mac(16 + at), up=node.cabled and place.endswith("0"), speed=200_000,
                mtu=9000, rdma=rdma, ip=f"198.51.100.{node.number % 250 + 1}" if at == 0 and node.cabled else None,
            )
            for at, (place, name, rdma) in enumerate(CONNECTX_PORTS)
        ]  # fmt: skip
    return found


def _bridge(domain: str, device: str, best: tuple[str, int]) -> Function:
    words = f"PCI bridge: NVIDIA Corporation Device {device[2:]} (rev 01)"
    return Function(f"{domain}:00:00.0", "0x10de", device, "0x060400", "pcieport", words, best, best)
