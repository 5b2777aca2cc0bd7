"""What this process took of memory."""

import re
import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")
_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_rss_bytes() -> int:
    """The most that was resident of this program so far.

    The kernel's `ru_maxrss` also counts what the process was before it became this program: on a child of a large
    program it is the size of its parent (getrusage(2): the value is kept across execve).
    """
    try:
        found = _HIGH_WATER.search(_STATUS.read_text(encoding="ascii"))
    except OSError:
        found = None
    return 1024 * (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
