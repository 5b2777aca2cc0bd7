"""The logs of a simulated node for its bundle: journal by journalctl, text logs, sign-ins; all from the same story."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sparkctl.lab.node_model import NodeModel
from sparkctl.lab.reset_journal import SECOND, Lived, Said, listed
from sparkctl.lab.reset_lines import ADMIN, DESK
from sparkctl.lab.tree import Tree

JOURNALCTL = ("/usr/bin/journalctl", "--no-pager", "--quiet", "--output=json")
UNITS = tuple(
    f"{name}.service"
    for name in (
        "docker",
        "containerd",
        "nvidia-persistenced",
        "dgx-dashboard",
        "fwupd",
        "NetworkManager",
        "kdump-tools",
    )
)
NO_BOOT = "Data from the specified boot ({boot}) is not available: No such boot ID in journal\n"
LAST = ("last", "-x", "-w", "-F", "-i", "-n", "1000")
LASTB = ("/usr/bin/lastb", "-w", "-F", "-i", "-n", "500")
ERROR = 3  # syslog(3)
Entry = dict[str, Any]
Kept = list[tuple[Lived, str]]


def add_journal_recordings(tree: Tree, kept: Kept) -> None:
    """What journalctl prints for the collectors, newest first; `kept` are boots with their export, oldest first."""
    by_boot = {place + 1 - len(kept): text for place, (_, text) in enumerate(kept)}
    tree.record_long((*JOURNALCTL, "--list-boots"), "newest-boots.txt", listed([lived for lived, _ in kept]))
    for boot in (0, -1):
        _record(tree, (f"--boot={boot}", "--reverse"), boot, by_boot, _any)
    for boot in (-1, -2):
        _record(tree, ("--dmesg", f"--boot={boot}", "--reverse"), boot, by_boot, _of_the_kernel)
    errors = _newest(by_boot.values(), lambda entry: int(entry["PRIORITY"]) <= ERROR)
    tree.record_long((*JOURNALCTL, "--priority=err", "--lines=2000", "--reverse"), "newest-errors.txt", errors)
    services = _newest(by_boot.values(), lambda entry: entry.get("_SYSTEMD_UNIT") in UNITS)
    units = tuple(f"--unit={unit}" for unit in UNITS)
    tree.record_long((*JOURNALCTL, "--lines=3000", "--reverse", *units), "newest-services.txt", services)


def _record(
    tree: Tree, words: tuple[str, ...], boot: int, by_boot: dict[int, str], wanted: Callable[[Entry], bool]
) -> None:
    if boot in by_boot:
        kind = "kernel" if "--dmesg" in words else "all"
        tree.record_long((*JOURNALCTL, *words), f"newest-{kind}{boot}.txt", _newest([by_boot[boot]], wanted))
    else:
        tree.record_for_root((*JOURNALCTL, *words), rc=1, stderr=NO_BOOT.format(boot=boot))


def _any(_entry: Entry) -> bool:
    return True


def _of_the_kernel(entry: Entry) -> bool:
    return bool(entry["_TRANSPORT"] == "kernel")


def _newest(exports: Iterable[str], wanted: Callable[[Entry], bool]) -> str:
    rows = [row for text in exports for row in text.splitlines() if wanted(json.loads(row))]
    return "".join(f"{row}\n" for row in reversed(rows))


def add_text_logs(tree: Tree, node: NodeModel, running: Lived) -> list[str]:
    """What rsyslog wrote of the running boot, and the kernel's own log; returns what only root may read."""
    lines = list(_as_syslog(node, running))
    logs = {
        "/var/log/syslog": [line for _, line in lines],
        "/var/log/kern.log": [line for said, line in lines if said.line.writer.identifier == "kernel"],
        "/var/log/auth.log": [line for said, line in lines if said.line.writer.identifier in ("sshd", "sudo")],
    }
    limits = {"/var/log/syslog": 2**20, "/var/log/kern.log": 2**20, "/var/log/auth.log": 2**20}
    for path, rows in logs.items():
        tree.files[path] = "".join(rows)
        tree.record_long(("/usr/bin/tail", "-c", str(limits[path] + 1), path), f"{path[9:]}.txt", "".join(rows))
    dmesg = [
        f"{_moment(running, said).isoformat(timespec='microseconds')} {said.line.message}\n" for said in running.kernel
    ]
    tree.record_long(("/usr/bin/dmesg", "--time-format=iso"), "dmesg.txt", "".join(dmesg))
    return list(logs)


def _as_syslog(node: NodeModel, lived: Lived) -> Iterator[tuple[Said, str]]:
    for said in lived.journal:
        writer = said.line.writer
        process = "" if writer.pid is None else f"[{writer.pid}]"
        when = _moment(lived, said).isoformat(timespec="microseconds")
        yield said, f"{when} {node.name} {writer.identifier}{process}: {said.line.message}\n"


def _moment(lived: Lived, said: Said) -> dt.datetime:
    return dt.datetime.fromtimestamp(lived.clock(said.arrived / SECOND), dt.UTC)


def add_sign_ins(tree: Tree, boots: list[Lived]) -> None:
    """What `last` prints of the boots in wtmp, newest first, and a sign-in that failed."""
    rows = []
    for lived in reversed(boots):
        began = dt.datetime.fromtimestamp(lived.began, dt.UTC).ctime()
        end = "still running" if lived is boots[-1] else "- crash" if lived.boot.shutdown is None else "- down"
        rows.append(f"{ADMIN:<8} pts/0        {DESK:<16} {began}   gone - no logout\n" if lived is boots[-1] else "")
        rows.append(f"reboot   system boot  {lived.release:<16} {began}   {end}\n" if lived.boot.in_wtmp else "")
    rows.append(f"\nwtmp begins {dt.datetime.fromtimestamp(boots[0].began, dt.UTC).ctime()}\n")
    tree.record_long(LAST, "last.txt", "".join(rows))
    failed = dt.datetime.fromtimestamp(boots[-1].began + 3600, dt.UTC).ctime()
    tree.record_long(LASTB, "lastb.txt", f"oracle   ssh:notty    198.51.100.77    {failed} - {failed}  (00:00)\n")
