"""What an operator's file says of sinks, and what a sink says of the events it was given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sparkctl.model.event import EventKind, EventSeverity, Told


class SecretFrom(StrEnum):
    """Where a secret is read from when it is needed; it never stands in a file of ours."""

    FILE = "token_file"
    ENVIRONMENT = "token_env"
    CREDENTIAL = "credential"  # of the unit, by systemd's LoadCredential=


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Which secret, without the secret: a path, the name of a variable, or of a credential."""

    source: SecretFrom
    name: str

    @property
    def words(self) -> str:
        """The reference in words."""
        return {
            SecretFrom.FILE: self.name,
            SecretFrom.ENVIRONMENT: f"the variable {self.name}",
            SecretFrom.CREDENTIAL: f"the credential {self.name}",
        }[self.source]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a sink sends to, as its `url` says; `port` None for the scheme's own, `path` with the query, if any."""

    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""

    @property
    def words(self) -> str:
        """The address for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = host if self.port is None else f"{host}:{self.port}"
        return f"{self.scheme}://{place}{self.path}" if place or self.path else f"{self.scheme}:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Which events a sink gets: kinds, from which severity on, and, with a selector, of which nodes."""

    kinds: frozenset[EventKind]
    min_severity: EventSeverity = EventSeverity.INFO
    selector: str | None = None

    @property
    def words(self) -> str:
        """The choice in words."""
        kinds = ", ".join(kind for kind in EventKind if kind in self.kinds)
        least = f" from {self.min_severity} on" if self.min_severity is not EventSeverity.INFO else ""
        return f"{kinds}{least}" + (f" of {self.selector}" if self.selector else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When an event is given to a sink again, in seconds, and when it is given up.

    The n-th wait is drawn from 0 to `first_s` * 2**n, at most `longest_s`. An event is dead when the sink answered
    `attempts` times and did not take it, or `max_age_s` after it was put here.
    """

    attempts: int = 20
    max_age_s: int = 7 * 86400
    first_s: int = 5
    longest_s: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """How much may wait for a sink, in events and bytes of bodies, and how many seconds delivered events are kept."""

    rows: int = 100_000
    max_bytes: int = 256 * 2**20
    keep_s: int = 2 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """One sink. What a scheme has no use for is at its default; see `sinks/registry.py`.

    `batch` is how many events are sent at once, `timeout_s` how long one answer may take, in seconds.
    """

    name: str
    address: Address
    only: Only
    format: str = "event"
    retry: Retry = field(default_factory=Retry)
    spool: Spool = field(default_factory=Spool)
    batch: int = 100
    timeout_s: float = 10.0
    secret: SecretRef | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxy: str | None = None
    user: str | None = None
    index: str | None = None
    ack: bool = False
    facility: int = 16
    sd_id: str = "sparkctl@32473"
    message: str = "summary"
    max_bytes: int = 8192
    rotate_bytes: int = 64 * 2**20
    rotate_keep: int = 8
    sender: str | None = None
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SinkPlan:
    """A file of sinks, by their names; None where there is none. After a run they have `within_s` seconds together."""

    file: Path | None = None
    within_s: float = 20.0
    sinks: Mapping[str, SinkSettings] = field(default_factory=dict)

    @property
    def spools(self) -> dict[str, Spool]:
        """How much may wait for each."""
        return {name: sink.spool for name, sink in self.sinks.items()}


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event as a sink gets it: `payload` is what it says in the format of the sink, one line of text."""

    told: Told
    payload: str


class Verdict(StrEnum):
    """What a sink did with an event."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # it never will take it
    FAILED = "failed"  # not now; another time it may


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one event, in the words of the far side where it had any."""

    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Down:
    """Why a sink takes nothing at present; `retry_after_s` where it said when to come again."""

    words: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch: a result for each of its first events, in order, and why the rest got none.

    Without `down`, events without a result had no time left. `tried` counts the events that were on their way when the
    sink went down: it is not known what became of them.
    """

    results: Sequence[Result]
    down: Down | None = None
    tried: int = 0
