"""Read the lists of packages anew; one source that cannot be read, or whose signature is wrong, fails the act."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.apt_sources import believed_unsigned
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Verdict, holds, lacks, ready
from diag.nodekit.package_locks import lock_holder

LISTS = "/var/lib/apt/lists"
STAMP = "/var/lib/apt/periodic/update-success-stamp"


def argv(asked: Asked) -> Argv:  # noqa: ARG001 - the same for all
    """The one command; apt-get(8), apt.conf(5): any failure is an error, and there is none that is passed over."""
    return (
        "/usr/bin/apt-get", "update", "--option=APT::Update::Error-Mode=any", "--option=DPkg::Lock::Timeout=600",
        "--option=Acquire::Retries=2", "--no-allow-insecure-repositories",
    )  # fmt: skip


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:  # noqa: ARG001 - as every controller
    """Every source is one whose signature is asked for."""
    unsigned = believed_unsigned(machine)
    if unsigned:
        raise Refused("unsigned_source", f"no signature vouches for {unsigned[0]}")
    return ready("the lists can be read anew", lists=len(_lists(machine)), lock_holder=lock_holder(machine))


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:  # noqa: ARG001 - as every controller
    """There are lists, and each was signed."""
    names = _lists(machine)
    if not names:
        return lacks("no_lists", f"there are no signed lists in {LISTS}")
    return holds(f"{len(names)} sources have a signed list", lists=len(names))


def _lists(machine: ActingMachine) -> list[str]:
    return [name for name in machine.names(LISTS) if name.endswith(("InRelease", "Release.gpg"))]


CONTROLLER = Controller(
    "Read the lists of packages anew",
    {},
    precheck,
    argv,
    postcheck,
    longest_s=1200,
    no_undo="the lists before are gone, and nothing that is installed has changed",
    environment=("LC_ALL=C.UTF-8",),
)
