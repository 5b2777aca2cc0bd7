"""A node before its first boot, in a folder: what its seed wrote, its firmware, and the stick that belongs to it."""

import copy
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from sparkctl.airgap.seed_render import node_secret
from sparkctl.resources import shipped
from tests.support.seeds import SERIAL

PROGRAM = shipped("cloud-init") / "first-boot/spark_first_boot.py"

# Ends the process just before the Nth change of the disk, as a power cut does; prints the kinds of all otherwise.
CUT = """
import os, pathlib, runpy, subprocess, sys
program, cut = sys.argv[1], int(sys.argv[2])
sys.argv = [program, *sys.argv[3:]]
done = []
def counted(real):
    def change(*a, **k):
        done.append(real.__name__)
        if len(done) == cut:
            os._exit(137)
        return real(*a, **k)
    return change
for place, name in ((os, "replace"), (os, "fsync"), (os, "unlink"), (os, "rename"), (os, "mkdir"), (os, "rmdir"),
                    (subprocess, "run")):
    setattr(place, name, counted(getattr(place, name)))
try:
    runpy.run_path(program, run_name="__main__")
finally:
    print(*done)
"""


class FirstBoot:
    """A node's root folder and stick, made from a folder of seeds."""

    def __init__(self, seeds: Path, home: Path, node: str = "spark01") -> None:
        self.root, self.stick = home / "root", home / "stick"
        self.home = self.root / "var/lib/spark-first-boot"
        self.root.mkdir(parents=True)
        for file in yaml.safe_load((seeds / f"nodes/{node}/user-data").read_text())["write_files"]:
            if file["path"].startswith("/etc/spark-seed/"):
                self.put(file["path"], file["content"])
        self.put("/sys/class/dmi/id/product_serial", f"{SERIAL}\n")
        self.put("/proc/sys/kernel/random/boot_id", "6d1c3c1a-0000-4000-8000-000000000001\n")
        for kind in ("ed25519", "ecdsa", "rsa"):
            for end in ("", ".pub"):
                self.put(f"/etc/ssh/ssh_host_{kind}_key{end}", "of the image, on every machine\n")
        shutil.copytree(seeds / f"nodes/{node}/oemdata", self.stick)

    def copied(self, home: Path) -> "FirstBoot":
        """A node in the same state."""
        made = copy.copy(self)
        made.root, made.stick = home / "root", home / "stick"
        made.home = made.root / "var/lib/spark-first-boot"
        shutil.copytree(self.root, made.root)
        shutil.copytree(self.stick, made.stick)
        return made

    def put(self, path: str, text: str) -> None:
        """Put a file into the root."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run(self, *, wait: float = 0, stick: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the hook once, as its unit does."""
        command = [sys.executable, "-I", str(PROGRAM), *self.arguments(wait, stick)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, umask=0o077)

    def cut(self, number: int) -> subprocess.CompletedProcess[str]:
        """Run it, and cut the power before a change of the disk; 0 for not at all."""
        command = [sys.executable, "-c", CUT, str(PROGRAM), str(number), *self.arguments(0, None)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def arguments(self, wait: float, stick: Path | None) -> list[str]:
        """The arguments of the hook."""
        return ["--root", str(self.root), "--stick", str(stick or self.stick), "--wait", str(wait)]

    def beacon(self) -> dict[str, Any]:
        """What the hook left."""
        found: dict[str, Any] = json.loads((self.home / "beacon.json").read_text())
        return found

    def keys(self) -> dict[str, str]:
        """The public host keys, by type."""
        return {
            kind: (self.root / f"etc/ssh/ssh_host_{kind}_key.pub").read_text() for kind in ("ed25519", "ecdsa", "rsa")
        }

    def snapshot(self) -> dict[str, tuple[int, int, int]]:
        """Every file with what changes when it is written."""
        return {
            str(path.relative_to(self.root)): (path.lstat().st_ino, path.lstat().st_mtime_ns, path.lstat().st_mode)
            for path in self.root.rglob("*")
        }


def is_proven(beacon: dict[str, Any], master: bytes) -> bool:
    """Whether the HMAC of a beacon holds."""
    rest = {key: value for key, value in beacon.items() if key != "hmac"}
    said = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    secret = bytes.fromhex(node_secret(master, beacon["node_id"], beacon["instance_id"]))
    told: str = beacon["hmac"]
    return hmac.compare_digest(hmac.new(secret, said, hashlib.sha256).hexdigest(), told)
