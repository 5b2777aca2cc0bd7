"""The sudoers drop-in for `elevation: commands`: the exact commands that the programs declare, nothing else."""

import re

from sparkctl.app.catalogue import catalogue, collector_catalogue, facet_catalogue, source_catalogue


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


def collected_commands() -> dict[tuple[str, ...], list[str]]:
    """Every argv that collectors of a bundle want to run as root beyond those, with the collectors that want it."""
    wanted: dict[tuple[str, ...], list[str]] = {}
    for collector in collector_catalogue():
        named = " (only when named)" if collector.opt_in else ""
        for argv in collector.elevated:
            wanted.setdefault(argv, []).append(f"artefact {collector.collector}{named}")
    known = elevated_commands()
    return {argv: names for argv, names in sorted(wanted.items()) if argv not in known}


def sudoers_text(user: str) -> str:
    """A drop-in for /etc/sudoers.d that allows `user` these commands, without arguments of the caller's choice."""
    lines = [
        "# sparkctl: read-only commands for `elevation: commands`, each one exact, without wildcards.",
        "# Install on the node with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/sparkctl",
        f"Defaults:{user} !requiretty",
    ]
    lines += _rules(user, elevated_commands())
    lines += ["#", "# For `sparkctl bundle collect` besides; leave them out where no evidence is to be collected.", "#"]
    lines += _rules(user, collected_commands())
    return "\n".join(lines) + "\n"


def _rules(user: str, commands: dict[tuple[str, ...], list[str]]) -> list[str]:
    lines = []
    for argv, wanted_by in commands.items():
        lines += [f"# {', '.join(wanted_by)}", f"{user} ALL=(root) NOPASSWD: {_command(argv)}"]
    return lines


def _command(argv: tuple[str, ...]) -> str:
    """A command as sudoers(5) wants it: one without arguments would allow all of them, if it did not say so."""
    return " ".join([*map(_escaped, argv), *(['""'] if len(argv) == 1 else [])])


def _escaped(word: str) -> str:
    """A word of a command as sudoers(5) wants it; checks and sources have no white space and no wildcards in theirs."""
    return re.sub(r"([,:=\\])", r"\\\1", word)
