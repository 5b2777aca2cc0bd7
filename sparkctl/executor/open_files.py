"""How many open files a run needs, checked before it begins, since it would fail half-way without them."""

import resource

from sparkctl.errors import UsageError

# Standard streams, lock, database with its log, event loop, inventory and keys while they are read, and a few visits.
_FOR_ITSELF = 24


def require_open_files(processes: int) -> None:
    """Raise UsageError when this process may open fewer files than a run with so many worker processes needs."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _FOR_ITSELF + processes
    if allowed == resource.RLIM_INFINITY or allowed >= needed:
        return
    raise UsageError(
        f"this shell allows a process {allowed} open files, and a run with --workers {processes} needs about {needed},"
        " and one more for each node that is visited at once",
        hint=f"raise the limit, such as with `ulimit -n 1024`{', or use fewer --workers' if processes > 1 else ''}",
    )
