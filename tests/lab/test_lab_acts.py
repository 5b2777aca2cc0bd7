"""Nodes of a lab are changed by the streamed program over SSH, and what changed is seen by every other program."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.lab import control
from sparkctl.lab.node_model import KERNEL, OLDER_KERNEL
from sparkctl.lab.repository import NEXT_KERNEL
from sparkctl.lab.state import Lab, Pace
from sparkctl.model.health import HealthData
from sparkctl.model.reset import ResetData
from sparkctl.model.vocabulary import Elevation
from tests.lab.conftest import StartLab
from tests.lab.leftovers import eventually, processes_of
from tests.support.acting import Hand

pytestmark = pytest.mark.slow

QUICK = Pace(shutdown_s=0.1, reboot_s=0.2, slow_reboot_s=4.0, lock_s=0.5)
UPDATE = {"dgx-release": "7.5.0"}
NEWER_KERNEL = {f"linux-image-{NEXT_KERNEL}": "6.17.0-1018.18"}


CHARACTERS = (*["founders"] * 5, "reboot-slow")


class Bench:
    """A lab with a node for each test, and a hand on the one of this test."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._fresh = list(lab.nodes)
        self.name = ""

    def on(self, character: str = "founders", elevation: Elevation = Elevation.ROOT) -> Hand:
        """A hand on a fresh node."""
        node = next(one for one in self._fresh if one.character == character)
        self._fresh.remove(node)
        self.name = node.name
        return Hand(self.lab, node.name, elevation)

    @property
    def tree(self) -> Path:
        """The files of that node."""
        return self.lab.tree(self.name)


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("acts") / "lab"
    lab = control.up(folder, len(CHARACTERS), CHARACTERS, seed=7, pace=QUICK, seconds=1800.0)
    try:
        yield Bench(lab)
    finally:
        control.down(folder)
    assert processes_of(folder) == []


@pytest.fixture
def alone(start_lab: StartLab) -> Callable[[str], Hand]:
    """A hand on the only node of a lab."""
    return lambda character: Hand(start_lab(character, pace=QUICK), "sim-01")


def health_of(hand: Hand) -> dict[str, str]:
    envelope = hand.health().envelope
    assert envelope is not None
    assert isinstance(envelope.data, HealthData)
    return {finding.check: finding.status.value for finding in envelope.data.findings}


def restarted(hand: Hand, act: int, kernel: str | None = None) -> None:
    """Restart the node and wait until it answers as another boot."""
    given: dict[str, Any] = {"kernel": kernel} if kernel else {}
    hand.record("reboot", "apply", act, **given)
    assert eventually(hand.is_back, 60)


def test_packages_are_brought_to_exact_versions_once(hand: Bench) -> None:
    node = hand.on()
    ready = node.do("apt-upgrade", "precheck", 1, packages=UPDATE)
    assert (ready.result.value, ready.observed["dgx-release"]) == ("ready", "7.4.0")
    assert ready.argv[-1] == "dgx-release=7.5.0"
    assert node.do("apt-upgrade", "postcheck", 1, packages=UPDATE).result.value == "lacks"
    applied = node.do("apt-upgrade", "apply", 1, packages=UPDATE)
    assert applied.result.value in ("started", "done")
    assert applied.unit == f"sparkctl-act-{1:032x}.service"
    done = node.ended("apt-upgrade", 1, packages=UPDATE)
    assert (done.result.value, done.exit_status) == ("done", 0)
    assert done.output[-1] == "Setting up dgx-release (7.5.0) ..."
    again = node.do("apt-upgrade", "apply", 1, packages=UPDATE)
    assert (again.result.value, again.output_sha256) == ("done", done.output_sha256)
    assert node.do("apt-upgrade", "postcheck", 1, packages=UPDATE).result.value == "holds"
    assert node.do("apt-upgrade", "precheck", 2, packages=UPDATE).result.value == "holds"
    nothing = node.do("apt-upgrade", "apply", 2, packages=UPDATE)
    assert (nothing.result.value, nothing.unit) == ("done", None)
    status = (hand.tree / "var/lib/dpkg/status").read_text()
    assert "Package: dgx-release\nStatus: install ok installed" in status
    assert "Version: 7.5.0\n" in status


@pytest.mark.thorough
def test_a_package_that_would_bring_others_is_refused_unless_that_is_wished(alone: Callable[[str], Hand]) -> None:
    node, wanted = alone("founders"), {"nvidia-container-toolkit": "1.19.0-1"}
    refused = node.do("apt-upgrade", "precheck", 1, packages=wanted)
    assert (refused.result.value, refused.reason) == ("refused", "not_in_recipe")
    assert "libnvidia-container1=1.19.0-1" in refused.summary
    stopped = node.do("apt-upgrade", "apply", 1, packages=wanted)
    assert (stopped.result.value, stopped.reason) == ("refused", "not_in_recipe")
    assert node.do("apt-upgrade", "observe", 1, packages=wanted).result.value == "absent"
    assert node.do("apt-upgrade", "precheck", 1, packages=wanted, dependencies=True).observed["others"] == 1
    unknown = node.do("apt-upgrade", "precheck", 1, packages={"dgx-release": "9.9"})
    assert unknown.reason == "version_unavailable"


def test_a_restart_brings_another_boot_with_the_new_kernel_and_an_orderly_end_behind_it(hand: Bench) -> None:
    node = hand.on()
    assert node.do("apt-upgrade", "apply", 1, packages=NEWER_KERNEL).result.value in ("started", "done")
    assert node.ended("apt-upgrade", 1, packages=NEWER_KERNEL).result.value == "done"
    waiting = health_of(node)
    assert set(waiting.values()) <= {"pass", "not_applicable"}
    pending = (hand.tree / "run/reboot-required.pkgs").read_text()
    assert pending == f"linux-image-{NEXT_KERNEL}\n"
    ready = node.do("reboot", "precheck", 2, kernel=NEXT_KERNEL)
    assert (ready.result.value, ready.observed["kernel_next"]) == ("ready", NEXT_KERNEL)
    assert node.do("reboot", "precheck", 2, kernel=KERNEL).reason == "other_kernel_next"
    assert node.do("reboot", "postcheck", 2).reason == "same_boot"
    restarted(node, 2, kernel=NEXT_KERNEL)
    back = node.do("reboot", "postcheck", 2, kernel=NEXT_KERNEL)
    assert (back.result.value, back.observed["kernel"]) == ("holds", NEXT_KERNEL)
    assert node.do("reboot", "postcheck", 2, kernel=KERNEL).reason == "other_kernel"
    gone = node.do("reboot", "observe", 2)
    assert (gone.result.value, gone.reason) == ("absent", "other_boot")
    late = node.do("reboot", "apply", 3)
    assert (late.result.value, late.reason) == ("refused", "other_boot")
    assert set(health_of(node).values()) <= {"pass", "not_applicable"}
    assert not (hand.tree / "run/reboot-required").exists()
    envelope = node.reset().envelope
    assert envelope is not None
    assert isinstance(envelope.data, ResetData)
    (transition,) = envelope.data.transitions
    assert transition.claims.termination == "orderly.reboot"
    assert transition.from_boot_id == node.boot


def test_the_next_boot_takes_the_kernel_that_it_is_told_and_only_once_and_each_boot_is_another(hand: Bench) -> None:
    node = hand.on()
    first = node.boot
    assert node.do("kernel-boot-once", "precheck", 1, kernel="6.1.0-none").reason == "kernel_absent"
    node.do("kernel-boot-once", "apply", 1, kernel=OLDER_KERNEL)
    assert node.ended("kernel-boot-once", 1, kernel=OLDER_KERNEL).result.value == "done"
    assert node.do("kernel-boot-once", "postcheck", 1, kernel=OLDER_KERNEL).result.value == "holds"
    assert node.do("kernel-boot-once", "undo", 2, kernel=OLDER_KERNEL).result.value in ("started", "done")
    assert node.ended("kernel-boot-once", 2, kernel=OLDER_KERNEL).result.value == "done"
    assert node.do("kernel-boot-once", "postcheck", 1, kernel=OLDER_KERNEL).result.value == "lacks"
    node.do("kernel-boot-once", "apply", 3, kernel=OLDER_KERNEL)
    restarted(node, 4, kernel=OLDER_KERNEL)
    assert node.do("reboot", "postcheck", 4, kernel=OLDER_KERNEL).result.value == "holds"
    node.boot = second = node.boot_now()
    restarted(node, 5, kernel=KERNEL)
    assert node.do("reboot", "postcheck", 5, kernel=KERNEL).result.value == "holds"
    assert len({first, second, node.boot_now()}) == 3
    envelope = node.reset(None).envelope
    assert envelope is not None
    assert isinstance(envelope.data, ResetData)
    ends = [(one.from_boot_id, one.claims.termination) for one in envelope.data.transitions[:2]]
    assert sorted(ends) == sorted([(first, "orderly.reboot"), (second, "orderly.reboot")])


@pytest.mark.parametrize("name", ["quarantine", pytest.param("drain", marks=pytest.mark.thorough)])
def test_serving_is_stopped_and_taken_up_again_as_it_was(alone: Callable[[str], Hand], name: str) -> None:
    node, units = alone("busy"), {"units": ["vllm.service", "site-metrics.service"]}
    seen = node.do(name, "precheck", 1, **units)
    assert seen.result.value == "ready"
    node.do(name, "apply", 1, **units)
    assert node.ended(name, 1, **units).result.value == "done"
    assert node.do(name, "postcheck", 1, **units).result.value == "holds"
    assert node.do(name, "undo", 2, **units).reason == "before_unknown"
    node.do(name, "undo", 2, **units, before=seen.observed)
    assert node.ended(name, 2, **units).result.value == "done"
    assert node.do(name, "precheck", 3, **units).observed == seen.observed


@pytest.mark.thorough
def test_a_drain_spares_work_of_others(alone: Callable[[str], Hand]) -> None:
    node = alone("busy")
    refused = node.do("drain", "precheck", 1, units=["site-metrics.service"])
    assert (refused.result.value, refused.reason) == ("refused", "gpu_in_use")
    assert "vllm.service" in refused.summary
    assert node.do("drain", "precheck", 1, units=["site-metrics.service"], force=True).result.value == "ready"
    assert node.do("drain", "precheck", 1, units=["no-such.service"]).reason == "unit_absent"


@pytest.mark.thorough
def test_a_service_that_was_drained_is_missed_by_a_sweep(alone: Callable[[str], Hand]) -> None:
    node, units = alone("founders"), {"units": ["docker.service"]}
    assert health_of(node)["service.docker"] == "pass"
    node.do("drain", "apply", 1, **units)
    assert node.ended("drain", 1, **units).result.value == "done"
    assert health_of(node)["service.docker"] == "fail"


@pytest.mark.thorough
def test_the_dashboard_is_fenced_off_and_let_go(alone: Callable[[str], Hand]) -> None:
    node = alone("founders")
    seen = node.do("fence-dashboard", "precheck", 1, more=["no-such.timer"])
    assert (seen.result.value, seen.observed["no-such.timer"]) == ("ready", "absent")
    assert not any("no-such" in word for word in seen.argv)
    node.do("fence-dashboard", "apply", 1)
    assert node.ended("fence-dashboard", 1).result.value == "done"
    assert node.do("fence-dashboard", "postcheck", 1).observed["dgx-dashboard.service"] == "masked"
    node.do("fence-dashboard", "undo", 2, before=seen.observed)
    assert node.ended("fence-dashboard", 2).result.value == "done"
    assert node.do("fence-dashboard", "precheck", 3).observed["dgx-dashboard.service"] == "active"


def test_firmware_waits_for_the_next_boot_which_takes_it(hand: Bench) -> None:
    node = hand.on()
    device = _device(hand)
    wanted = {"device": device, "release": "0x03000000"}
    assert node.do("firmware-stage", "precheck", 1, **wanted).reason == "release_unavailable"
    version = str(node.do("firmware-stage", "precheck", 1, **wanted).observed["version"])
    wanted["release"] = f"0x{int(version, 16) + 1:08x}"
    node.do("firmware-stage", "apply", 1, **wanted)
    assert node.ended("firmware-stage", 1, **wanted).result.value == "done"
    staged = node.do("firmware-stage", "postcheck", 1, **wanted)
    assert (staged.result.value, staged.observed["last_update_state"]) == ("holds", "needs_reboot")
    assert staged.observed["version"] == version
    restarted(node, 2)
    taken = node.do("firmware-stage", "postcheck", 1, **wanted)
    assert (taken.result.value, taken.observed["version"]) == ("holds", wanted["release"])


def _device(hand: Bench) -> str:
    tables = hand.tree / "sys/firmware/efi/esrt/entries"
    return min((entry / "fw_class").read_text().strip() for entry in tables.iterdir())


def test_an_act_outlives_the_connection_and_its_lab_leaves_nothing(start_lab: StartLab) -> None:
    lab = start_lab("apt-hangs", pace=QUICK)
    node = Hand(lab, "sim-01")
    started = node.do("apt-upgrade", "apply", 1, packages=UPDATE)
    assert started.result.value == "started"
    assert node.do("apt-upgrade", "observe", 1, packages=UPDATE).result.value == "running"
    other = node.do("fence-dashboard", "apply", 2)
    assert (other.result.value, other.reason) == ("failed", "busy")
    assert len(processes_of(lab.directory)) > 2
    control.down(lab.directory)
    assert processes_of(lab.directory) == []


def test_without_root_it_may_look_and_not_act(hand: Bench) -> None:
    node = hand.on(elevation=Elevation.COMMANDS)
    assert node.do("apt-upgrade", "precheck", 1, packages=UPDATE).result.value == "ready"
    refused = node.do("apt-upgrade", "apply", 1, packages=UPDATE)
    assert (refused.result.value, refused.reason) == ("refused", "not_permitted")


@pytest.mark.thorough
def test_a_fence_holds_over_connections(alone: Callable[[str], Hand]) -> None:
    node = alone("founders")
    assert node.do("apt-refresh", "apply", 1, fence=7).result.value in ("started", "done")
    assert node.ended("apt-refresh", 1).result.value == "done"
    late = node.do("apt-upgrade", "apply", 2, fence=6, packages=UPDATE)
    assert (late.result.value, late.reason) == ("failed", "fenced")
    assert node.do("apt-upgrade", "postcheck", 2, packages=UPDATE).result.value == "lacks"


@pytest.mark.thorough
def test_apt_that_fails_changes_nothing_and_says_why(alone: Callable[[str], Hand]) -> None:
    node = alone("apt-fails")
    node.do("apt-upgrade", "apply", 1, packages=UPDATE)
    failed = node.ended("apt-upgrade", 1, packages=UPDATE)
    assert (failed.result.value, failed.reason, failed.exit_status) == ("failed", "exit_status", 100)
    assert failed.output[-1].startswith("E: Sub-process /usr/bin/dpkg returned")
    assert node.do("apt-upgrade", "postcheck", 1, packages=UPDATE).result.value == "lacks"


@pytest.mark.thorough
def test_a_held_lock_is_named_and_waited_for(alone: Callable[[str], Hand]) -> None:
    node = alone("apt-locked")
    assert node.do("reboot", "precheck", 1).reason == "dpkg_locked"
    assert "unattended-upgr" in str(node.do("apt-upgrade", "precheck", 1, packages=UPDATE).observed["lock_holder"])
    node.do("apt-upgrade", "apply", 1, packages=UPDATE)
    failed = node.ended("apt-upgrade", 1, packages=UPDATE)
    assert (failed.result.value, failed.exit_status) == ("failed", 100)
    assert "Could not get lock" in failed.output[-1]


@pytest.mark.thorough
def test_who_keeps_off_a_shutdown_is_named(alone: Callable[[str], Hand]) -> None:
    node = alone("inhibited")
    refused = node.do("reboot", "apply", 1)
    assert (refused.result.value, refused.reason) == ("refused", "inhibited")
    assert (refused.observed["who"], refused.observed["mode"]) == ("fwupd", "block")
    assert node.boot_now() == node.boot


def test_a_node_comes_back_late_or_with_another_kernel_or_when_it_is_mended(hand: Bench) -> None:
    node = hand.on("reboot-slow")
    node.record("reboot", "apply", 1)
    assert eventually(lambda: node.health().status == "connect.connection_refused")
    assert eventually(node.is_back, 60)
    control.break_node(hand.lab.directory, hand.name, "reboot-other-kernel")
    node.boot = node.boot_now()
    restarted(node, 2, kernel=KERNEL)
    wrong = node.do("reboot", "postcheck", 2, kernel=KERNEL)
    assert (wrong.result.value, wrong.reason) == ("lacks", "other_kernel")
    assert wrong.observed["kernel"] == OLDER_KERNEL
    control.break_node(hand.lab.directory, hand.name, "reboot-never-returns")
    node.boot = node.boot_now()
    node.record("reboot", "apply", 3)
    assert eventually(lambda: node.health().status == "connect.connection_refused")
    assert not eventually(node.is_back, 1.5)
    control.mend(hand.lab.directory, hand.name)
    assert eventually(node.is_back, 60)


@pytest.mark.thorough
def test_after_an_act_another_machine_may_answer(alone: Callable[[str], Hand]) -> None:
    node = alone("act-swaps-identity")
    assert node.health().outcome.value == "reported"
    node.do("apt-refresh", "apply", 1)
    assert eventually(lambda: node.record("apt-refresh", "observe", 1).status == "decode.identity_mismatch")
