"""The newest visit to each node, and what is known of it now."""

from datetime import timedelta

from sqlalchemy import Engine, event

from sparkctl.app.standings import standings
from sparkctl.model.fleet_report import RunStart
from sparkctl.model.inventory import Node
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Outcome, Status
from sparkctl.store import Store, SweepLock
from sparkctl.store.entries import RunKind
from tests.store.samples import DIGEST, NOON, begin, report, reported, unreported
from tests.support.facts import facet, facts_record, identity


def sweep(store: Store, lock: SweepLock, run_id: str, *records: RunRecord) -> None:
    begin(store, lock, run_id)
    store.add([NodeOutcome.of(record) for record in records])
    store.finish_run(report(run_id))


def test_the_newest_visit_and_the_newest_answer_are_two_things(store: Store, lock: SweepLock) -> None:
    sweep(store, lock, "r1", reported("r1", "spark01"), reported("r1", "spark02"))
    later = timedelta(seconds=9)
    sweep(store, lock, "r2", unreported("r2", "spark01", after=later))
    newest = store.newest_visits(["spark01", "spark02", "spark03"])
    assert {name: visit.run_id for name, visit in newest.items()} == {"spark01": "r2", "spark02": "r1"}
    assert newest["spark01"].at == NOON.replace(microsecond=0) + timedelta(microseconds=NOON.microsecond) + later
    answered = store.newest_visits(["spark01", "spark02", "spark03"], RunKind.HEALTH, answered=True)
    assert {name: visit.run_id for name, visit in answered.items()} == {"spark01": "r1", "spark02": "r1"}
    assert store.newest_visits(["spark01"], RunKind.RESET) == {}


def test_many_nodes_are_asked_for_at_once(store: Store, lock: SweepLock) -> None:
    names = [f"spark{number:04}" for number in range(1200)]
    sweep(store, lock, "r1", *(reported("r1", name) for name in names))
    assert set(store.newest_visits(names, RunKind.HEALTH, answered=True)) == set(names)


def test_a_standing_has_the_newest_of_each_kind(store: Store, lock: SweepLock) -> None:
    sweep(store, lock, "r1", reported("r1", "spark01", {"disk.space": Status.WARN}))
    store.begin_run(
        lock,
        RunStart(run_id="r2", tool="t", started_at=NOON, selector="all", program_sha256=DIGEST, selected=1),
        RunKind.COLLECT,
    )
    store.add([NodeOutcome.of(facts_record("r2", "spark01", NOON, identity=facet(identity())))])
    store.finish_run(report("r2"))
    sweep(store, lock, "r3", unreported("r3", "spark01"))
    nodes = [Node(node_id=name, origin="fleet.yaml:3") for name in ("spark01", "spark09")]
    known, never = standings(store, nodes)
    assert known.last is not None
    assert (known.last.run_id, known.last.outcome) == ("r3", Outcome.UNREPORTED)
    assert known.health_data is not None
    assert [found.status for found in known.health_data.findings] == [Status.WARN]
    assert set(known.facets) == {"identity"}
    assert known.fact("identity") == known.facets["identity"].document["data"]
    assert known.fact("drivers") == {}
    assert (never.last, never.health, never.reset, dict(never.facets)) == (None, None, None, {})


def test_a_record_that_was_let_go_of_is_absent(store: Store, lock: SweepLock) -> None:
    sweep(store, lock, "r1", reported("r1", "spark01"))
    (visit,) = store.newest_visits(["spark01"]).values()
    sweep(store, lock, "r2", reported("r2", "spark01", {"disk.space": Status.FAIL}))
    store.prune(lock, NOON + timedelta(days=1))
    assert store.record_of(visit) is None


def test_for_whom_there_is_nothing_no_run_is_looked_at(store: Store, lock: SweepLock) -> None:
    for number in range(5):
        sweep(store, lock, f"r{number}", reported(f"r{number}", "spark01"), unreported(f"r{number}", "spark02"))
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = store.newest_visits(["spark01", "spark02", "spark03"], RunKind.HEALTH, answered=True)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert set(found) == {"spark01"}
    assert sum("visits" in statement for statement in asked) == 1
