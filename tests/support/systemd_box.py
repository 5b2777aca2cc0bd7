"""A systemd of its own for a test: first process of new namespaces, with a bus, and with nothing else to start.

It needs root, systemd and dbus-daemon. Its `/run` and `/mnt` are memory; all else of the file system is this machine's.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

UP_SECONDS = 20.0
SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = Path("/sys/fs/cgroup")
LEGACY = ("memory", "pids", "cpu")
UNITS = {
    "box.target": "[Unit]\nRequires=dbus.service\nAfter=dbus.service\n",
    "dbus.socket": "[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    "dbus.service": (
        "[Unit]\nRequires=dbus.socket\n[Service]\nType=notify\n"
        "ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --syslog-only\n"
    ),
    **{f"{name}.target": f"[Unit]\nDescription={name}\n" for name in ("sysinit", "basic", "shutdown")},
}
START = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt
cp -r "$1/mnt/." /mnt
mount -t proc proc /proc
mkdir -p /run/dbus
umount -R /sys/fs/cgroup
if [ "$2" = unified ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
    mount -t tmpfs tmpfs /sys/fs/cgroup
    mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
    mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
    for one in memory pids cpu; do
        mkdir "/sys/fs/cgroup/$one"
        mount -t cgroup -o "$one" cgroup "/sys/fs/cgroup/$one"
    done
fi
echo box > /proc/sys/kernel/hostname
export container=test
export SYSTEMD_UNIT_PATH="/run/systemd/system.control:/run/systemd/transient:$1/etc:/run/systemd/system:$1/units"
exec /lib/systemd/systemd --system --unit=box.target --log-target=null
"""


class Unavailable(Exception):
    """No systemd can be started here; the words say why."""


class Box:
    """A running systemd, which commands are run beside."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def argv(self, words: Sequence[str]) -> list[str]:
        """The command as it is run inside."""
        return ["nsenter", "-t", str(self._pid), "-p", "-m", "-C", "-u", "-i", *words]

    def place(self, path: str) -> str:
        """Where a file of its own lies, seen from outside."""
        return f"/proc/{self._pid}/root{path}"

    def run(self, *words: str, seconds: float = 60, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command inside to its end."""
        return subprocess.run(self.argv(words), capture_output=True, check=False, timeout=seconds, input=stdin)


@contextmanager
def systemd_box(folder: Path, tools: dict[str, str]) -> Iterator[Box]:
    """A systemd, with `tools` as executable files in its `/mnt`; raises Unavailable where none comes up."""
    if os.geteuid() != 0 or not SYSTEMD.exists() or not all(map(shutil.which, ("dbus-daemon", "unshare", "nsenter"))):
        raise Unavailable("it needs root, systemd, dbus-daemon, unshare and nsenter")
    _lay_out(folder, tools)
    with _cgroups(f"sparkctl-box-{os.getpid()}") as groups:
        joined = "; ".join(f"echo $$ > {group}/cgroup.procs" for group in groups)
        kind = "unified" if len(groups) == 1 else "legacy"
        spaces = "unshare --pid --fork --kill-child --mount --cgroup --uts --ipc"
        command = f"{joined}; exec {spaces} sh {folder}/start.sh {folder} {kind}"
        leader = subprocess.Popen(
            ["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield _when_up(leader)
        finally:
            leader.send_signal(signal.SIGKILL)
            leader.wait(timeout=10)


def _lay_out(folder: Path, tools: dict[str, str]) -> None:
    (folder / "units").mkdir(parents=True)
    (folder / "etc").mkdir()
    (folder / "mnt").mkdir()
    (folder / "start.sh").write_text(START)
    for name, text in UNITS.items():
        (folder / "units" / name).write_text(text)
    for name, text in tools.items():
        (folder / "mnt" / name).write_text(text)
        (folder / "mnt" / name).chmod(0o755)


@contextmanager
def _cgroups(name: str) -> Iterator[list[Path]]:
    """A group of its own in every hierarchy, gone afterwards."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    groups = [CGROUPS / name] if unified else [CGROUPS / one / name for one in ("systemd", "unified", *LEGACY)]
    try:
        for group in groups:
            group.mkdir()
    except OSError as error:
        raise Unavailable(f"no control group can be made: {error}") from error
    try:
        yield groups
    finally:
        for group in groups:
            _remove(group)


def _remove(group: Path) -> None:
    give_up = time.monotonic() + 5
    while group.exists() and time.monotonic() < give_up:
        try:
            for inner in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                inner.rmdir()
            group.rmdir()
        except OSError:
            time.sleep(0.05)  # what was killed is still on its way out


def _when_up(leader: "subprocess.Popen[bytes]") -> Box:
    give_up = time.monotonic() + UP_SECONDS
    while time.monotonic() < give_up and leader.poll() is None:
        children = Path(f"/proc/{leader.pid}/task/{leader.pid}/children").read_text().split()
        if children:
            box = Box(int(children[0]))
            state = box.run("systemctl", "is-active", "box.target")
            if state.stdout.strip() == b"active":
                return box
        time.sleep(0.2)
    raise Unavailable(f"systemd did not come up within {UP_SECONDS:g} s")
