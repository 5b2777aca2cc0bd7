"""Run one command and say what its whole process tree cost: CPU, wall time, peak memory.

    python -m tests.bench.measure RESULT.json CORE SECONDS COMMAND...

CPU is that of all descendants: this process is a child subreaper, so helpers that detach themselves (such as OpenSSH's
ControlPersist masters) come back here and count. Memory is the sum of the resident sets of the tree, sampled every
0.1 s; pages that processes share count once for each. CORE is the only core that the command may use, or -1 for all.
Linux only, standard library only.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.1
_PR_SET_CHILD_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KILLED = 137


@dataclass(frozen=True)
class Cost:
    """What a command cost: CPU and wall in seconds, the peak of its tree's memory in MiB, its exit status."""

    cpu_s: float
    wall_s: float
    peak_mib: float
    processes: int
    status: int


class Watch(threading.Thread):
    """Samples the descendants of this process until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.processes = 0
        self._stopping = threading.Event()

    def run(self) -> None:
        """Sample."""
        while not self._stopping.wait(SAMPLE_SECONDS):
            pids = descendants()
            self.peak_bytes = max(self.peak_bytes, sum(map(resident_bytes, pids)))
            self.processes = max(self.processes, len(pids))

    def stop(self) -> None:
        """End sampling."""
        self._stopping.set()
        self.join()


def descendants() -> list[int]:
    """All processes below this one."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        with contextlib.suppress(OSError):
            for listing in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    children = [int(pid) for pid in listing.read_text().split()]
                    found += children
                    waiting += children
    return found


def resident_bytes(pid: int) -> int:
    """The resident set of a process; 0 when it is gone."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def end_leftovers() -> None:
    """End and reap what the command left running, so that its CPU counts and its memory is free for the next."""
    for attempt in range(100):
        left = descendants()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if attempt < 50 else signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(0.02)


def measure(command: list[str], core: int, seconds: float) -> Cost:
    """Run the command to its end, at most `seconds` long."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    mine = os.sched_getaffinity(0)
    if core >= 0:
        os.sched_setaffinity(0, {core})
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    os.sched_setaffinity(0, mine - {core} or mine)  # the watch stays off the core that is measured
    watch = Watch()
    watch.start()
    try:
        status = running.wait(seconds)
    except subprocess.TimeoutExpired:
        running.kill()
        status = running.wait() and _KILLED
    wall = time.monotonic() - started
    watch.stop()
    end_leftovers()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, watch.peak_bytes / 2**20, watch.processes, status)


def main() -> None:
    """Measure what the command line says."""
    result, core, seconds, *command = sys.argv[1:]
    cost = measure(command, int(core), float(seconds))
    Path(result).write_text(json.dumps(asdict(cost)), "utf-8")


if __name__ == "__main__":
    main()
