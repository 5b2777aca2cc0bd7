"""The sudoers drop-in for `elevation: commands`: the exact commands that the checks declare, and nothing else."""

from sparkctl.app.catalogue import catalogue


def elevated_commands() -> dict[tuple[str, ...], list[str]]:
    """Every argv that a check wants to run as root, with the checks that want it."""
    wanted: dict[tuple[str, ...], list[str]] = {}
    for entry in catalogue():
        for argv in entry.elevated:
            wanted.setdefault(argv, []).append(entry.check)
    return dict(sorted(wanted.items()))


def sudoers_text(user: str) -> str:
    """A drop-in for /etc/sudoers.d that allows `user` these commands, without arguments of the caller's choice."""
    lines = [
        "# sparkctl: read-only commands for `elevation: commands`, each one exact, without wildcards.",
        "# Install on the node with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/sparkctl",
        f"Defaults:{user} !requiretty",
    ]
    for argv, checks in elevated_commands().items():
        lines += [f"# {', '.join(checks)}", f"{user} ALL=(root) NOPASSWD: {' '.join(argv)}"]
    return "\n".join(lines) + "\n"
