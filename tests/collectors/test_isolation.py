"""Reports are made by a real systemd with the very words that a node is asked to run, and leave nothing behind."""

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diag.collectors import report_nvidia, report_sos
from diag.nodekit.isolated import Report, result_in
from sparkctl.app.unpacking import unpack
from tests.support.systemd_box import Box, Unavailable, systemd_box

pytestmark = pytest.mark.slow

NVIDIA, SOS = report_nvidia.COLLECTOR.reports[0], report_sos.COLLECTOR.reports[0]
TOOL = """#!/bin/sh
echo "I am at work"
cd "$2"
echo first | gzip -c > report.log.gz
tries() { if eval "$2" > /dev/null 2>&1; then echo "$1: yes"; else echo "$1: no"; fi >> seen; }
tries "writes /etc" "touch /etc/sparkctl-was-here"
tries "writes /var" "touch /var/lib/sparkctl-was-here"
tries "writes its own /tmp" "touch /tmp/mine /var/tmp/mine"
tries "writes shared memory" "touch /dev/shm/sparkctl-was-here"
tries "makes devices" "mknod /tmp/null c 1 3"
tries "changes the kernel" "cat /proc/sys/kernel/sysrq > /proc/sys/kernel/sysrq"
tries "reads shadow" "grep . /etc/shadow"
tries "sees homes" "ls -a /home /root | grep '[a-z]$'"
tries "sees a network" "grep -v -e lo: -e '|' /proc/net/dev"
tries "finds mst" "test -x /mnt/mst"
tries "reads a file of another user" "cat /run/of-another"
case "$1" in
    hang) sleep 100 ;;
    fill) head -c 100M /dev/zero > filled ;;
    eat) for one in 1 2 3 4 5 6 7 8; do head -c 15M /dev/zero > "eaten$one"; done ;;
esac
echo "I am done"
"""
SEEN = {
    "writes /etc": "no", "writes /var": "no", "writes its own /tmp": "yes", "writes shared memory": "no",
    "makes devices": "no", "changes the kernel": "no", "reads shadow": "no", "sees homes": "no",
    "sees a network": "no", "finds mst": "no", "reads a file of another user": "yes",
}  # fmt: skip
MIB = 2**20


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    try:
        with systemd_box(tmp_path_factory.mktemp("box") / "box", {"tool": TOOL, "mst": "#!/bin/sh\n"}) as box:
            box.run("install", "-m", "0600", "-o", "nobody", "/etc/hostname", "/run/of-another")
            yield box
    except Unavailable as why:
        pytest.skip(f"no systemd of its own here: {why}")


def report(behaviour: str, seconds: float = 60.0) -> Report:
    """NVIDIA's report with another tool in its place."""
    tool = ("/mnt/tool", behaviour, "{folder}")
    return replace(NVIDIA, tool=tool, hidden=("-/mnt/mst",), seconds=seconds, memory=64 * MIB, limit=16 * MIB)


def files_of(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        members = [member for member in tar if member.isreg()]
        return {member.name.partition("/")[2]: tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def leaves_nothing(box: Box) -> bool:
    units = box.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "sparkctl-*").stdout
    there = box.run("ls", "/run", "/dev/shm").stdout.decode().splitlines()  # the latter is this machine's
    return units == b"" and not {NVIDIA.unit, SOS.unit, "sparkctl-was-here"} & set(there)


def test_the_tool_reads_the_machine_and_changes_nothing(box: Box) -> None:
    asked = report("well")
    ran = box.run(*asked.argv)
    assert result_in(ran.stderr.decode()) == ("success", "")
    assert ran.returncode == 0
    files = files_of(asked.archive_in(ran.stdout))
    seen = dict(line.split(": ") for line in files["seen"].decode().splitlines())
    assert seen == SEEN
    assert not Path("/etc/sparkctl-was-here").exists()
    assert leaves_nothing(box)


def test_what_hangs_is_ended_and_what_it_wrote_is_brought(box: Box) -> None:
    asked = report("hang", 3.0)
    started = time.monotonic()
    ran = box.run(*asked.argv)
    assert time.monotonic() - started < asked.longest
    assert result_in(ran.stderr.decode())[0] == "timeout"
    assert "report.log.gz" in files_of(asked.archive_in(ran.stdout))
    assert leaves_nothing(box)


def test_what_fills_its_memory_is_ended(box: Box) -> None:
    filled = box.run(*report("fill").argv)
    assert len(files_of(report("fill").archive_in(filled.stdout)).get("filled", b"")) <= 16 * MIB
    eaten = box.run(*report("eat").argv)
    assert eaten.returncode != 0 or len(eaten.stdout) < 64 * MIB
    assert leaves_nothing(box)


def test_a_node_cleans_up_where_nobody_waits_any_more(box: Box) -> None:
    asked = report("hang", 5.0)
    nothing = subprocess.DEVNULL
    waiting = subprocess.Popen(box.argv(asked.argv), stdout=nothing, stderr=nothing, start_new_session=True)
    time.sleep(1.0)
    second = box.run(*asked.argv)
    assert second.returncode != 0
    assert b"already" in second.stderr
    os.killpg(waiting.pid, signal.SIGKILL)
    waiting.wait(timeout=10)
    assert not leaves_nothing(box)
    give_up = time.monotonic() + asked.longest
    while not leaves_nothing(box) and time.monotonic() < give_up:
        time.sleep(0.5)
    assert leaves_nothing(box)


@pytest.mark.skipif(not shutil.which("sos"), reason="the package sosreport is not installed")
def test_the_real_sos_reports_with_these_very_words(box: Box, tmp_path: Path) -> None:
    ran = box.run(*SOS.argv, seconds=SOS.longest)
    assert result_in(ran.stderr.decode())[0] == "success", ran.stderr
    archive = tmp_path / "sos.tar"
    archive.write_bytes(SOS.archive_in(ran.stdout))
    assert 0 < archive.stat().st_size < SOS.limit
    made = unpack(archive, tmp_path / "unpacked")
    paths = {member.path for member in made.members}
    assert {"version.txt", "sos_commands/process/ps_auxwww", "proc/meminfo"} <= paths
    assert all(member.place.parent == tmp_path / "unpacked" for member in made.members)
    assert leaves_nothing(box)
