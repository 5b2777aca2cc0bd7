"""How fast each core runs, and how it sleeps."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Values, Volatility

FREQUENCY = ("scaling_cur_freq", "cpuinfo_avg_freq", "cpuinfo_max_freq", "scaling_governor", "scaling_max_freq")
COLLECTOR = Collector(
    "Frequencies, governors and idle states of the cores",
    Volatility.MOMENT,
    (
        Values("frequency.txt", "/sys/devices/system/cpu/cpufreq", tuple(f"*/{file}" for file in FREQUENCY)),
        Values(
            "idle.txt",
            "/sys/devices/system/cpu",
            ("cpuidle/current_*", "cpu*/cpuidle/state*/name", "cpu*/cpuidle/state*/usage", "cpu*/cpuidle/state*/time"),
            limit=64 * KIB,
        ),
    ),
)
