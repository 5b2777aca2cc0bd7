"""How much something matters, in the scales of each target; the levels are those of events that sinks are told."""

from dataclasses import dataclass
from enum import StrEnum

from sparkctl.model.vocabulary import Status


class Level(StrEnum):
    """How much an event matters; `unknown` where nobody can tell."""

    INFORMATIONAL = "informational"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scale:
    """One level in every target's scale.

    `syslog` is RFC 5424's severity, which has none for unknown: that is 5 (notice). `cef` is 0 to 10 or a word,
    `leef` 1 to 10. `ocsf` is severity_id with its caption. `otlp` is SeverityNumber, 0 for unspecified. None: left out.
    """

    syslog: int
    cef: str
    leef: int | None
    ocsf: int
    ocsf_caption: str
    otlp: int
    word: str


SCALES: dict[Level, Scale] = {
    Level.INFORMATIONAL: Scale(6, "1", 1, 1, "Informational", 9, "info"),
    Level.WARNING: Scale(4, "5", 5, 3, "Medium", 13, "warning"),
    Level.ERROR: Scale(3, "8", 8, 4, "High", 17, "error"),
    Level.CRITICAL: Scale(2, "10", 10, 5, "Critical", 21, "critical"),
    Level.UNKNOWN: Scale(5, "Unknown", None, 0, "Unknown", 0, "notice"),
}

LEVEL_OF: dict[Status, Level] = {
    Status.PASS: Level.INFORMATIONAL,
    Status.NOT_APPLICABLE: Level.INFORMATIONAL,
    Status.WARN: Level.WARNING,
    Status.FAIL: Level.ERROR,
    Status.UNKNOWN: Level.UNKNOWN,
}
"""What a check's status means as a level."""

SCALE_ROWS: tuple[tuple[Level, str], ...] = (
    (Level.INFORMATIONAL, "a check passed; the node answered; its boot ended as expected"),
    (Level.WARNING, "a check warns; a visit that was cut short"),
    (Level.ERROR, "a check failed; the node did not answer; its boot ended unexpectedly"),
    (Level.CRITICAL, "the node was refused (host key, identity)"),
    (Level.UNKNOWN, "a check could not be evaluated; the node was never visited; how its boot ended is not known"),
)
"""What each level stands for."""
