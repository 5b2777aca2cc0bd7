"""apt-get, dpkg and dpkg-query of a simulated node: one repository, with the failures that faults ask for."""

import time
from pathlib import Path

from sparkctl.lab import node_state
from sparkctl.lab.stand_ins.said import complain, say

SUITE = "DGX:1.0/noble-updates"
NOT_WELL = 100
UPDATE_SECONDS, INSTALL_SECONDS = 0.1, 0.2


def apt_get(folder: Path, arguments: list[str]) -> int:
    """The words of apt-get that acts use."""
    words = [word for word in arguments if not word.startswith("-")]
    if words[0] == "indextargets":
        say("yes https://repo.download.nvidia.com/spark/ubuntu/arm64/")
        return 0
    fault = node_state.facts(folder)["fault"]
    if "--simulate" not in arguments:
        ended = _locked(folder) if fault == "apt-locked" else _failing(fault)
        if ended is not None:
            return ended
    return _update(folder) if words[0] == "update" else _install(folder, words[1:], only="--simulate" in arguments)


def _locked(folder: Path) -> int:
    holder = node_state.facts(folder)["lock_holder"]
    time.sleep(node_state.facts(folder)["lock_seconds"])
    complain(f"E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process {holder[1]} ({holder[0]})")
    return NOT_WELL


def _failing(fault: str | None) -> int | None:
    if fault == "apt-hangs":
        say("Reading package lists...")
        while True:
            time.sleep(60)
    if fault == "apt-fails":
        complain("dpkg: error processing archive (simulated): unable to open '/usr/lib/x.dpkg-new': Input/output error")
        complain("E: Sub-process /usr/bin/dpkg returned an error code (1)")
        return NOT_WELL
    return None


def _update(folder: Path) -> int:
    for number, name in enumerate(("noble", "noble-updates", "spark"), 1):
        say(f"Get:{number} http://repo.example.net {name} InRelease (simulated)")
    time.sleep(UPDATE_SECONDS)
    with node_state.changing(folder) as state:
        state.refreshed += 1
    say("Reading package lists...")
    return 0


def _install(folder: Path, words: list[str], *, only: bool) -> int:
    facts, now = node_state.facts(folder), installed(folder)
    wanted = dict(word.split("=", 1) for word in words)
    for name, version in wanted.items():
        if name not in facts["available"]:
            complain(f"E: Unable to locate package {name}")
            return NOT_WELL
        if version not in facts["available"][name]:
            complain(f"E: Version '{version}' for '{name}' was not found")
            return NOT_WELL
    for name, version in tuple(wanted.items()):
        wanted |= facts["depends"].get(f"{name}={version}", {})
    changed = {name: version for name, version in wanted.items() if now.get(name) != version}
    for name, version in changed.items():
        before = f"[{now[name]}] " if name in now else ""
        say(f"Inst {name} {before}({version} {SUITE} [arm64])" if only else f"Unpacking {name} ({version}) ...")
    if only:
        return 0
    time.sleep(INSTALL_SECONDS)
    with node_state.changing(folder) as state:
        state.packages |= changed
    for name, version in changed.items():
        say(f"Setting up {name} ({version}) ...")
    return 0


def installed(folder: Path) -> dict[str, str]:
    """The version of each installed package."""
    known: dict[str, str] = node_state.facts(folder)["installed"]
    return known | node_state.read(folder).packages


def dpkg_query(folder: Path, arguments: list[str]) -> int:
    """Versions of named packages, in the one form that acts ask for."""
    names, now, status = [word for word in arguments if not word.startswith("-")], installed(folder), 0
    for name in names:
        if name in now:
            say(f"{name}\tarm64\t{now[name]}\tinstalled")
        else:
            complain(f"dpkg-query: no packages found matching {name}")
            status = 1
    return status


def dpkg(folder: Path, arguments: list[str]) -> int:  # noqa: ARG001 - as every stand-in
    """`--audit`: nothing is half installed."""
    return 0
