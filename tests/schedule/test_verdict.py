"""Which runs did their work, and which did not."""

from pathlib import Path

import pytest

from sparkctl.app.schedule_child import Ended
from sparkctl.app.schedule_judge import why_failed
from sparkctl.app.schedule_run import splay_of
from sparkctl.model.schedule import Coverage
from tests.schedule.plans import plan_of

HALF = Coverage(selected=4, reported=2, unreported=2)


@pytest.mark.parametrize(
    ("ended", "coverage", "words"),
    [
        (Ended(0, late=False, killed=False, report=None), HALF, None),
        (Ended(1, late=False, killed=False, report=None), HALF, None),
        (Ended(3, late=True, killed=False, report=None), HALF, None),
        (Ended(4, late=False, killed=False, report=None), HALF, None),
        (Ended(3, late=False, killed=False, report=None), Coverage(selected=4, reported=1, unreported=3), "too few"),
        (Ended(0, late=False, killed=False, report=None), None, "without a report"),
        (Ended(2, late=False, killed=False, report=None), None, "2 (usage)"),
        (Ended(70, late=False, killed=False, report=None), HALF, "70 (internal)"),
        (Ended(99, late=False, killed=False, report=None), None, "exit code 99"),
        (Ended(-9, late=False, killed=False, report=None), None, "signal 9"),
        (Ended(-15, late=True, killed=False, report=None), None, "deadline"),
        (Ended(-9, late=True, killed=True, report=None), HALF, "killed"),
    ],
)
def test_runs_over_nodes(tmp_path: Path, ended: Ended, coverage: Coverage | None, words: str | None) -> None:
    why = why_failed(plan_of(tmp_path).schedules["sweep"], ended, coverage)
    assert (why is None) if words is None else (why is not None and words in why)


def test_a_run_over_no_nodes_has_no_report(tmp_path: Path) -> None:
    prune = plan_of(tmp_path, "  p: {every: 1h, run: store prune, with: {days: 3}}\n").schedules["p"]
    assert why_failed(prune, Ended(0, late=False, killed=False, report=None), None) is None
    assert why_failed(prune, Ended(1, late=False, killed=False, report=None), None) is not None


@pytest.mark.parametrize(("code", "failed"), [(0, False), (1, False), (3, False), (4, False), (2, True), (70, True)])
def test_a_page_is_written_whatever_it_tells(tmp_path: Path, code: int, failed: bool) -> None:
    page = plan_of(tmp_path, "  p: {every: 1h, run: report, with: {html: www/fleet.html}}\n").schedules["p"]
    assert page.writes_to == (tmp_path / "www",)
    assert (why_failed(page, Ended(code, late=False, killed=False, report=None), None) is not None) is failed


def test_splay_is_of_the_host_and_the_schedule(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "  a: {every: 1h, run: health, splay: 5m}\n  b: {every: 1h, run: health, splay: 0s}\n")
    a, b = plan.schedules["a"], plan.schedules["b"]
    splays = {splay_of(a, f"bastion{number}") for number in range(200)}
    assert len(splays) > 100
    assert min(splays) >= 0
    assert max(splays) <= 300
    assert splay_of(a, "bastion1") == splay_of(a, "bastion1")
    assert splay_of(b, "bastion1") == 0
