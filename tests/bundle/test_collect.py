"""`sparkctl bundle collect` on the lab: sealed, bounded, resumable, and nothing left behind whatever happens."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.seal_pool import seal_pool
from sparkctl.evidence.reading import opened
from sparkctl.lab.state import Lab
from tests.support.command import environment, json_lines, sparkctl
from tests.support.labs import running_lab
from tests.support.spools import spooled

pytestmark = pytest.mark.slow

CHARACTERS = ("founders", "dell", "down", "lies-truncated", "closes-mid-frame", "killed", "floods-stdout")
NODE_SECONDS = "180"
REPORT = "nvidia-bug-report"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collect")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    with running_lab(folder / "lab", len(CHARACTERS), CHARACTERS, seconds=3600) as lab:
        yield lab


@dataclass(frozen=True)
class Swept:
    """What became of a run over one good node and those that lie or break off, in a folder; `key` signed it."""

    folder: Path
    key: Path
    code: int
    records: list[Any]
    report: Any

    @property
    def good(self) -> Any:
        """The record of the good node."""
        return next(one for one in self.records if one["artifacts"])


@pytest.fixture(scope="module")
def swept(lab: Lab, folder: Path) -> Swept:
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    out = folder / "out"
    return Swept(folder, key, *collect(lab, folder, "all&!sim-02", "--out", out, "--sign", key, "--with", REPORT))


def collect(lab: Lab, home: Path, *arguments: str | Path) -> tuple[int, list[Any], Any]:
    where = ("--fleet", lab.fleet_file, "--state", home / "state", "--timeout", NODE_SECONDS)
    ran = sparkctl("bundle", "collect", *arguments, *where, home=home, timeout=600)
    lines = json_lines(ran)
    assert lines, ran.stderr
    return ran.returncode, lines[:-1], lines[-1]


def test_whoever_lies_or_breaks_off_costs_only_itself(swept: Swept) -> None:
    status = {CHARACTERS[int(one["node_id"][-2:]) - 1]: one["status"] for one in swept.records}
    assert status == {
        "founders": "ok",
        "down": "connect.connection_refused",
        "lies-truncated": "decode.frame_damaged",
        "closes-mid-frame": "run.connection_lost",
        "killed": "run.signal",
        "floods-stdout": "run.stdout_limit",
    }
    report = swept.report
    assert (swept.code, report["exit_name"]) == (3, "unjudged")
    assert report["selected"] == report["reported"] + report["unreported"] == len(CHARACTERS) - 1
    assert [one["node_id"] for one in report["bundles"]] == ["sim-01"]
    assert len(list((swept.folder / "out").iterdir())) == 1
    assert list((swept.folder / "state/spool").iterdir()) == []


def test_a_run_that_reached_its_size_is_taken_up(lab: Lab, tmp_path: Path) -> None:
    nodes = ("sim-01,sim-02", "--concurrency", "1", "--out", tmp_path)
    code, records, report = collect(lab, tmp_path, *nodes, "--total-size", "1K")
    failures = {one["status"] for one in records}
    assert (code, failures) == (3, {"ok", "schedule.run_size"})
    assert (report["reported"], report["interrupted"]) == (1, True)
    code, records, report = collect(lab, tmp_path, "--resume", "last", "--out", tmp_path)
    assert (code, [one["status"] for one in records], report["reported"]) == (0, ["ok"], 2)


def test_a_signed_bundle_is_verified_by_its_key_alone(swept: Swept, tmp_path: Path) -> None:
    file = swept.good["artifacts"][0]
    good = sparkctl("bundle", "verify", file, "--public-key", f"{swept.key}.pub", home=tmp_path)
    assert (good.returncode, json.loads(good.stdout)["authenticity"]) == (0, "signed")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    bad = sparkctl("bundle", "verify", file, "--public-key", tmp_path / "other.pub", home=tmp_path)
    assert (bad.returncode, bad.stdout) == (4, "")
    asked = sparkctl("health", "--bundle", file, "--public-key", tmp_path / "other.pub", home=tmp_path)
    assert (asked.returncode, asked.stdout) == (4, "")


def test_a_report_that_is_named_is_made_and_sealed(swept: Swept) -> None:
    with opened(Path(swept.good["artifacts"][0])) as bundle:
        assert f"artefacts/report/{REPORT}/{REPORT}.log" in {entry.path for entry in bundle.entries()}


def test_what_a_bundle_lacks_it_says(swept: Swept) -> None:
    with opened(Path(swept.good["artifacts"][0])) as bundle:
        assert bundle.about.simulated
        there = {entry.path for entry in bundle.entries()}
        missing = {one.name for one in bundle.missing}
    artefacts = swept.good["envelope"]["data"]["artefacts"]
    taken = {f"artefacts/{one['name']}" for one in artefacts if one["bytes"] and one["kind"] != "archive"}
    assert len(taken - there) == len({name for name in taken if "SIM" in name.upper()} - there)
    absent = [one["name"] for one in artefacts if one["status"] in ("absent", "missing")]
    assert absent
    assert set(absent) <= missing


def test_what_sealing_takes_is_counted_with_the_run(tmp_path: Path) -> None:
    first, second = (spooled(tmp_path / name, [], {"group/one": b"good\n"}) for name in ("first", "second"))
    with seal_pool() as pool:
        assert (pool.cpu_s, pool.peak_rss_bytes) == (0, 0)
        made = asyncio.run(pool.seal(first))
        once = pool.cpu_s
        assert made.path.is_file()
        assert once > 0
        assert pool.peak_rss_bytes > 2**20
        asyncio.run(pool.seal(second))
        assert pool.cpu_s > once


def test_ctrl_c_leaves_no_spool_and_no_half_bundle(lab: Lab, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sparkctl", "bundle", "collect", "sim-01,sim-02", "--out", str(tmp_path / "out")]
    command += ["--fleet", str(lab.fleet_file), "--state", str(tmp_path / "state")]
    env = {**environment(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as ran:
        deadline = time.monotonic() + 180
        while not list((tmp_path / "state").glob("spool/*/clean")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(ran.pid, signal.SIGINT)
        out, err = ran.communicate(timeout=180)
    report = json.loads(out.splitlines()[-1])
    assert (ran.returncode, report["interrupted"]) == (3, True), err.decode()
    assert b"Traceback" not in err
    assert list((tmp_path / "state/spool").iterdir()) == []
    assert len(list((tmp_path / "out").iterdir())) == report["reported"]
