"""What feeds the machine, and the watchdog that may cut it off."""

from __future__ import annotations

from diag.nodekit.collector import Collector, Values, Volatility

COLLECTOR = Collector(
    "USB-C ports, power delivery, supplies and watchdogs",
    Volatility.BOOT,
    (
        Values(
            "typec.txt",
            "/sys/class/typec",
            (
                "*/data_role",
                "*/power_role",
                "*/power_operation_mode",
                "*/usb_power_delivery_revision",
                "*/vconn_source",
            ),
        ),
        Values(
            "delivery.txt",
            "/sys/class/usb_power_delivery",
            ("*/revision", "*/version", "*/*/*/voltage", "*/*/*/maximum_current"),
        ),
        Values("supplies.txt", "/sys/class/power_supply", ("*/uevent",)),
        Values(
            "watchdogs.txt",
            "/sys/class/watchdog",
            ("*/identity", "*/state", "*/status", "*/timeout", "*/timeleft", "*/bootstatus", "*/nowayout"),
        ),
    ),
)
