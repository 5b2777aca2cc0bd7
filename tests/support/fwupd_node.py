"""A real fwupd with folders of its own and the trust that it is shipped with: the daemon on a bus, and fwupdmgr."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DAEMON = Path("/usr/libexec/fwupd/fwupd")
TOOLS = ("fwupdmgr", "dbus-daemon")


def missing() -> str:
    """What is not there of fwupd 2: an older one has no test device in it."""
    found = [tool for tool in TOOLS if not shutil.which(tool)] + [str(path) for path in (DAEMON,) if not path.exists()]
    if not found and not list(Path("/usr/lib").glob("*/fwupd-2.*")):  # to ask fwupdtool takes a lock of the machine
        found.append("fwupd 2")
    return " ".join(found)


class FwupdNode:
    """A machine with the test device that fwupd has, and nothing that was changed but for files that it is given.

    `fwupd.conf` says that the test device is there and nothing of trust: `OnlyTrusted` stays as it is shipped.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
            "FWUPD_SYSCONFDIR": str(folder / "etc"), "FWUPD_LOCALSTATEDIR": str(folder / "var"),
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder / 'bus'}", "FWUPD_POLKIT_NOCHECK": "1",
            "FWUPD_IGNORE_NETWORK_REACHABLE": "1", "NO_COLOR": "1",
        }  # fmt: skip
        for place in ("etc/fwupd/remotes.d", "etc/pki/fwupd", "etc/pki/fwupd-metadata", "var/lib/fwupd"):
            (folder / place).mkdir(parents=True)
        (folder / "etc/fwupd/fwupd.conf").write_text("[fwupd]\nTestDevices=true\n")
        (folder / "etc/fwupd/remotes.d/lvfs.conf").write_text(
            "[fwupd Remote]\nEnabled=true\nTitle=LVFS\nMetadataURI=https://cdn.fwupd.org/downloads/firmware.xml.zst\n"
        )
        self._running: list[subprocess.Popen[bytes]] = []

    def give(self, files: Mapping[str, str]) -> None:
        """Files by their paths without a leading slash."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def start(self) -> None:
        """Start the bus and the daemon."""
        self._start(["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={self._bus}"])
        self._wait((self.folder / "bus").exists)
        self._start([str(DAEMON), "--no-timestamp"])
        self._wait(lambda: self.manage("get-remotes", "--json")[0] == 0)

    def stop(self) -> None:
        """End what was started."""
        for process in reversed(self._running):
            process.terminate()
            process.wait(10)
        self._running.clear()

    def manage(self, *words: str) -> tuple[int, str]:
        """The exit status of fwupdmgr and all that it said."""
        ran = subprocess.run(
            ["fwupdmgr", *words], env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        return ran.returncode, ran.stdout + ran.stderr

    def asked(self, *words: str) -> Any:
        """What fwupdmgr answers in JSON."""
        ran = subprocess.run(
            ["fwupdmgr", *words, "--json"], env=self._environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        return json.loads(ran.stdout)

    @property
    def _bus(self) -> str:
        return self._environment["DBUS_SYSTEM_BUS_ADDRESS"]

    def _start(self, argv: list[str]) -> None:
        with (self.folder / "log").open("ab") as log:
            self._running.append(subprocess.Popen(argv, env=self._environment, stdout=log, stderr=log))

    def _wait(self, ready: Any) -> None:
        for _ in range(300):
            if ready():
                return
            assert all(process.poll() is None for process in self._running), (self.folder / "log").read_text()[-2000:]
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text()[-2000:])
