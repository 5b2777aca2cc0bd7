"""When a run may begin something: windows open it, freezes shut it; and whether what is to be done fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sparkctl.model.schedule_times import Times

FAR = timedelta(days=400)
"""How far ahead a moment that fits is looked for."""

_STARTS = 2000  # of one window that are looked at, which is more than 400 days of five a day


@dataclass(frozen=True, slots=True)
class OpenTimes:
    """A window that comes again: when it opens (UTC), and how long it is open."""

    name: str
    times: Times
    length: timedelta


@dataclass(frozen=True, slots=True)
class Freeze:
    """A span in which nothing begins, and why."""

    name: str
    begins: datetime
    ends: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The windows and freezes of a site. Without windows every moment is open that no freeze shuts."""

    windows: Sequence[OpenTimes] = ()
    freezes: Sequence[Freeze] = ()

    def shut_at(self, now: datetime) -> Freeze | None:
        """The freeze that holds now."""
        return next((freeze for freeze in self.freezes if freeze.begins <= now < freeze.ends), None)

    def closes(self, now: datetime) -> datetime | None:
        """When what is open now closes; None when nothing is open. Without windows, the next freeze or far away."""
        if self.shut_at(now) is not None:
            return None
        ends = max(self._ends(now), default=None) if self.windows else now + FAR
        if ends is None:
            return None
        return min([ends, *(freeze.begins for freeze in self.freezes if freeze.begins > now)])

    def fits(self, now: datetime, seconds: int) -> bool:
        """Whether something that begins now and takes so long is over before it closes."""
        closes = self.closes(now)
        return closes is not None and now + timedelta(seconds=seconds) <= closes

    def next_fit(self, now: datetime, seconds: int) -> datetime | None:
        """The first moment from now on at which something so long fits; None when there is none within FAR."""
        if self.fits(now, seconds):
            return now
        return next((moment for moment in self._beginnings(now) if self.fits(moment, seconds)), None)

    def _ends(self, now: datetime) -> Iterator[datetime]:
        for window in self.windows:
            ends = window.times.latest(now) + window.length
            if ends > now:
                yield ends

    def _beginnings(self, now: datetime) -> list[datetime]:
        """Moments at which something may become possible, in order."""
        found = [freeze.ends for freeze in self.freezes if freeze.ends > now]
        for window in self.windows:
            found += [moment for moment in window.times.following(now, _STARTS) if moment < now + FAR]
        return sorted(found)
