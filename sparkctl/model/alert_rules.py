"""The rules of alerting: what is held down and how long, what is flapping, what is one alert, what is muted when."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sparkctl.model.alert import AlertKind, AlertSeverity
from sparkctl.model.facets.paths import Path, covers, from_text
from sparkctl.model.schedule_times import Times


@dataclass(frozen=True, slots=True)
class Hold:
    """How long something must be so before it counts: for so many visits in a row, or for so many seconds."""

    visits: int | None = 1
    seconds: float | None = None

    def over(self, visits: int, seconds: float) -> bool:
        """Whether it was so long enough."""
        enough = self.visits is not None and visits >= self.visits
        return enough or (self.seconds is not None and seconds >= self.seconds)


@dataclass(frozen=True, slots=True)
class HoldRule:
    """What holds for a severity of checks (`warn`), a kind of alert (`unreported`) or a pattern of checks (`gpu.*`)."""

    match: str
    telling: Hold = Hold()
    recovery: Hold = Hold()


@dataclass(frozen=True, slots=True)
class Flapping:
    """A score counts changes and halves in `half_life_s`; from `above` on it is flapping, below `calm_below` calm."""

    above: float = 4.0
    calm_below: float = 1.0
    half_life_s: float = 6 * 3600.0

    def decayed(self, score: float, seconds: float) -> float:
        """A score after a time; a clock that went backwards adds nothing."""
        return float(score * 0.5 ** (max(seconds, 0.0) / self.half_life_s))


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window that comes again, in UTC."""

    name: str
    selector: str
    times: Times
    length: timedelta
    reason: str

    def at(self, now: datetime) -> tuple[datetime, datetime] | None:
        """Begin and end of the window that is open now."""
        begins = self.times.latest(now)
        return (begins, begins + self.length) if now < begins + self.length else None


HOLDS = (
    HoldRule(AlertSeverity.WARN.value, Hold(2)),
    HoldRule(AlertKind.UNKNOWN.value, Hold(2)),
    HoldRule(AlertKind.UNREPORTED.value, Hold(2)),
)
"""What is held down where the rules file says nothing; all else is told at once."""

HOLD_WORDS = (*(severity.value for severity in AlertSeverity),
              *(kind.value for kind in AlertKind if kind is not AlertKind.CHECK))  # fmt: skip
"""The words that a hold may be for; any other is a pattern of checks."""

WATCHED = (
    "drivers.nvidia.version", "drivers.nvidia.userspace", "os.kernel.running", "os.dgx.version",
    "firmware.bios.version", "firmware.esrt.*.version", "firmware.nics.*.version", "firmware.drives.*",
    "firmware.gpus.*.vbios", "firmware.tpm.version",
)  # fmt: skip
"""Fields of facets whose changes are told where the rules file says nothing."""


@dataclass(frozen=True, slots=True)
class AlertRules:
    """All rules; what is not said has its default.

    From `roll_up_nodes` nodes on that became so in the same way within `roll_up_window_s` they share one alert.
    """

    holds: tuple[HoldRule, ...] = HOLDS
    flapping: Flapping = Flapping()
    roll_up_nodes: int = 3
    roll_up_window_s: float = 12 * 3600.0
    watched: tuple[Path, ...] = field(default_factory=lambda: tuple(from_text(each) for each in WATCHED))
    ignored: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()

    def hold_of(self, kind: AlertKind, subject: str, severity: AlertSeverity) -> HoldRule:
        """The rule for an alert: the first pattern that its check matches, else that of its severity or kind."""
        of_check = kind in (AlertKind.CHECK, AlertKind.UNKNOWN)
        word = severity.value if kind is AlertKind.CHECK else kind.value
        plain = None
        for rule in self.holds:
            if rule.match in HOLD_WORDS:
                plain = rule if rule.match == word else plain
            elif of_check and fnmatchcase(subject, rule.match):
                return rule
        return plain or HoldRule(word)

    def ignores(self, check: str) -> bool:
        """Whether nothing is to be told of a check."""
        return any(fnmatchcase(check, pattern) for pattern in self.ignored)

    def watches(self, path: Path) -> bool:
        """Whether changes of a field are told: it is watched, or something below it is."""
        return any(covers(pattern, path) or covers(pattern[: len(path)], path) for pattern in self.watched)
