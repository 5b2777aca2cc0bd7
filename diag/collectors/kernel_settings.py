"""Settings of the running kernel, without those that are keys to whoever is root: TCP fast open, IPv6 addresses."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

WITHOUT_KEYS = (
    "^(debug|dev|fs|kernel|user|vm|net[.](core[.]([a-mo-z]|netdev_[a-qs-z])|netfilter|unix"
    "|ipv4[.]([a-su-z]|tcp_[a-eg-z])))"
)
IPV6 = ("*/accept_ra", "*/addr_gen_mode", "*/autoconf", "*/disable_ipv6", "*/forwarding", "*/mtu")
COLLECTOR = Collector(
    "Settings of the running kernel (sysctl)",
    Volatility.BOOT,
    (
        Command("sysctl.txt", ("/usr/sbin/sysctl", "--all", "--pattern", WITHOUT_KEYS), limit=256 * KIB),
        Values("ipv6.txt", "/proc/sys/net/ipv6/conf", IPV6, limit=32 * KIB),
    ),
)
