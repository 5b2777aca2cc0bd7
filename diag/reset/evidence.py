"""What sources bring and rules judge: things seen, each bound to a boot or to none, and which sources were read.

A source never judges. It says what it saw, of which boot, and how much of it was there to be seen: only what was read
whole lets a rule take "nothing of that kind" for an absence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from diag.nodekit.printable import printable
from diag.reset.words import SourceState

MAX_EXCERPT = 300
MAX_VALUE = 120


@dataclass(frozen=True)
class Seen:
    """One thing that was seen.

    `boot_id` is the boot it belongs to (dashed), None where it could not be bound. `at_s` is in seconds since that
    boot began. `count` is how often it was seen; the rest then tells of the last one. `binds` holds fingerprints of
    kernel messages (see `fingerprint`) for what is bound later, by the messages it holds.
    """

    source: str
    kind: str
    locator: str
    excerpt: str
    boot_id: str | None = None
    at_s: float | None = None
    value: str | None = None
    count: int = 1
    binds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boot:
    """One boot as its journal has it: times in seconds by its own monotonic clock, `last_real` by the clock of the day.

    `starts` is when it began by the clock of the day: once for each time that clock was set while it ran.

    `first_sequence` and `last_sequence` are journald's numbers of its entries, which go on from boot to boot whatever
    the clock says. From `whole_since_s` on every entry was read up to its end, 0 for all of them, None where it is not
    known that any two followed each other. `head`: whether every entry of its start was read. `kernel` holds
    fingerprints of its newest kernel messages. `user_space_s` is when user space began, as its first process says once
    the start is over, `first_process_s` when that process first spoke.
    """

    boot_id: str
    last_real: float | None = None
    starts: tuple[float, ...] = ()
    last_s: float | None = None
    first_sequence: int | None = None
    last_sequence: int | None = None
    whole_since_s: float | None = None
    head: bool = False
    kernel: tuple[str, ...] = ()
    user_space_s: float | None = None
    first_process_s: float | None = None


@dataclass(frozen=True)
class Report:
    """What one source brought. `detail` says why it was not read (whole); `cause` is the reason code for that."""

    source: str
    state: str
    detail: str | None = None
    cause: str | None = None
    seen: tuple[Seen, ...] = ()
    boots: tuple[Boot, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Plain values, for the pipe between processes."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Report:
        """The report of a document that `as_document` made."""
        seen = tuple(Seen(**{**part, "binds": tuple(part["binds"])}) for part in document["seen"])
        boots = tuple(
            Boot(**{**part, "kernel": tuple(part["kernel"]), "starts": tuple(part["starts"])})
            for part in document["boots"]
        )
        return cls(**{**document, "seen": seen, "boots": boots})

    @property
    def is_read(self) -> bool:
        """Whether what is not here was not there."""
        return self.state == SourceState.READ


def excerpt(text: str) -> str:
    """A line as it goes into a proof: printable and short."""
    return printable(" ".join(text.split()), MAX_EXCERPT)


def fingerprint(at_us: int, text: str) -> str:
    """What identifies a kernel message across logs: its time in microseconds since boot and its words, as 10 digits.

    Two boots of one machine print the same words, but not at the same microsecond.
    """
    return hashlib.blake2b(f"{at_us} {text.strip()}".encode(), digest_size=5).hexdigest()


@lru_cache(maxsize=64)
def dashed(boot_id: str) -> str | None:
    """A boot id with dashes, None for what is none."""
    digits = boot_id.strip().replace("-", "").lower()
    if len(digits) != 32 or any(digit not in "0123456789abcdef" for digit in digits):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def last_of(seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """One of each kind, source and boot: the last by its time, with how many there were."""
    kept: dict[tuple[str, str, str | None], Seen] = {}
    for one in seen:
        key = (one.source, one.kind, one.boot_id)
        before = kept.get(key)
        count = one.count + (before.count if before else 0)
        last = one if before is None or (one.at_s or 0.0) >= (before.at_s or 0.0) else before
        kept[key] = Seen(**{**last.__dict__, "count": count})
    return tuple(kept.values())
