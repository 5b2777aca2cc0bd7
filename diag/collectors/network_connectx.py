"""The ConnectX-7: firmware, health, cages and RDMA. Its flash is not asked, for that takes a lock on it."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Kind, Values, Volatility

CAGES = ("enp1s0f0np0", "enp1s0f1np1")  # the first half of each port of a GB10's ConnectX-7
DEVICE = ("fw_ver", "board_id", "hca_type", "node_guid", "ports/*/state", "ports/*/phys_state", "ports/*/rate")
COUNTERS = ("*/ports/*/counters/*", "*/ports/*/hw_counters/*")
COLLECTOR = Collector(
    "ConnectX-7 and RDMA",
    Volatility.STATE,
    (
        Values("rdma.txt", "/sys/class/infiniband", tuple(f"*/{file}" for file in DEVICE)),
        Values("rdma_counters.txt", "/sys/class/infiniband", COUNTERS),
        Command("rdma_links.json", ("rdma", "-j", "-d", "link", "show"), 3.0, 64 * KIB, Kind.JSON),
        Command("rdma_in_use.json", ("rdma", "-j", "resource", "show"), 3.0, 64 * KIB, Kind.JSON),
        Command("connectx_firmware.json", ("devlink", "-j", "dev", "info"), 5.0, 64 * KIB, Kind.JSON),
        Command("connectx_health.json", ("devlink", "-j", "health", "show"), 5.0, 64 * KIB, Kind.JSON),
        *(
            Command(f"module_{cage}.txt", ("/usr/sbin/ethtool", "-m", cage), 3.0, 32 * KIB, elevate=True)
            for cage in CAGES
        ),
    ),
)
