"""Servers that die, and one that takes hardly anybody."""

from pathlib import Path

import pytest

from tests.chaos.site import Door, Site, Sweep
from tests.support.sshd import Sshd

pytestmark = pytest.mark.slow
NEAR = ("near-1", "near-2")


def test_an_sshd_killed_in_the_sweep_fails_its_own_nodes_only(tmp_path: Path) -> None:
    site, door = Site(tmp_path), Door(tmp_path, "killed")
    with (
        Sshd(tmp_path, addresses=("127.0.0.1", "127.0.0.2"), extra=[site.path]) as near,
        Sshd(tmp_path, addresses=("127.0.0.3", "127.0.0.4"), extra=[site.path, *door.at("127.0.0.3")]) as killed,
    ):
        site.add(near, NEAR)
        site.add(killed, ["killed-1", "killed-2"], racks={"killed-1": "k", "killed-2": "k"})
        with Sweep(tmp_path, "--timeout", "20", "--per-rack", "1") as sweep:
            door.wait("reached", sweep)
            killed.stop()
            result = sweep.end()
    result.assert_all_accounted_for([*NEAR, "killed-1", "killed-2"])
    result.assert_exit()
    result.assert_complete(*NEAR)
    assert result.status("killed-1") == "run.connection_lost"
    assert result.records["killed-1"]["failure"]["attempts"] == 1  # a program is never run twice
    assert result.status("killed-2") == "connect.connection_refused"
    assert result.records["killed-2"]["failure"]["attempts"] == 3


def test_maxstartups_of_one_is_paced_and_whoever_is_left_out_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    crowd = [f"crowd-{number:02}" for number in range(1, 9)]
    addresses = [f"127.0.0.{number}" for number in range(11, 19)]
    with (
        Sshd(tmp_path, addresses=("127.0.0.1", "127.0.0.2"), extra=[site.path]) as near,
        Sshd(tmp_path, addresses=addresses, extra=[site.path], max_startups="1:100:1") as full,
    ):
        site.add(near, NEAR)
        site.add(full, crowd)
        with Sweep(tmp_path, "--timeout", "20", "--concurrency", "14") as sweep:
            result = sweep.end()
        refused = full.log.count("MaxStartups")
    assert refused > 0, "the server had room for everybody: this test proves nothing"
    result.assert_all_accounted_for([*NEAR, *crowd])
    result.assert_exit()
    result.assert_complete(*NEAR)
    served = [name for name in crowd if result.status(name) == "ok"]
    assert served
    result.assert_complete(*served)
    for name in set(crowd) - set(served):
        assert result.status(name) in ("connect.throttled", "connect.connection_lost")
        assert result.records[name]["failure"]["attempts"] == 3
        assert "MaxStartups" in result.records[name]["failure"]["hint"]


def test_a_crowd_before_maxstartups_of_one_comes_through_one_at_a_time(tmp_path: Path) -> None:
    site = Site(tmp_path)
    crowd = [f"crowd-{number:02}" for number in range(1, 5)]
    addresses = [f"127.0.0.{number}" for number in range(11, 15)]
    with Sshd(tmp_path, addresses=addresses, extra=[site.path], max_startups="1:100:1") as full:
        site.add(full, crowd, racks=dict.fromkeys(crowd, "a"))
        with Sweep(tmp_path, "--timeout", "20", "--per-rack", "1") as sweep:
            result = sweep.end()
    result.assert_all_accounted_for(crowd)
    result.assert_complete(*crowd)
