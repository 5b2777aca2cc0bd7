"""What a schedule remembers, and what it leaves for others to read."""

import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.app.schedule_memory import Keeper
from sparkctl.contract.outside import complaints
from sparkctl.errors import BusyError, UsageError
from sparkctl.model.schedule import Coverage, Heartbeat, ScheduleOutcome, Skips
from tests.schedule.plans import plan_of

NOON = datetime(2026, 3, 29, 12, 0, 3, tzinfo=UTC)


def keeper_in(folder: Path, schedules: str = "  sweep: {every: 15m, run: health}\n", top: str = "") -> Keeper:
    plan = plan_of(folder, schedules, top)
    keeper = Keeper(plan, next(iter(plan.schedules.values())))
    keeper.prepare()
    return keeper


def heartbeat(**changes: object) -> Heartbeat:
    whole = Heartbeat(
        name="sweep", host="bastion", run="health", selector="all", period_s=900, max_age_s=2700, due_at=NOON,
        started_at=NOON, finished_at=NOON + timedelta(seconds=20), outcome=ScheduleOutcome.DONE, exit_code=1,
        exit_name="findings", why=None, run_id="r1", coverage=Coverage(selected=4, reported=3, unreported=1),
        completeness=0.9, interrupted=False, skips=Skips(), last_done_at=NOON,
    )  # fmt: skip
    return whole.model_copy(update=changes)


def test_a_start_is_taken_once(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path)
    assert keeper.take(NOON) == NOON.replace(second=0)
    assert keeper.take(NOON + timedelta(minutes=14)) is None
    assert keeper.take(NOON + timedelta(minutes=15)) == NOON.replace(minute=15, second=0)


def test_a_start_before_the_first_is_nobodys_loss_and_a_later_one_is_made_up(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path, "  prune: {at: 03:10, run: store prune, with: {days: 3}}\n")
    assert keeper.take(NOON) is None
    taken = keeper.take(NOON.replace(day=30, hour=3, minute=12))
    assert taken == datetime(2026, 3, 30, 3, 10, tzinfo=UTC)
    assert keeper.take(datetime(2026, 4, 2, 9, 0, tzinfo=UTC)) == datetime(2026, 4, 2, 3, 10, tzinfo=UTC)


def test_a_clock_that_was_ahead_stops_nothing(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path)
    assert keeper.take(NOON.replace(year=2036)) is not None
    assert keeper.take(NOON) == NOON.replace(second=0)
    assert keeper.take(NOON) is None


def test_a_broken_memory_costs_one_start_at_most(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path)
    keeper.take(NOON)
    (tmp_path / "state/schedules/sweep.memory").write_text("{")
    assert keeper.take(NOON) is not None
    assert keeper.take(NOON) is None


def _take(keeper: Keeper, queue: "multiprocessing.Queue[bool]") -> None:
    queue.put(keeper.take(NOON) is not None)


def test_of_many_at_once_one_takes_the_start(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    queue: multiprocessing.Queue[bool] = context.Queue()
    keeper = keeper_in(tmp_path)
    processes = [context.Process(target=_take, args=(keeper, queue)) for _ in range(8)]
    for process in processes:
        process.start()
    taken = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sum(taken) == 1


def test_only_one_runs(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path)
    with keeper.running(), pytest.raises(BusyError, match="sweep"), keeper_in(tmp_path).running():
        pytest.fail("two hold the lock")
    with keeper.running():
        pass


def test_skips_are_counted_and_shown_until_a_run_ends(tmp_path: Path) -> None:
    (tmp_path / "prom").mkdir()
    keeper = keeper_in(tmp_path, top="prom: prom\n")
    prom = tmp_path / "prom" / "sparkctl_sweep.prom"
    keeper.skipped(NOON, "busy")
    assert keeper.heartbeat() is None  # a skip is no sign of life
    assert 'skips_in_a_row{schedule="sweep"} 1' in prom.read_text()
    assert keeper.ended(heartbeat()).skips == Skips(in_a_row=0, total=1, last_at=NOON, last_why="busy")
    assert 'skips_in_a_row{schedule="sweep"} 0' in prom.read_text()
    assert keeper.skipped(NOON, "busy again").total == 2
    shown = keeper.heartbeat()
    assert shown is not None
    assert (shown.skips.in_a_row, shown.finished_at) == (1, heartbeat().finished_at)
    assert [path.name for path in prom.parent.iterdir()] == [prom.name]
    assert prom.stat().st_mode & 0o777 == 0o644


def test_the_heartbeat_is_as_published(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path)
    keeper.ended(heartbeat())
    content = keeper.heartbeat_path.read_bytes()
    assert list(complaints(content)) == []
    assert json.loads(content)["coverage"] == {"selected": 4, "reported": 3, "unreported": 1}


def test_the_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    (tmp_path / "prom").mkdir()
    keeper_in(tmp_path, top="prom: prom\n").ended(heartbeat())
    lines = (tmp_path / "prom/sparkctl_sweep.prom").read_text().splitlines()
    for kept, kind, sample in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        name = kept.split()[2]
        assert kept.startswith("# HELP sparkctl_schedule_")
        assert kind in (f"# TYPE {name} gauge", f"# TYPE {name} counter")
        assert kind.endswith("counter") == name.endswith("_total")
        assert sample.startswith(f'{name}{{schedule="sweep"}} ')
        float(sample.split()[-1])
        assert len(sample.split()) == 2  # no time stamp, which the textfile collector refuses
    assert 'sparkctl_schedule_nodes_reported{schedule="sweep"} 3' in lines
    assert f'sparkctl_schedule_last_done_timestamp_seconds{{schedule="sweep"}} {int(NOON.timestamp())}' in lines


def test_what_is_no_heartbeat_is_said_to_be_none(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path)
    keeper.heartbeat_path.write_text('{"schema":"sparkctl.schedule-heartbeat/1"}')
    with pytest.raises(UsageError, match="no heartbeat"):
        keeper.heartbeat()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    keeper = keeper_in(tmp_path, top="prom: nowhere\n")
    with pytest.raises(UsageError, match=r"nowhere/sparkctl_sweep\.prom cannot be written"):
        keeper.ended(heartbeat())
