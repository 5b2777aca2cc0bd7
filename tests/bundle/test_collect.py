"""`sparkctl bundle collect` on the lab: sealed, bounded, resumable, and nothing left behind whatever happens."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.seal_pool import seal_pool
from sparkctl.evidence.reading import opened
from sparkctl.lab.state import Lab
from tests.support.command import environment, json_lines, sparkctl
from tests.support.labs import running_lab
from tests.support.spools import fresh, kept_spools

pytestmark = pytest.mark.slow

CHARACTERS = ("founders", "dell", "down", "lies-truncated", "closes-mid-frame", "killed", "floods-stdout")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collect")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    with running_lab(folder / "lab", len(CHARACTERS), CHARACTERS) as lab:
        yield lab


def collect(lab: Lab, home: Path, *arguments: str | Path, state: Path | None = None) -> tuple[int, list[Any], Any]:
    where = ("--fleet", lab.fleet_file, "--state", state or home / "state", "--timeout", "60")
    ran = sparkctl("bundle", "collect", *arguments, *where, home=home, timeout=300)
    lines = json_lines(ran)
    assert lines, ran.stderr
    return ran.returncode, lines[:-1], lines[-1]


def test_whoever_lies_or_breaks_off_costs_only_itself(lab: Lab, tmp_path: Path) -> None:
    code, records, report = collect(lab, tmp_path, "--out", tmp_path / "out")
    status = {CHARACTERS[int(one["node_id"][-2:]) - 1]: one["status"] for one in records}
    assert status == {
        "founders": "ok",
        "dell": "ok",
        "down": "connect.connection_refused",
        "lies-truncated": "decode.frame_damaged",
        "closes-mid-frame": "run.connection_lost",
        "killed": "run.signal",
        "floods-stdout": "run.stdout_limit",
    }
    assert (code, report["exit_name"]) == (3, "unjudged")
    assert report["selected"] == report["reported"] + report["unreported"] == len(CHARACTERS)
    assert sorted(one["node_id"] for one in report["bundles"]) == ["sim-01", "sim-02"]
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert list((tmp_path / "state/spool").iterdir()) == []


def test_a_run_that_reached_its_size_is_taken_up(lab: Lab, tmp_path: Path) -> None:
    nodes = ("sim-01,sim-02", "--concurrency", "1", "--out", tmp_path)
    code, records, report = collect(lab, tmp_path, *nodes, "--total-size", "1K")
    failures = {one["status"] for one in records}
    assert (code, failures) == (3, {"ok", "schedule.run_size"})
    assert (report["reported"], report["interrupted"]) == (1, True)
    code, records, report = collect(lab, tmp_path, "--resume", "last", "--out", tmp_path)
    assert (code, [one["status"] for one in records], report["reported"]) == (0, ["ok"], 2)


def test_a_signed_bundle_is_verified_by_its_key_alone(lab: Lab, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    code, records, _ = collect(lab, tmp_path, "sim-01", "--out", tmp_path, "--sign", key)
    assert code == 0
    file = records[0]["artifacts"][0]
    good = sparkctl("bundle", "verify", file, "--public-key", f"{key}.pub", home=tmp_path)
    assert (good.returncode, json.loads(good.stdout)["authenticity"]) == (0, "signed")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    bad = sparkctl("bundle", "verify", file, "--public-key", tmp_path / "other.pub", home=tmp_path)
    assert (bad.returncode, bad.stdout) == (4, "")
    asked = sparkctl("health", "--bundle", file, "--public-key", tmp_path / "other.pub", home=tmp_path)
    assert (asked.returncode, asked.stdout) == (4, "")


def test_what_a_bundle_lacks_it_says(lab: Lab, tmp_path: Path) -> None:
    _, records, _ = collect(lab, tmp_path, "sim-01", "--out", tmp_path)
    with opened(Path(records[0]["artifacts"][0])) as bundle:
        assert bundle.about.simulated
        there = {entry.path for entry in bundle.entries()}
        missing = {one.name for one in bundle.missing}
    taken = {f"artefacts/{one['name']}" for one in records[0]["envelope"]["data"]["artefacts"] if one["bytes"]}
    assert len(taken - there) == len({name for name in taken if "SIM" in name.upper()} - there)
    absent = [
        one["name"] for one in records[0]["envelope"]["data"]["artefacts"] if one["status"] in ("absent", "missing")
    ]
    assert set(absent) <= missing


def test_what_sealing_takes_is_counted_with_the_run(lab: Lab, tmp_path: Path) -> None:
    (order,) = kept_spools(lab, tmp_path / "kept", "sim-01")
    with seal_pool() as pool:
        assert (pool.cpu_s, pool.peak_rss_bytes) == (0, 0)
        made = asyncio.run(pool.seal(fresh(order, tmp_path / "first")))
        once = pool.cpu_s
        assert made.path.is_file()
        assert once > 0
        assert pool.peak_rss_bytes > 2**20
        asyncio.run(pool.seal(fresh(order, tmp_path / "second")))
        assert pool.cpu_s > once


def test_ctrl_c_leaves_no_spool_and_no_half_bundle(lab: Lab, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sparkctl", "bundle", "collect", "sim-01,sim-02", "--out", str(tmp_path / "out")]
    command += ["--fleet", str(lab.fleet_file), "--state", str(tmp_path / "state")]
    env = {**environment(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as ran:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "state").glob("spool/*/clean")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(ran.pid, signal.SIGINT)
        out, err = ran.communicate(timeout=60)
    report = json.loads(out.splitlines()[-1])
    assert (ran.returncode, report["interrupted"]) == (3, True), err.decode()
    assert b"Traceback" not in err
    assert list((tmp_path / "state/spool").iterdir()) == []
    assert len(list((tmp_path / "out").iterdir())) == report["reported"]
