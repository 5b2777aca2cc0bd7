"""The versions of packages that are wholly installed, as dpkg-query(1) tells them."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.printable import one_line
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

FORMAT = "--showformat=${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Status}\\n"
NONE_FOUND = 1  # dpkg-query's exit status where it knows none of a package


def installed_versions(machine: ActingMachine, names: tuple[str, ...]) -> dict[str, str]:
    """The version by the name that was asked for; those that are not installed are left out. Raises Unevaluated."""
    ran = machine.look(("/usr/bin/dpkg-query", "--show", FORMAT, *names), seconds=10.0)
    if ran.exit_status not in (0, NONE_FOUND):
        raise Unevaluated(UnknownReason.PRECONDITION, f"dpkg-query: {one_line(ran.stderr)[:200]}")
    found: dict[str, str] = {}
    for line in ran.stdout.splitlines():
        package, architecture, version, status = line.split("\t")
        if status == "installed":
            found.update((name, version) for name in names if name in (package, f"{package}:{architecture}"))
    return found
