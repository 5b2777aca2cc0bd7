"""One sample of what the GPU does, and for whom."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Volatility

PROCESSES = ("nvidia-smi", "--query-compute-apps=pid,process_name,used_memory", "--format=csv")
COLLECTOR = Collector(
    "Processes on the GPU, and one sample of its load, clocks and power",
    Volatility.MOMENT,
    (
        Command("processes.csv", PROCESSES, limit=64 * KIB),
        Command("process_sample.txt", ("nvidia-smi", "pmon", "-c", "1"), limit=64 * KIB),
        Command("device_sample.txt", ("nvidia-smi", "dmon", "-c", "1"), limit=64 * KIB),
    ),
)
