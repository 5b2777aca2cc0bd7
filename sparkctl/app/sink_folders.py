"""The folders that sinks write to on this machine, which a unit of systemd must be told."""

from pathlib import Path

from sparkctl.app.places import SINKS_NAME
from sparkctl.app.sink_file import examine

_OF_SCHEME = {"file": lambda path: path.parent, "prometheus": lambda path: path}


def written_folders(sinks: Path | None, fleet: Path) -> set[Path]:
    """Those of a file of sinks, by default the one beside an inventory; none where it cannot be read."""
    path = sinks or fleet.parent / SINKS_NAME
    plan = examine(path)[0] if path.is_file() else None
    if plan is None:
        return set()
    addresses = (sink.address for sink in plan.sinks.values())
    return {_OF_SCHEME[one.scheme](Path(one.path)) for one in addresses if one.scheme in _OF_SCHEME}
