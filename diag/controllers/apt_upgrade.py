"""Bring packages to exact versions, from signed sources, without removing any and without touching what is held."""

from __future__ import annotations

from diag.nodekit.acting import ActingMachine
from diag.nodekit.apt_simulation import changes_in, complaint_in
from diag.nodekit.apt_sources import believed_unsigned
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.dpkg import observe_packages
from diag.nodekit.installed_versions import installed_versions
from diag.nodekit.package_locks import lock_holder, unfinished
from diag.nodekit.parameters import PACKAGE, VERSION, Flag, Pairs
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import UnknownReason

LOCK_SECONDS = 600
SIMULATION_SECONDS = 20.0
INSTALL = (
    "install", "--yes", "--no-remove", "--no-install-recommends", f"--option=DPkg::Lock::Timeout={LOCK_SECONDS}",
    "--option=Dpkg::Options::=--force-confdef", "--option=Dpkg::Options::=--force-confold",
    "--option=Dpkg::Use-Pty=0",
)  # fmt: skip
"""apt-get(8), dpkg(1). Changes of held packages, downgrades and unsigned sources are not allowed: they are errors."""
TARGETS = ("/usr/bin/apt-get", "indextargets", "--format=$(TRUSTED) $(REPO_URI)", "Created-By: Packages")


def argv(asked: Asked) -> Argv:
    """The one command."""
    return ("/usr/bin/apt-get", *INSTALL, *_words(asked))


def _words(asked: Asked) -> Argv:
    return tuple(f"{name}={version}" for name, version in asked.given["packages"].items())


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """The same command, simulated, changes what is asked for and nothing else, from sources that are signed."""
    wanted = asked.given["packages"]
    now = installed_versions(machine, tuple(wanted))
    seen: Seen = {name: now.get(name) for name in wanted}
    if all(now.get(name) == version for name, version in wanted.items()):
        return holds(f"{len(wanted)} packages have these versions", **seen)
    undone = unfinished(machine)
    if undone:
        raise Refused("dpkg_unfinished", f"packages are not wholly installed: {undone}", seen)
    held = sorted(set(observe_packages(machine).held) & set(wanted))
    if held:
        raise Refused("held", f"held by the administrator: {', '.join(held)}", seen)
    _require_signatures(machine, seen)
    more = _simulate(machine, asked, seen)
    holder = lock_holder(machine)
    return ready(f"{len(wanted)} packages can have these versions", **seen, **more, lock_holder=holder)


def _simulate(machine: ActingMachine, asked: Asked, seen: Seen) -> Seen:
    wanted = asked.given["packages"]
    ran = machine.look(("/usr/bin/apt-get", "--simulate", *INSTALL, *_words(asked)), seconds=SIMULATION_SECONDS)
    if ran.exit_status != 0:
        reason, words = complaint_in(ran.stderr + ran.stdout)
        raise Refused(reason, words, seen)
    found = changes_in(ran.stdout)
    if found.removed:
        raise Refused("would_remove", f"{', '.join(found.removed[:5])} would be removed", seen)
    others = sorted(set(found.versions) - set(wanted))
    held = sorted(set(observe_packages(machine).held) & set(others))
    if held:
        raise Refused("held", f"held by the administrator: {', '.join(held)}", seen)
    if others and not asked.given["dependencies"]:
        named = ", ".join(f"{name}={found.versions[name][1]}" for name in others[:5])
        raise Refused("not_in_recipe", f"{len(others)} others would change too: {named}", seen)
    return {"others": len(others), "others_named": ", ".join(others[:20]) or None}


def _require_signatures(machine: ActingMachine, seen: Seen) -> None:
    ran = machine.look(TARGETS, seconds=10.0)
    if ran.exit_status != 0:
        raise Unevaluated(UnknownReason.PRECONDITION, complaint_in(ran.stderr)[1])
    doubtful = [line.partition(" ")[2] for line in ran.stdout.splitlines() if not line.startswith("yes ")]
    unsigned = [*doubtful, *believed_unsigned(machine)]
    if unsigned:
        raise Refused("unsigned_source", f"no signature vouches for {unsigned[0]}", seen)


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """dpkg has exactly these versions."""
    wanted = asked.given["packages"]
    now = installed_versions(machine, tuple(wanted))
    seen: Seen = {name: now.get(name) for name in wanted}
    wrong = [name for name, version in wanted.items() if now.get(name) != version]
    if wrong:
        words = f"{len(wrong)} of {len(wanted)} packages have another version, such as {wrong[0]} {now.get(wrong[0])}"
        return lacks("other_version", words, **seen)
    return holds(f"{len(wanted)} packages have these versions", **seen)


CONTROLLER = Controller(
    "Bring packages to exact versions",
    {
        "packages": Pairs("the version that each package must have", PACKAGE, VERSION, most=80),
        "dependencies": Flag("whether packages that are not named may be installed or brought to other versions too"),
    },
    precheck,
    argv,
    postcheck,
    longest_s=LOCK_SECONDS + 3600,
    no_undo="maintainer scripts changed the system; older versions may be gone from the sources",
    environment=("DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l", "LC_ALL=C.UTF-8"),
)
