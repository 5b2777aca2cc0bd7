"""What nvidia-smi does in time, and what several looks at a busy GPU say."""

from pathlib import Path

import pytest

from diag.checks import gpu_power_wedge, gpu_query, gpu_temperature
from diag.nodekit import nvidia_smi
from diag.nodekit.command import ENVIRONMENT, Ran
from diag.nodekit.finding import Finding
from diag.nodekit.machine import Machine
from diag.nodekit.nvidia_smi import FIELDS, QUERY, Gpu, GpuSeen, observe_gpu, parse_row
from diag.nodekit.platform import Clue, Evidence
from tests.support.trees import build_tree

GB10 = Evidence((Clue(True, "PCI 10de:2e12", "/sys/bus/pci/devices", strong=True),), True)
STUCK = "NVIDIA GB10, 0000000F:01:00.0, 580.126.09, P0, Enabled, 52, 14.8, 96, 702, 3003, 2418, 0x0, [N/A], [N/A], None"
PCI = {
    "/sys/bus/pci/devices/000f:01:00.0/vendor": "0x10de\n",
    "/sys/bus/pci/devices/000f:01:00.0/device": "0x2e12\n",
}


def ran(stdout: str) -> Ran:
    return Ran(exit_status=0, stdout=stdout, stderr="", truncated=False)


def rows(*clocks: int) -> tuple[Gpu, ...]:
    gpus = [parse_row(ran(STUCK.replace(" 702,", f" {clock},")), FIELDS) for clock in clocks]
    return tuple(gpu for gpu in gpus if gpu is not None)


def wedge(*clocks: int) -> Finding:
    return gpu_power_wedge.evaluate(GpuSeen(GB10, ran(STUCK), samples=rows(*clocks)))


def test_one_look_at_a_low_clock_does_not_fail() -> None:
    assert wedge(702).status == "warn"
    assert wedge(702, 702).status == "fail"


def test_a_clock_that_recovers_between_looks_is_well() -> None:
    assert wedge(702, 2350, 702).status == "pass"


def test_the_hottest_look_counts() -> None:
    cool, hot = (parse_row(ran(STUCK.replace(" 52,", f" {celsius},")), FIELDS) for celsius in (80, 94))
    assert cool is not None
    assert hot is not None
    assert gpu_temperature.evaluate(GpuSeen(GB10, ran(STUCK), samples=(cool, hot))).status == "fail"


@pytest.mark.parametrize(("seconds", "status"), [(0.02, "pass"), (5.5, "warn")])
def test_a_slow_answer_is_a_warning(seconds: float, status: str) -> None:
    finding = gpu_query.evaluate(GpuSeen(GB10, ran(STUCK), seconds=seconds, samples=rows(2350)))
    assert finding.status == status
    assert finding.value == seconds


def test_no_answer_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia_smi, "SMI_SECONDS", 0.05)
    build_tree(tmp_path, files=PCI, commands=[{"run": " ".join(QUERY), "delay_s": 60}])
    seen = observe_gpu(Machine(str(tmp_path)))
    finding = gpu_query.evaluate(seen)
    assert finding.status == "fail"
    assert "did not answer" in finding.summary
    assert "there is no /proc/driver/nvidia/version" in finding.summary
    with pytest.raises(TimeoutError):
        gpu_temperature.evaluate(seen)


def test_another_machine_is_not_asked(tmp_path: Path) -> None:
    build_tree(
        tmp_path, files={"/proc/cpuinfo": "processor : 0\n"}, commands=[{"run": " ".join(QUERY), "stdout": STUCK}]
    )
    machine = Machine(str(tmp_path))
    observe_gpu(machine)
    assert machine.meter.children == 0


def test_the_row_of_the_gb10_is_taken_among_others() -> None:
    gpu = parse_row(ran(f"NVIDIA RTX A2000{STUCK.removeprefix('NVIDIA GB10')}\n{STUCK}\n"), FIELDS)
    assert gpu is not None
    assert gpu.cells["name"] == "NVIDIA GB10"


def test_a_busy_gpu_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{STUCK}'\n", "utf-8")
    tool.chmod(0o755)
    monkeypatch.setitem(ENVIRONMENT, "PATH", f"{tmp_path}:{ENVIRONMENT['PATH']}")
    monkeypatch.setattr(nvidia_smi, "platform_evidence", lambda _machine: GB10)
    seen = observe_gpu(Machine())
    assert [sample.cells["clocks.sm"] for sample in seen.samples] == ["702", "702", "702"]
