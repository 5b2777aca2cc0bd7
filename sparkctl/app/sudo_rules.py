"""The sudoers drop-in for `elevation: commands`: the exact commands that the programs declare, nothing else."""

import re

from sparkctl.app.catalogue import catalogue, facet_catalogue, source_catalogue


def elevated_commands() -> dict[tuple[str, ...], list[str]]:
    """Every argv that a check, a facet or a source wants to run as root, with those that want it."""
    wanted: dict[tuple[str, ...], list[str]] = {}
    for entry in catalogue():
        for argv in entry.elevated:
            wanted.setdefault(argv, []).append(entry.check)
    for facet in facet_catalogue():
        for argv in facet.elevated:
            wanted.setdefault(argv, []).append(f"facet {facet.facet}")
    for source in source_catalogue():
        for argv in source.elevated:
            wanted.setdefault(argv, []).append(f"reset-reason {source.source}")
    return dict(sorted(wanted.items()))


def sudoers_text(user: str) -> str:
    """A drop-in for /etc/sudoers.d that allows `user` these commands, without arguments of the caller's choice."""
    lines = [
        "# sparkctl: read-only commands for `elevation: commands`, each one exact, without wildcards.",
        "# Install on the node with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/sparkctl",
        f"Defaults:{user} !requiretty",
    ]
    for argv, checks in elevated_commands().items():
        lines += [f"# {', '.join(checks)}", f"{user} ALL=(root) NOPASSWD: {' '.join(map(_escaped, argv))}"]
    return "\n".join(lines) + "\n"


def _escaped(word: str) -> str:
    """A word of a command as sudoers(5) wants it; checks and sources have no white space and no wildcards in theirs."""
    return re.sub(r"([,:=\\])", r"\\\1", word)
