"""The sudoers drop-in for `elevation: commands`: the exact commands that the programs declare, nothing else."""

import re
from collections.abc import Sequence

from sparkctl.app.catalogue import catalogue, collector_catalogue, facet_catalogue, source_catalogue
from sparkctl.app.named_collectors import reports_among


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
        if collector.reports:
            continue
        named = " (only when named)" if collector.opt_in else ""
        for argv in collector.elevated:
            wanted.setdefault(argv, []).append(f"artefact {collector.collector}{named}")
    known = elevated_commands()
    return {argv: names for argv, names in sorted(wanted.items()) if argv not in known}


def reporting_commands(named: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """Every argv that lets a tool of another maker report, of those that are named (`sosreport=600`, with a limit).

    Raises UsageError for a name that is none's.
    """
    reports = reports_among(named)
    return {argv: [f"bundle collect --with {name}"] for name, argv in reports.commands.items()}


def sudoers_text(user: str, named: Sequence[str] = ()) -> str:
    """A drop-in for /etc/sudoers.d that allows `user` these commands, without arguments of the caller's choice.

    Reports are among them where they are `named`.
    """
    lines = [
        "# sparkctl: read-only commands for `elevation: commands`, each one exact, without wildcards.",
        "# Install on the node with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/sparkctl",
        f"Defaults:{user} !requiretty",
    ]
    lines += _rules(user, elevated_commands())
    lines += ["#", "# For `sparkctl bundle collect` besides; leave them out where no evidence is to be collected.", "#"]
    lines += _rules(user, collected_commands())
    if reporting := reporting_commands(named):
        lines += ["#", *REPORTING, "#", *_rules(user, reporting)]
    return "\n".join(lines) + "\n"


REPORTING = (
    "# Tools of other makers, each in a service that can write to memory only; asked for with --with.",
    "# A rule holds for the limit of seconds that it was printed with.",
)


def _rules(user: str, commands: dict[tuple[str, ...], list[str]]) -> list[str]:
    lines = []
    for argv, wanted_by in commands.items():
        lines += [f"# {', '.join(wanted_by)}", f"{user} ALL=(root) NOPASSWD: {_command(argv)}"]
    return lines


def _command(argv: tuple[str, ...]) -> str:
    """A command as sudoers(5) wants it: one without arguments would allow all of them, if it did not say so."""
    return " ".join([*map(_escaped, argv), *(['""'] if len(argv) == 1 else [])])


def _escaped(word: str) -> str:
    """A word of a command as sudoers(5) wants it; no word has a wildcard in it."""
    return re.sub(r"([,:=\\ ])", r"\\\1", word)
