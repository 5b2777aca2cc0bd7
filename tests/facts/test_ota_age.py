"""The verdict over a release rests on facts that are young enough, where the operator says how young."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sparkctl.contract.outside import complaints
from tests.facets.test_ota_score import ON_2604, ota
from tests.support.command import sparkctl
from tests.support.facts import DAY_ONE, facet, remember

TODAY = (datetime.now(UTC) - DAY_ONE).days + 1
PACKAGES_OF_2607 = {"dgx-release": "7.5.0", "dgx-oobe": "1.2-1", "nv-limits": "25.10-1"}


def facts(**installed: Any) -> dict[str, Any]:
    return {"ota": facet(json.loads(ota(**installed).model_dump_json()))}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text("nodes: ['spark[01-03]']\n")
    remember(tmp_path / "state", TODAY - 10, {"spark01": facts(packages=PACKAGES_OF_2607)})
    remember(tmp_path / "state", TODAY, {"spark02": facts(packages={**ON_2604["packages"], "nv-limits": "25.10-1"})})
    return tmp_path


def run(site: Path, *options: str) -> Any:
    return sparkctl("ota", "--fleet", site / "fleet.yaml", "--state", site / "state", *options, home=site)


@pytest.mark.parametrize("options", [(), ("--max-age", "30d")])
def test_facts_within_the_age_are_judged(site: Path, options: tuple[str, ...]) -> None:
    ran = run(site, "spark01", *options)
    assert (ran.returncode, json.loads(ran.stdout)["stale"]) == (1, []), ran.stderr


def test_older_facts_are_stale_and_judge_nobody(site: Path) -> None:
    ran = run(site, "--max-age", "36h")
    report = json.loads(ran.stdout)
    assert list(complaints(ran.stdout.encode())) == []
    assert (ran.returncode, report["exit_name"], report["max_age_s"]) == (3, "unjudged", 36 * 3600)
    assert (report["stale"], report["uncollected"]) == (["spark01"], ["spark03"])
    assert [state["nodes"] for state in report["states"]] == [["spark02"]]
    assert run(site, "spark01", "--max-age", "36h").returncode == 3


def test_people_read_that_facts_are_stale_and_what_to_do(site: Path) -> None:
    ran = run(site, "spark01", "--max-age", "1w", "--format", "human")
    assert "stale" in ran.stdout
    assert "spark01" in ran.stdout
    assert "sparkctl collect --facet ota" in ran.stdout
    assert "Torn" not in ran.stdout


@pytest.mark.parametrize("age", ["", "7", "d", "0h", "-1d", "1.5h", "7 d", "٣d", "99999999w", "9999999999d"])
def test_an_age_that_is_none_is_refused(site: Path, age: str) -> None:
    ran = run(site, "--max-age", age)
    assert (ran.returncode, "--max-age" in ran.stderr, "Traceback" in ran.stderr) == (2, True, False)
