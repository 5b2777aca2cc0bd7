"""A machine in the purge lane: its own systemd, a loop device behind a stand-in nvme, a TPM emulator, our program."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkctl.app.programs import program_of
from sparkctl.model.control import ControlData, ControlEnvelope
from tests.support.systemd_box import Box, Unavailable, systemd_box

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
PATIENCE_SECONDS = 60.0
DRIVE_BYTES = 4 * 2**20
SERIAL, SEED = "S7XXNS0TB00123", "5eed" * 8
STAND_IN = Path(__file__).with_name("nvme_stand_in.py").read_text()
SET_UP = """set -e
mkdir -p /run/newdev/shm
for one in null zero full random urandom; do cp -a "/dev/$one" /run/newdev; done
ln -s /proc/self/fd /run/newdev/fd
mount --bind /dev/shm /run/newdev/shm
mknod /run/newdev/nvme0n1 b "$1" "$2"
mount --rbind /run/newdev /dev
mount --bind /mnt/nvme /usr/sbin/nvme
"""


@dataclass(frozen=True)
class Lane:
    """The machine; `state` is what the stand-in drive knows, `folder` lies on both sides."""

    box: Box
    folder: Path
    drive: str

    def reset(self, behaviour: str, **changed: Any) -> None:
        """A drive that was never sanitised and behaves so; what is on it is gone."""
        facts = {"behaviour": behaviour, "serial": SERIAL, "sanicap": 0b111, "fna": 4, "sstat": 0, "sprog": 65535,
                 "cdw10": 0, "asked": 0}  # fmt: skip
        (self.folder / "nvme.json").write_text(json.dumps(facts | changed))
        (self.folder / "nvme.calls").unlink(missing_ok=True)
        Path(self.drive).write_bytes(b"secret " * (DRIVE_BYTES // 7))

    @property
    def calls(self) -> list[str]:
        """The commands that changed the drive."""
        lines = (self.folder / "nvme.calls").read_text().splitlines()
        return [line for line in lines if line.split()[0] in ("sanitize", "format")]

    def do(self, controller: str, phase: str, act: int, given: dict[str, Any]) -> ControlData:
        """One phase of an act, by the program as it is streamed."""
        words = ["python3", "-I", "-S", "-", "control", f"--controller={controller}", f"--phase={phase}",
                 f"--act={act:032x}", "--fence=1", f"--boot={BOOT_ID}", f"--with={json.dumps(given)}"]  # fmt: skip
        ran = subprocess.run(
            self.box.argv(words), input=program_of("control").text, capture_output=True, check=False, timeout=90
        )
        assert ran.returncode == 0, ran.stderr.decode()
        data = ControlEnvelope.model_validate_json(ran.stdout).data
        assert data is not None, ran.stdout
        return data

    def done(self, controller: str, act: int, given: dict[str, Any]) -> tuple[ControlData, ControlData]:
        """Apply, and what the act came to."""
        applied = self.do(controller, "apply", act, given)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            seen = self.do(controller, "observe", act, given)
            if seen.result.value != "running" or time.monotonic() > give_up:
                return applied, seen
            time.sleep(0.1)


@contextmanager
def purge_lane(folder: Path) -> Iterator[Lane]:
    """Such a machine; raises Unavailable where none can be made."""
    drive = folder / "drive"
    drive.write_bytes(bytes(DRIVE_BYTES))
    with _loop(drive) as device:
        text = "#!/usr/bin/python3 -ISB\n" + STAND_IN.replace("@STATE@", str(folder / "nvme.json"))
        with systemd_box(folder / "box", {"nvme": text}) as box:
            number = Path(device).stat().st_rdev
            made = box.run("sh", "-c", SET_UP, "sh", str(number >> 8), str(number & 255))
            if made.returncode != 0:
                raise Unavailable(f"no drive can be made: {made.stderr.decode()}")
            yield Lane(box, folder, device)


@contextmanager
def _loop(drive: Path) -> Iterator[str]:
    try:
        made = subprocess.run(["losetup", "--find", "--show", drive], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Unavailable("there is no losetup") from error
    if made.returncode != 0:
        raise Unavailable(f"no loop device can be had: {made.stderr.strip()}")
    device = made.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)


@contextmanager
def software_tpm(folder: Path) -> Iterator[str]:
    """A TPM emulator that runs meanwhile; its TCTI."""
    folder.mkdir()
    socket = folder / "tpm.sock"
    running = subprocess.Popen(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--server", f"type=unixio,path={socket}",
         "--ctrl", f"type=unixio,path={socket}.ctrl", "--flags", "startup-clear"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        give_up = time.monotonic() + 10
        while not socket.exists() and time.monotonic() < give_up:
            time.sleep(0.02)
        yield f"swtpm:path={socket}"
    finally:
        with suppress(ProcessLookupError):
            running.terminate()
        running.wait(timeout=10)
