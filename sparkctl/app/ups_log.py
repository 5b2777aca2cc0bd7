"""When a UPS was on battery, by its log file: what NUT's `upslog` writes, or the messages of `upsmon` in a syslog."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.model.contacts import Outage
from sparkctl.model.printable import printable

MAX_BYTES = 64 * 1024 * 1024
# `upslog` by its own default format: date, time, charge, voltage, load, [status], temperature, frequency. In the status
# OB is on battery, OL on line.
_UPSLOG = re.compile(r"^(\d{8}) (\d{6}) .*\[([A-Z ]+)\]")
# `upsmon` in a log with ISO times, as journald and rsyslog write them.
_UPSMON = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) .*upsmon.*UPS \S+ (on battery|on line power)")


def read_outages(path: Path) -> list[Outage]:
    """The times on battery, oldest first; raises UsageError for a file that cannot be read or holds no such line.

    Times without a zone are taken for UTC.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"the UPS log {path} cannot be read: {error.strerror}") from error
    changes = [change for line in text.splitlines() if (change := _change(line)) is not None]
    if not changes:
        raise UsageError(
            f"the UPS log {printable(str(path))} has no line that tells whether the UPS was on battery",
            hint="give the file that NUT's upslog writes, or a syslog with ISO times and the messages of upsmon",
        )
    return _outages(changes)


def _change(line: str) -> tuple[datetime, bool] | None:
    """When, and whether the UPS was on battery."""
    try:
        if (found := _UPSLOG.match(line)) is not None:
            when = datetime.strptime(f"{found[1]}{found[2]}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            return when, "OB" in found[3].split()
        if (found := _UPSMON.match(line)) is not None:
            when = datetime.fromisoformat(found[1])
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC), found[2] == "on battery"
    except (ValueError, OverflowError):
        return None
    return None


def _outages(changes: list[tuple[datetime, bool]]) -> list[Outage]:
    found: list[Outage] = []
    since: datetime | None = None
    for when, on_battery in changes:
        if on_battery and since is None:
            since = when
        elif not on_battery and since is not None:
            found.append(Outage(since, when))
            since = None
    return found if since is None else [*found, Outage(since, None)]
