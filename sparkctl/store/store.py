"""The door to the store."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sparkctl.errors import StoreError
from sparkctl.model.contacts import Contacts
from sparkctl.model.event import Addressed
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reports import RunReport
from sparkctl.model.run import RunRecord
from sparkctl.model.sink import Spool
from sparkctl.model.vocabulary import Outcome, Status
from sparkctl.store.entries import (
    FacetSpan,
    Held,
    HistoryEntry,
    Pruned,
    RunEntry,
    RunKind,
    StatusChange,
    Superseded,
    VisitRef,
)
from sparkctl.store.location import make_state_dir
from sparkctl.store.lock import SweepLock, nobody_sweeps
from sparkctl.store.vectors import Vector

if TYPE_CHECKING:
    from sparkctl.store.journal import Journals
    from sparkctl.store.ledger import Ledger
    from sparkctl.store.outbox import Outbox


class Store:
    """Runs, records and changes of one state folder. Use it with `with`, or close it.

    Every method blocks on the disk and may raise StoreError. It may be called from any thread; from asyncio, write
    through `AsyncWriter`.
    """

    def __init__(self, folder: Path, *, create: bool = True, give_up_at: float | None = None) -> None:
        """Open the store of a state folder; with `create`, make both when they are absent.

        Another program's lock is hardly waited for beyond `give_up_at` (`time.monotonic()`).

        A run whose process has died is from now on called interrupted; without `create`, only where that can be
        written. Raises StoreError, with the path and what to do, when the folder or the file cannot be used.
        """
        # SQLAlchemy takes longer to import than `sparkctl --help` may take to answer.
        from sparkctl.store import (  # noqa: PLC0415
            additions,
            alerts,
            contacts,
            database,
            history,
            newest,
            over_time,
            pruning,
            reads,
            seen,
            writes,
        )

        if create:
            make_state_dir(folder)
        self.folder = folder
        self._reads, self._writes, self._additions = reads, writes, additions
        self._history, self._pruning, self._contacts, self._newest = history, pruning, contacts, newest
        self._seen, self._over_time = seen, over_time
        self._database = database.open_database(folder, create=create)
        self._database.give_up_at = give_up_at
        self.alerts = alerts.AlertStore(self._database)
        """What is wrong, what was told of it, and what is muted."""
        try:
            # Whoever only reads must not fail because the disk is full or another program holds the file.
            with contextlib.nullcontext() if create else contextlib.suppress(StoreError):
                self._settle_abandoned_runs()
        except BaseException:
            self.close()
            raise

    def _settle_abandoned_runs(self) -> None:
        if self._reads.any_running(self._database):
            with nobody_sweeps(self.folder) as free:
                if free:
                    self._writes.settle_abandoned(self._database)

    @classmethod
    def open(cls, folder: Path, *, create: bool = True, give_up_at: float | None = None) -> Self:
        """Open the store of a state folder; the same as `Store(folder)`."""
        return cls(folder, create=create, give_up_at=give_up_at)

    def close(self) -> None:
        """Close the database; harmless when it is closed."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin_run(self, lock: SweepLock, start: RunStart, kind: RunKind = RunKind.HEALTH, asked: str = "") -> None:
        """Note that this process has begun a run, which needs the lock of this folder until `finish_run`.

        Raises ValueError when the lock is not held or belongs elsewhere, and when the run is known already.
        """
        self._require(lock)
        self._writes.begin_run(self._database, start, kind, asked)

    def _require(self, lock: SweepLock) -> None:
        if not lock.held or not lock.folder.samefile(self.folder):
            raise ValueError(f"writing in {self.folder} needs the lock of that folder")

    @property
    def outbox(self) -> "Outbox":
        """What waits for sinks."""
        from sparkctl.store.outbox import Outbox  # noqa: PLC0415

        return Outbox(self._database)

    @property
    def journals(self) -> "Journals":
        """Runs of playbooks."""
        from sparkctl.store.journal import Journals  # noqa: PLC0415

        return Journals(self._database)

    @property
    def ledger(self) -> "Ledger":
        """The book of custody."""
        from sparkctl.store.ledger import Ledger  # noqa: PLC0415

        return Ledger(self._database)

    def add(self, outcomes: Sequence[NodeOutcome], letters: Sequence[Addressed] = ()) -> None:
        """Store outcomes, all of them or none; on disk, and the newest of their nodes, when this returns.

        `letters` are what sinks are to be told of them, and are in the outbox then, too.

        Raises ValueError when their run is not running or has a record of one of the nodes already.
        """
        self._additions.add_outcomes(self._database, outcomes, letters)

    def finish_run(
        self, report: RunReport, letters: Sequence[Addressed] = (), spools: Mapping[str, Spool] | None = None
    ) -> None:
        """Store the report and close its run: finished, or interrupted when the report says so.

        `letters` are put into the outbox, which is kept within the bounds of `spools`, by the names of sinks.

        Raises ValueError when the run is not running.
        """
        self._writes.finish_run(self._database, report, letters, spools or {})

    def prune(self, lock: SweepLock, before: datetime) -> Pruned:
        """Let go of old boots, and of the records of runs that began before a moment, but for the last of each node.

        Needs the lock of this folder, as a run does; raises ValueError without it.
        """
        self._require(lock)
        return self._pruning.prune(self._database, before)

    def newest(self, node_id: str, kind: RunKind | None = None) -> RunRecord | None:
        """The record of the last visit to a node, reported or not; None for a node that was never visited."""
        return next(iter(self._reads.last_records(self._database, node_id, kind, 1)), None)

    def newest_visits(
        self, node_ids: Collection[str], kind: RunKind | None = None, *, answered: bool = False
    ) -> dict[str, VisitRef]:
        """The last visit to each node, in runs of one kind or of any; `answered`: in which the node answered."""
        return self._newest.newest_visits(self._database, node_ids, kind, answered=answered)

    def record_of(self, visit: VisitRef) -> RunRecord | None:
        """The record of a visit; None when it has been let go of since."""
        return self._newest.record_of(self._database, visit)

    def records(self, run_id: str) -> Iterator[RunRecord]:
        """The records of a run; none for a run that is not known."""
        return self._reads.records_of(self._database, run_id)

    def history(self, node_id: str, limit: int, kind: RunKind = RunKind.HEALTH) -> list[HistoryEntry]:
        """The last visits to a node in runs of one kind, newest first."""
        return self._history.visits_to(self._database, node_id, kind, limit)

    def spans(self, node_id: str, facet: str) -> list[FacetSpan]:
        """What held of a facet of a node, oldest first; none when it was never read."""
        return self._history.spans_of(self._database, node_id, facet)

    def held(self, facet: str) -> list[Held]:
        """What holds now of a facet over all nodes: each distinct document once, with its nodes."""
        return self._history.held(self._database, facet)

    def collected(self, facet: str) -> set[str]:
        """The nodes of which a facet was ever collected."""
        return self._history.collected(self._database, facet)

    def shared_identifiers(self) -> dict[tuple[str, str], set[str]]:
        """The nodes of each value that no two machines may share and several do now, by the field and the value."""
        return self._history.shared_identifiers(self._database)

    def contacts(self, node_ids: Collection[str]) -> dict[str, list[Contacts]]:
        """The boots in which nodes answered, by node, the newest last."""
        found: dict[str, list[Contacts]] = {}
        for node_id, each in self._contacts.contacts_of(self._database, node_ids):
            found.setdefault(node_id, []).append(each)
        return found

    def oldest_facts(self) -> dict[str, datetime]:
        """By node, when the facet was seen last that was seen longest ago."""
        return self._history.oldest_facts(self._database)

    def past(self, facet: str, node_ids: Collection[str], *, share: int = 1) -> dict[str, list[tuple[int, int]]]:
        """What some nodes had of a facet before, oldest first: the run that first saw it, and the id of the document.

        A `share` of 5 leaves it at what began in the last fifth of all runs. `run_starts` and `facet_documents` say
        what the numbers stand for.
        """
        return self._history.past_of(self._database, facet, node_ids, share=share)

    def run_starts(self, numbers: Collection[int]) -> dict[int, datetime]:
        """When runs began, by the numbers that `past` gives."""
        return self._history.starts_of(self._database, numbers)

    def facet_documents(self, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Facet documents by the ids that `past` gives."""
        return self._history.facet_documents(self._database, ids)

    def runs(self, limit: int, kind: RunKind | None = None) -> list[RunEntry]:
        """The last runs, of one kind or of any, newest first."""
        return self._reads.recent_runs(self._database, limit, kind)

    def running(self) -> list[RunEntry]:
        """The runs that go on, newest first."""
        return self._reads.running_runs(self._database)

    def run(self, run_id: str) -> RunEntry | None:
        """One run, None when it is not known."""
        return self._reads.run_named(self._database, run_id)

    def reported(self, run_id: str) -> Iterator[RunRecord]:
        """The records of the nodes that reported, in this run and in those it took up: the newest of each node."""
        seen: set[str] = set()
        for entry in self._chain(run_id):
            for record in self.records(entry.run_id):
                if record.outcome is Outcome.REPORTED and record.node_id not in seen:
                    seen.add(record.node_id)
                    yield record

    def _chain(self, run_id: str) -> Iterator[RunEntry]:
        known: set[str] = set()
        entry = self.run(run_id)
        while entry is not None and entry.run_id not in known:
            yield entry
            known.add(entry.run_id)
            entry = self.run(entry.resumes) if entry.resumes else None

    def visited(self, run_id: str) -> dict[str, Vector]:
        """How each visit of a run ended, by node; visits that were alike share it."""
        return self._seen.visited(self._database, run_id)

    def verdicts(self, digests: Collection[str]) -> dict[str, dict[str, Status]]:
        """The status of each check in the verdicts that vectors name."""
        return self._seen.verdicts(self._database, digests)

    def superseded(self, run_id: str) -> list[Superseded]:
        """The facets that a run found otherwise than they were before."""
        return self._seen.superseded(self._database, run_id)

    def records_of(self, run_id: str, node_ids: Collection[str]) -> Iterator[RunRecord]:
        """The records of some nodes in a run, as far as they are still there."""
        return self._seen.records_of_nodes(self._database, run_id, node_ids)

    def changes(self, node_id: str) -> list[StatusChange]:
        """Every change of status of every check of a node, oldest first.

        A visit without a report changes nothing; `unknown` is a status like any other.
        """
        return self._history.changes_of(self._database, node_id)

    def late_changes(self, node_ids: Collection[str], since: datetime) -> Iterator[tuple[str, StatusChange]]:
        """Every change of status of some nodes in runs that began since a moment, the newest run first."""
        return self._over_time.late_changes(self._database, node_ids, since)

    def runs_with_records(self, kind: RunKind, since: datetime) -> list[tuple[int, datetime, int]]:
        """The runs of one kind since a moment, oldest first: number, start, and of how many nodes there is a record."""
        return self._over_time.runs_with_records(self._database, kind, since)

    def visits_of_runs(self, node_ids: Collection[str], numbers: Sequence[int]) -> Iterator[tuple[str, VisitRef]]:
        """The newest visit of each node in some runs, by the numbers of `runs_with_records`, oldest first."""
        return self._over_time.visits_of_runs(self._database, node_ids, numbers)

    def record_texts(self, numbers: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """Records by the numbers of their visits, as JSON; those that were let go of since are left out."""
        return self._over_time.record_texts(self._database, numbers)

    def last_records(self, node_id: str, kind: RunKind, limit: int) -> list[RunRecord]:
        """The records of the last visits to a node in runs of one kind, newest first."""
        return self._reads.last_records(self._database, node_id, kind, limit)

    def recorded_nodes(self, run_id: str) -> set[str]:
        """The nodes of which a run has stored a visit so far."""
        return self._over_time.recorded_nodes(self._database, run_id)
