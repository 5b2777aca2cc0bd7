"""Where packages come from and which version wins; with its caches switched off, APT writes none."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

NO_CACHE = ("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")
FILES = ("sources.list", "sources.list.d/*", "preferences", "preferences.d/*", "apt.conf", "apt.conf.d/*")
COLLECTOR = Collector(
    "Sources, priorities and settings of APT",
    Volatility.STATE,
    (
        Values("sources.txt", "/etc/apt", FILES),
        Command("policy.txt", ("apt-cache", *NO_CACHE, "policy"), 8.0, 128 * KIB),
    ),
)
