"""Who drives a run of a playbook, so that another process can tell whether that one has ended for certain."""

import json
import os
import socket
from pathlib import Path

from sparkctl.model.printable import printable


def this_process() -> str:
    """This process in words that `has_ended` understands, here or on another bastion."""
    host = printable(socket.gethostname(), 120)
    return json.dumps({"host": host, "pid": os.getpid(), "began": _began(os.getpid()), "boot": _boot()})


def has_ended(holder: str) -> bool:
    """Whether a holder is a process of this machine that is no more. One of another machine is never said to be."""
    try:
        said = json.loads(holder)
        pid, here = int(said["pid"]), bool(said["host"] == printable(socket.gethostname(), 120))
    except (ValueError, KeyError, TypeError):
        return False
    return here and bool(said.get("boot") != _boot() or _began(pid) != said.get("began"))


def told(holder: str) -> str:
    """A holder in words for people."""
    try:
        said = json.loads(holder)
        return f"process {said['pid']} on {said['host']}"
    except (ValueError, KeyError, TypeError):
        return printable(holder, 200)


def _began(pid: int) -> str | None:
    """When a process began, in ticks since the boot; None when there is none of this number (proc(5), field 22)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[19]


def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
