"""The crontab is read by a real cron, which keeps its own clock in a zone that changes to summer time meanwhile."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparkctl.app.schedule_install import Target, install
from sparkctl.app.schedule_units import Way
from tests.schedule.plans import GONE, plan_of

pytestmark = pytest.mark.slow

# cron has its folders built in. In a mount namespace of its own it sees ours in their place, and nobody else does.
PRIVATE = """
set -e
mount --make-rprivate /
mount --bind "$1/root/etc/cron.d" /etc/cron.d
mount --bind "$1/spool" /var/spool/cron/crontabs
mount --bind /dev/null /etc/crontab
mount -t tmpfs none /run
exec faketime "$2" cron -f
"""


@contextmanager
def real_cron(folder: Path, local_time: str, zone: str) -> Iterator[None]:
    """A cron daemon whose clock begins at this local time; skips where none can be started."""
    for tool in ("cron", "faketime", "unshare"):
        if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"no {tool} here: install cron, faketime and util-linux to start a real one")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to a mount namespace: run as root to start a real cron")
    (folder / "spool").mkdir()
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", PRIVATE, "sh", str(folder), local_time],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        env={"PATH": path, "TZ": zone, "LC_ALL": "C"},
    )  # fmt: skip
    try:
        yield
        assert process.poll() is None, process.communicate()[0]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_cron_starts_what_is_due_in_utc_when_its_clock_jumps(tmp_path: Path) -> None:
    """At two in the morning this clock goes to three: cron starts both schedules, and only one of them is due."""
    (tmp_path / "fleet.yaml").write_text(GONE)
    quick = "splay: 0s, deadline: 1m, min_coverage: 0%"
    far = time.gmtime(time.time() + 6 * 3600)
    plan = plan_of(
        tmp_path,
        f"  due: {{every: 5m, run: health, {quick}}}\n  later: {{at: '{far.tm_hour:02d}:00', run: health, {quick}}}\n",
        "user: root\n",
    )
    install(Way.CRON, plan, [*plan.schedules.values()], Target(tmp_path / "root", tmp_path), force=False)
    marker = tmp_path / "root/etc/cron.d/started"
    marker.write_text(f"0 * * * * root touch {tmp_path}/both-were-started\n")
    heartbeat = tmp_path / "state/schedules/due.json"
    with real_cron(tmp_path, "2026-03-29 01:59:55", "Europe/Berlin"):
        give_up = time.monotonic() + 120
        while not heartbeat.exists() and time.monotonic() < give_up:
            time.sleep(0.2)
    found = json.loads(heartbeat.read_text())
    assert (found["outcome"], found["exit_name"]) == ("done", "unjudged")
    assert found["due_at"].endswith(":00Z")
    assert (tmp_path / "both-were-started").exists()
    assert not (tmp_path / "state/schedules/later.json").exists()
    assert (tmp_path / "state/schedules/later.memory.lock").exists()  # it was started, and found that it is not due
