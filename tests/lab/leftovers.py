"""Which processes still belong to a lab."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def processes_of(directory: Path) -> list[str]:
    """Command lines of processes that serve the lab or were started by it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes().split(b"\0")
            serves = b"sparkctl.lab.serve" in words and str(directory).encode() in words
            if serves or f"SPARKCTL_LAB={directory}".encode() in environment:
                found.append(b" ".join(words).decode("utf-8", "replace"))
    return found


def eventually(true: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether it becomes true; how long that takes does not matter."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
