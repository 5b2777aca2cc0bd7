"""The file of schedules: defaults, and mistakes with their places."""

from pathlib import Path

import pytest

from sparkctl.app.schedule_file import examine, read_plan, schedule_file
from sparkctl.app.schedule_options import RUNS
from sparkctl.app.schedule_run import arguments_of, run_schedule
from sparkctl.app.schedule_units import writable
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.schedule import DOING, MARGIN_S
from sparkctl.model.schedule_times import PERIODS
from tests.schedule.plans import plan_of, write_plan


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    sweep = plan.schedules["sweep"]
    assert (plan.state, plan.fleet, plan.prom) == (tmp_path / "state", tmp_path / "fleet.yaml", None)
    assert plan.heartbeats == tmp_path / "state" / "schedules"
    assert (sweep.splay_s, sweep.deadline_s, sweep.max_age_s) == (90, 630, 2700)
    assert sweep.quiet_on == {"ok", "findings", "unjudged"}


READING = """
  d: {at: "06:30", run: alerts digest, with: {since: 7d}}
  p: {every: 1h, run: report, with: {html: x.html}}
  m: {every: 1h, run: export, selector: rack=a1, with: {as: prometheus, output: m.prom}}
"""


def test_of_every_command_that_may_be_scheduled_it_is_known_what_it_does() -> None:
    assert RUNS.keys() == DOING.keys()


def test_what_only_reads_waits_for_nobody(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, READING, "sinks: sinks.yaml\n")
    assert [(one.does.locks, one.does.asks) for one in plan.schedules.values()] == [(False, False)] * 3
    export = arguments_of(plan, plan.schedules["m"], 100)
    assert export[:3] == ["export", "--format", "jsonl"]
    output = str(tmp_path / "m.prom")
    assert export[-6:] == ["--output", output, "--fleet", str(tmp_path / "fleet.yaml"), "--", "rack=a1"]
    arguments = arguments_of(plan, plan.schedules["d"], 100)
    assert (arguments[:2], arguments[-1]) == (["alerts", "digest"], "--send")
    assert arguments[arguments.index("--sinks") + 1] == str(tmp_path / "sinks.yaml")
    assert arguments[arguments.index("--since") + 1] == "7d"


@pytest.mark.parametrize("period", PERIODS)
def test_the_defaults_of_every_period_leave_time_to_end_in(tmp_path: Path, period: str) -> None:
    sweep = plan_of(tmp_path, f"  s: {{every: {period}, run: health}}\n").schedules["s"]
    assert sweep.splay_s + sweep.deadline_s + MARGIN_S <= PERIODS[period] * 60
    assert sweep.max_age_s >= PERIODS[period] * 60 + sweep.splay_s + sweep.deadline_s


def test_options_become_arguments_and_nothing_else_does(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "  s:\n    every: 1h\n    run: collect\n    selector: ['rack=a1 & !spark03', --help]\n"
        "    with: {facet: [firmware, os], timeout: 2m}\n",
    )
    assert arguments_of(plan, plan.schedules["s"], 100) == [
        "collect", "--format", "jsonl", "--state", str(tmp_path / "state"), "--timeout", "120", "--facet", "firmware",
        "--facet", "os", "--fleet", str(tmp_path / "fleet.yaml"), "--deadline", "100", "--", "rack=a1 & !spark03",
        "--help",
    ]  # fmt: skip


def test_sinks_are_told_of_a_scheduled_run_and_can_be_sent_to_by_the_clock(tmp_path: Path) -> None:
    both = "  s: {every: 1h, run: health}\n  out: {every: 5m, run: sinks send, with: {sink: [siem]}}\n"
    plan = plan_of(tmp_path, both, "sinks: conf/sinks.yaml\n")
    for name in ("s", "out"):
        arguments = arguments_of(plan, plan.schedules[name], 100)
        assert arguments[arguments.index("--sinks") + 1] == str(tmp_path / "conf/sinks.yaml")
    assert arguments_of(plan, plan.schedules["out"], 100)[:2] == ["sinks", "send"]
    assert arguments_of(plan, plan.schedules["out"], 100)[-2:] == ["--within", "100"]
    assert [one.does.locks for one in plan.schedules.values()] == [True, False]
    assert "--sinks" not in arguments_of(plan_of(tmp_path, both), plan.schedules["s"], 100)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/sinks.yaml").write_text("version: 1\nsinks:\n  f: {url: 'file:///var/log/spark/e.jsonl'}\n")
    assert Path("/var/log/spark") in writable(plan, plan.schedules["s"])


@pytest.mark.parametrize(
    ("schedules", "place", "words"),
    [
        ("  Sweep: {every: 15m, run: health}\n", "4: schedules.Sweep", "no name"),
        ("  s: {every: 7m, run: health}\n", "4: schedules.s.every", "must be one of 5m"),
        ("  s: {every: 5m, at: 03:10, run: health}\n", "4: schedules.s", "one of `every` and `at`"),
        ("  s: {at: 24:00, run: health}\n", "4: schedules.s.at", "a time of the UTC day"),
        ("  s: {at: 3:10, run: health}\n", "4: schedules.s.at", "must be a time"),
        ("  s: {at: 03:10, days: [mon, fry], run: health}\n", "4: schedules.s.days", "must be one of mon"),
        ("  s: {every: 1h, days: mon, run: health}\n", "4: schedules.s.days", "goes with `at`"),
        ("  s: {every: 1h, run: rm -rf /}\n", "4: schedules.s.run", "must be one of health"),
        ("  s: {every: 1h}\n", "4: schedules.s", "`run` is missing"),
        ("  s:\n    every: 5m\n    run: health\n    deadline: 5m\n", "7: schedules.s.deadline", "longer than"),
        ("  s: {every: 5m, run: health, deadline: 5s}\n", "4: schedules.s.deadline", "from 30s to 24h"),
        ("  s: {every: 1h, run: health, max_age: 1h}\n", "4: schedules.s.max_age", "longer than period"),
        ("  s: {every: 1h, run: health, with: {timeout: 0s}}\n", "4: schedules.s.with.timeout", "from 1s to 1h"),
        ("  s: {every: 1h, run: health, with: {days: 3}}\n", "4: schedules.s.with.days", "unknown key"),
        ("  s: {every: 1h, run: store prune}\n", "4: schedules.s.run", "needs `with: {days: ...}`"),
        ("  s: {every: 1h, run: store prune, selector: all, with: {days: 3}}\n", "4: schedules.s.selector", "no nodes"),
        ("  s: {every: 1h, run: report}\n", "4: schedules.s.run", "needs `with: {html: ...}`"),
        ("  s: {every: 1h, run: report, with: {html: a.html, max_age: 5s}}\n", "4: schedules.s.with.max_age", "90m"),
        ("  s: {every: 1h, run: bundle collect, with: {out: 'a b'}}\n", "4: schedules.s.with.out", "must be a path"),
        ("  s: {every: 1h, run: bundle collect, with: {out: '%t'}}\n", "4: schedules.s.with.out", "must be a path"),
        ("  s: {every: 1h, run: health, with: {shard: 4/3}}\n", "4: schedules.s.with.shard", "shard"),
        ("  s: {every: 1h, run: collect, with: {facet: [os, oss]}}\n", "4: schedules.s.with.facet", "oss"),
        ("  s: {at: 03:10, days: mon, run: health, deadline: 2d}\n", "4: schedules.s.deadline", "to 24h"),
        ("  s: {every: 1h, run: health, min_coverage: 101%}\n", "4: schedules.s.min_coverage", "from 0 to 100"),
        ("  s: {every: 1h, run: health}\n  s: {every: 2h, run: health}\n", "5: schedules.s", "already on line 4"),
        ("  s: 1h\n", "4: schedules.s", "must be a mapping"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place(tmp_path: Path, schedules: str, place: str, words: str) -> None:
    path = write_plan(tmp_path, schedules)
    plan, problems = examine(path)
    assert plan is None
    assert any(problem.sentence.startswith(f"{path}:{place}") and words in problem.message for problem in problems)
    with pytest.raises(UsageError):
        read_plan(path)


@pytest.mark.parametrize(
    ("top", "key", "words"),
    [
        ("user: 'root; id'\n", "user", "name of a user"),
        ("mailto: 'a@b\\n* * * * * root id'\n", "mailto", "one mail address"),
        ("log: {size: 1K}\n", "log.size", "from 64K"),
        ("log: {keep: 0}\n", "log.keep", "from 1"),
        ("prom: /x%y\n", "prom", "must be a path"),
        ("colour: red\n", "colour", "unknown key"),
    ],
)  # fmt: skip
def test_mistakes_above_the_schedules(tmp_path: Path, top: str, key: str, words: str) -> None:
    _, problems = examine(write_plan(tmp_path, top=top))
    assert [(problem.key, words in problem.message) for problem in problems] == [(key, True)]


@pytest.mark.parametrize("content", ["", "- a\n", "version: 1\nstate: s\n", "version: 1\nschedules: {}\n", "a: [\n"])
def test_files_that_are_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text(content)
    assert examine(path)[0] is None
    with pytest.raises(UsageError, match=str(path)):
        read_plan(path)


@pytest.mark.parametrize(("user", "error"), [("nobody", RefusedError), ("no-such-user", UsageError)])
def test_another_user_than_the_plans_runs_nothing(tmp_path: Path, user: str, error: type[Exception]) -> None:
    plan = plan_of(tmp_path, top=f"user: {user}\n")
    with pytest.raises(error, match=user):
        run_schedule(plan, "sweep", now=True)
    assert not plan.state.exists()


def test_paths_begin_at_the_file_and_may_go_up(tmp_path: Path) -> None:
    folder = tmp_path / "schedules"
    folder.mkdir()
    path = write_plan(folder, top="fleet: ../fleet.yaml\n")
    found = schedule_file(folder / "../schedules" / path.name, {})
    assert found == path
    assert read_plan(found).fleet == tmp_path / "fleet.yaml"


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="there is no"):
        schedule_file(None, {})
    path = write_plan(tmp_path)
    assert schedule_file(None, {}) == path
    assert schedule_file(None, {"SPARKCTL_SCHEDULES": "/a"}) == Path("/a")
    assert schedule_file(Path("/b"), {"SPARKCTL_SCHEDULES": "/a"}) == Path("/b")
