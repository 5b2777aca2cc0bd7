"""Temperatures, the limits they are held against, and what cools."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Values, Volatility

COLLECTOR = Collector(
    "Thermal zones, cooling devices and sensors",
    Volatility.MOMENT,
    (
        Values(
            "zones.txt", "/sys/class/thermal", ("*/type", "*/temp", "*/mode", "*/policy", "*/trip_point_*", "*/*_state")
        ),
        Values(
            "sensors.txt",
            "/sys/class/hwmon",
            ("*/name", "*/*_label", "*/*_input", "*/*_max", "*/*_crit", "*/*_alarm"),
            limit=64 * KIB,
        ),
    ),
)
