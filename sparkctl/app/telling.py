"""What a run tells to sinks: put into the outbox with what it stores, and delivered when it is over."""

import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sparkctl.app.alert_events import of_change, of_digest
from sparkctl.app.events import of_outcome, of_report
from sparkctl.app.sink_routes import Routes
from sparkctl.errors import ExitCode, StoreError
from sparkctl.model.alert import AlertChange, AlertDigest
from sparkctl.model.event import Addressed, Told
from sparkctl.model.inventory import Fleet
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reports import RunReport
from sparkctl.model.sink import SinkPlan, Spool
from sparkctl.store.store import Store

if TYPE_CHECKING:
    from sparkctl.app.deliver import Delivered

Say = Callable[[str], None]
"""Says something to people."""


def silent(_words: str) -> None:
    """Say nothing."""


class Telling:
    """The sinks of one run; without any, it does nothing and costs nothing."""

    def __init__(self, plan: SinkPlan, fleet: Fleet) -> None:
        """Raises UsageError for a selector that selects nobody."""
        self._plan = plan
        self._routes = Routes(plan, fleet) if plan.sinks else None

    @property
    def spools(self) -> dict[str, Spool]:
        """How much may wait for each sink."""
        return self._plan.spools

    def of_outcome(self, outcome: NodeOutcome) -> list[Addressed]:
        """What is to be told of a visit."""
        return self._routes.address(of_outcome(outcome), datetime.now(UTC)) if self._routes else []

    def of_report(self, report: RunReport) -> list[Addressed]:
        """What is to be told of a run that is over."""
        return self._routes.address(of_report(report), datetime.now(UTC)) if self._routes else []

    def of_alerts(self, changes: Iterable[AlertChange]) -> list[Addressed]:
        """What is to be told of alerts: to whom any of the nodes of a change matters."""
        if self._routes is None:
            return []
        now = datetime.now(UTC)
        addressed = (self._routes.address(of_change(each), now, each.nodes) for each in changes if each.told)
        return [letter for letters in addressed for letter in letters]

    def of_digest(self, digest: AlertDigest) -> list[Addressed]:
        """A digest for the sinks that want digests."""
        return self._routes.address(of_digest(digest), datetime.now(UTC)) if self._routes else []

    def of_events(self, events: Iterable[Told], nodes: Collection[str]) -> list[Addressed]:
        """Events that somebody else made: to whom any of these nodes matters."""
        if self._routes is None:
            return []
        now = datetime.now(UTC)
        return [letter for event in events for letter in self._routes.address(event, now, nodes)]

    def deliver(self, state: Path, code: ExitCode, give_up_at: float | None, say: Say) -> ExitCode:
        """Deliver what waits, the exit code of the run being `code`; that of the command.

        `give_up_at` (`time.monotonic()`) is when the run's own time is over. It neither raises nor takes longer than it
        may: the run is over and stored, and what is not delivered waits.
        """
        if not self._plan.sinks:
            return code
        # The database is loaded by now; a run that tells nobody need not know how.
        from sparkctl.app.deliver import Pace, asked_after_runs, deliver  # noqa: PLC0415

        names = asked_after_runs(self._plan)
        within_s = self._plan.within_s
        if give_up_at is not None:
            within_s = min(within_s, give_up_at - time.monotonic())
        if within_s <= 0:
            say("no time was left for the sinks: events wait in the outbox; deliver them: sparkctl sinks send")
            return code
        try:
            with Store.open(state, create=False) as store:
                results = deliver(store, self._plan, names, Pace(within_s))
        except StoreError as error:
            say(f"events wait in the outbox, which could not be used: {error.message}")
            return code or ExitCode.SINK_FAILED
        except KeyboardInterrupt:
            say("the delivery was stopped: events wait in the outbox; deliver them: sparkctl sinks send")
            return code
        for result in results:
            for words in words_of(result):
                say(words)
        return code or (ExitCode.SINK_FAILED if any(result.trouble for result in results) else code)


def words_of(result: "Delivered") -> list[str]:
    """What people are to hear of a sink; nothing where it took all."""
    waiting = f"{result.waiting:,} {'event waits' if result.waiting == 1 else 'events wait'}"
    name, why = result.sink, result.tally.why or "it did not say why"
    words = []
    if result.resting_until is not None and result.waiting:
        words.append(
            f"the sink {name} is not asked again before {result.resting_until:%H:%M:%S} UTC ({why}); {waiting}"
        )
    elif result.down:
        words.append(f"the sink {name} did not take events: {why}; {waiting}")
    elif result.tally.failed:
        words.append(f"the sink {name} did not take {result.tally.failed:,} of them yet: {why}; {waiting}")
    elif result.late and result.waiting:
        words.append(f"the sink {name} had not taken all when time was over; {waiting}: sparkctl sinks send")
    gone = result.tally.refused + result.buried
    if gone:
        words.append(f"the sink {name} gave up {gone:,}: {why}; see: sparkctl sinks dead --sink {name}")
    return words
