"""What a bundle takes only when it is named, and what the reports among it need: seconds, bytes, and rights."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparkctl.app.catalogue import CollectorEntry, collector_catalogue
from sparkctl.errors import UsageError
from sparkctl.inventory.ranges import fold
from sparkctl.model.inventory import Node
from sparkctl.model.vocabulary import Elevation

LEAST_SECONDS, MOST_SECONDS = 10, 1800
_NAMED = re.compile(r"([a-z][a-z0-9_.-]{0,79})(?:=([0-9]{1,6}))?")


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports of tools of other makers: by the words that ask for them the argv that makes each, as root.

    `seconds` are what they add to the time of a node, since they are made side by side; `bytes` what they may bring.
    """

    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: float = 0.0
    bytes: int = 0

    @property
    def names(self) -> list[str]:
        """The words that ask for them."""
        return list(self.commands)

    def require(self, nodes: Sequence[Node]) -> None:
        """Raise UsageError unless every node allows commands as root."""
        refusing = [node.node_id for node in nodes if node.elevation is Elevation.NONE]
        if not self.commands or not refusing:
            return
        words = f"{', '.join(self.names)} runs as root, which {fold(refusing)} does not allow (elevation: none)"
        options = " ".join(f"--with {name}" for name in self.names)
        hint = f"set elevation: commands there, with the rules of: sparkctl sudoers {options}; or select other nodes"
        raise UsageError(words, hint=hint)


NO_REPORTS = Reports()


def reports_among(named: Sequence[str]) -> Reports:
    """The reports among these names; raises UsageError for a name or a limit that no node would take."""
    if not named:
        return NO_REPORTS
    limits = dict(map(_parsed, named))
    if len(limits) < len(named):
        raise UsageError(f"--with names one thing twice: {' '.join(named)}")
    known = {entry.called: entry for entry in collector_catalogue()}
    wanted = ", ".join(name for name, entry in known.items() if entry.opt_in)
    if unknown := sorted(limits.keys() - known.keys()):
        raise UsageError(f"there is no collector {', '.join(unknown)}", hint=f"only taken when named are: {wanted}")
    for name, seconds in limits.items():
        _require_limit(known[name], seconds)
    typed = {word.partition("=")[0]: word for word in named}
    return _reports(
        {typed[one.called]: one for one in collector_catalogue(named) if one.reports and one.called in typed}
    )


def _parsed(word: str) -> tuple[str, int | None]:
    match = _NAMED.fullmatch(word)
    if match is None:
        raise UsageError(f"--with {word!r} is no name", hint="write --with sosreport, or --with sosreport=600")
    return match[1], int(match[2]) if match[2] else None


def _require_limit(entry: CollectorEntry, seconds: int | None) -> None:
    if seconds is None:
        return
    if not entry.reports:
        raise UsageError(f"--with {entry.called}={seconds}: only a report has a limit", hint="leave the seconds out")
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        words = f"--with {entry.called}={seconds}: a limit is from {LEAST_SECONDS} to {MOST_SECONDS} seconds"
        raise UsageError(words, hint=f"without one it is {entry.takes[0].seconds:g}")


def _reports(entries: Mapping[str, CollectorEntry]) -> Reports:
    takes = [take for entry in entries.values() for take in entry.takes]
    return Reports(
        commands={name: entry.elevated[0] for name, entry in entries.items()},
        seconds=max((take.longest for take in takes), default=0.0),
        bytes=sum(take.limit for take in takes),
    )
