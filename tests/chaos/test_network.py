"""Wires that are slow, lose packets, or are cut: the nodes behind them are named, and nobody else notices."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.network import Namespace, NodeSshd
from tests.chaos.site import Door, Site, Sweep
from tests.support.sshd import Sshd

pytestmark = pytest.mark.slow
NEAR = ("near-1", "near-2")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Two healthy nodes nearby."""
    site = Site(tmp_path)
    with Sshd(tmp_path, addresses=("127.0.0.1", "127.0.0.2"), extra=[site.path]) as server:
        site.add(server, NEAR)
        yield site


@contextlib.contextmanager
def far_node(site: Site, name: str, door: Door | None = None, **wire: tuple[float, float]) -> Iterator[Namespace]:
    """A node of this name in a namespace."""
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(Namespace(**wire))
        extra = (site.path, *(door.at(node.address) if door else ()))
        site.add(stack.enter_context(NodeSshd(site.folder, node, extra)), [name])
        yield node


def test_delay_and_loss_cost_time_and_no_result(site: Site) -> None:
    with (
        far_node(site, "far", impaired=(0.1, 0.0)) as far,
        far_node(site, "lossy", impaired=(0.1, 0.05)) as lossy,
        Sweep(site.folder, "--timeout", "60") as sweep,
    ):
        result = sweep.end()
        impairments = far.impairment(), lossy.impairment()
    assert "loss 5%" in impairments[1] or ("relay" in impairments[1] and "relay, 0" not in impairments[1])
    result.assert_all_accounted_for([*NEAR, "far", "lossy"])
    result.assert_exit()
    result.assert_complete(*NEAR, "far", "lossy")
    for name in ("far", "lossy"):
        # One way and back for the TCP connection, and at least one more for the SSH version.
        assert result.records[name]["visit"]["stages_ms"]["connect"] >= 100, impairments


def test_a_partition_costs_its_node_the_deadline_of_the_stage_it_is_in(site: Site) -> None:
    """One node is cut off from the beginning, the other in its run."""
    door = Door(site.folder, "run")
    with (
        far_node(site, "early") as early,
        far_node(site, "run", door) as run,
    ):
        early.cut()
        with Sweep(site.folder, "--timeout", "10") as sweep:
            door.wait("reached", sweep)
            run.cut()
            door.open()
            result = sweep.end()
    result.assert_all_accounted_for([*NEAR, "early", "run"])
    result.assert_exit()
    result.assert_complete(*NEAR)
    assert result.status("early") in ("connect.timeout", "connect.unreachable")
    assert result.status("run") == "run.timeout"
    assert result.records["run"]["failure"]["attempts"] == 1
    assert result.report["interrupted"] is False


def test_a_partition_that_heals_is_overcome_and_loses_nothing(site: Site) -> None:
    """One node is cut off while it is connected to, the other in its run."""
    door = Door(site.folder, "run")
    with far_node(site, "early") as early, far_node(site, "run", door) as run:
        early.cut()
        with Sweep(site.folder, "--timeout", "60") as sweep:
            assert set(sweep.until_shown(2)) == set(NEAR)
            early.heal()
            door.wait("reached", sweep)
            run.cut()
            door.open()
            door.wait("done", sweep)
            assert sweep.process.poll() is None
            run.heal()
            result = sweep.end()
    result.assert_all_accounted_for([*NEAR, "early", "run"])
    result.assert_exit()
    result.assert_complete(*NEAR, "early", "run")
