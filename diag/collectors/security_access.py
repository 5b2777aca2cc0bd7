"""Who may sign in, become root, and how."""

from __future__ import annotations

from diag.nodekit.collector import KIB, Collector, Command, Values, Volatility

COLLECTOR = Collector(
    "Users, groups, sudo by name, and what sshd allows",
    Volatility.STATE,
    (
        Values("users.txt", "/etc", ("passwd", "group", "shells", "login.defs", "securetty"), limit=128 * KIB),
        Command("root_password.txt", ("/usr/bin/passwd", "-S", "root"), limit=4 * KIB, elevate=True),
        Command("sudoers_names.txt", ("/usr/bin/ls", "-1", "/etc/sudoers.d"), limit=16 * KIB, elevate=True),
        Command("sshd.txt", ("/usr/sbin/sshd", "-T"), limit=32 * KIB, elevate=True),
    ),
)
