"""What the drives carry."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, File, Values, Volatility

COLLECTOR = Collector(
    "Counters and queues of the drives",
    Volatility.MOMENT,
    (
        File("diskstats.txt", "/proc/diskstats", limit=32 * KIB),
        Values("queues.txt", "/sys/block", ("nvme*/inflight", "nvme*/stat", "nvme*/queue/*"), limit=64 * KIB),
    ),
)
