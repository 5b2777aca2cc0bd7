"""First boot of a node: verify what its stick brings, put it in place, make host keys, and say what was done.

Needs Python 3.10 and ssh-keygen, nothing else. It may be stopped at any point and run again: each step is either
undone, and done then, or done, and left alone. It never touches cloud-init. As long as it is not done it ends with 1,
and its unit runs it again, later and at the next boot.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = "sparkctl.seed-beacon/1"
PAYLOAD_SCHEMA = "sparkctl.seed-payload/1"
NAMESPACE = SIGNER = "spark-seed"
LABEL = "OEMDATA"
SECONDS = 60.0  # of any command
MAX_PAYLOAD = 4 * 2**20  # bytes
MAX_FILE = 256 * 2**20  # bytes, as on the side that makes sticks
TARGET = re.compile(r"(/[A-Za-z0-9._+:-]+)+")  # a colon as in certs.d/HOST:PORT
SOURCE = re.compile(r"files/[A-Za-z0-9._-]+")
KEY_TYPES = ("ed25519", "ecdsa", "rsa")


class Refused(Exception):
    """What is on the stick is not to be trusted, or not for this node."""


class Waiting(Exception):
    """The stick is not there, or not whole; another try may find it."""


class Node:
    """The places on this machine, all below `root`, which is `/` but in tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "var/lib/spark-first-boot"
        self.seed = root / "etc/spark-seed"
        self.ssh = root / "etc/ssh"
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def about(self) -> dict:
        """Who this node is, by its seed."""
        return json.loads((self.seed / "node.json").read_text("utf-8"))

    def is_done(self) -> bool:
        """Whether the stick of this seed was taken in; a seed that was made anew has another instance."""
        return _line(self.home / "done") == self.about()["instance_id"]

    def serial(self) -> "str | None":
        """The serial that the firmware of this machine tells."""
        return _line(self.root / "sys/class/dmi/id/product_serial")

    def boot_id(self) -> "str | None":
        """Which boot this is."""
        return _line(self.root / "proc/sys/kernel/random/boot_id")


def main() -> int:
    """Run once; 0 when all is done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path("/"), help="for tests: another root folder")
    parser.add_argument("--stick", type=Path, help="a folder with what the stick holds, instead of the stick")
    parser.add_argument("--wait", type=float, default=300.0, help="seconds to wait for the stick")
    options = parser.parse_args()
    node = Node(options.root)
    if node.is_done():
        return 0
    report = Report(node)
    state = "waiting"
    try:
        make_host_keys(node, report)
        with stick(options.stick, options.wait) as folder:
            state = take_in(node, report, folder)
    except Waiting as error:
        report.error(str(error))
    except Refused as error:
        state = "refused"
        report.error(str(error))
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        report.error(f"{type(error).__name__}: {error}")
    if state == "done":
        return 0
    report.write(state, None)
    return 1


class Report:
    """What is told of this run: the beacon."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.steps: list = []
        self.errors: list = []
        self.placed: dict = {}
        self.host_keys: list = []
        self.signer = None
        self.payload = None
        before = read_json(node.home / "beacon.json") or {}
        self.attempts = int(before.get("attempts", 0)) + 1

    def error(self, words: str) -> None:
        """Note what went wrong, as one printable line."""
        shown = "".join(letter if letter.isprintable() else "?" for letter in words)[:400]
        self.errors.append(shown)
        print(f"spark-first-boot: {shown}", file=sys.stderr)

    def write(self, state: str, secret: "bytes | None") -> bytes:
        """Put the beacon on the disk, signed where the secret of the stick is known."""
        about = self.node.about()
        document = {
            "schema": SCHEMA,
            "state": state,
            "node_id": about["node_id"],
            "instance_id": about["instance_id"],
            "serial": self.node.serial(),
            "boot_id": self.node.boot_id(),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "attempts": self.attempts,
            "steps": self.steps,
            "signer": self.signer,
            "payload_sha256": self.payload,
            "placed": self.placed,
            "host_keys": self.host_keys,
            "errors": self.errors,
        }
        document["hmac"] = hmac.new(secret, canonical(document), hashlib.sha256).hexdigest() if secret else None
        content = json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
        replace(self.node.home / "beacon.json", content, 0o600)
        return content


def canonical(document: dict) -> bytes:
    """The bytes that the HMAC is taken over: sorted keys, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def take_in(node: Node, report: Report, folder: Path) -> str:
    """Verify the stick, put its files in place, and report; the state that this ends in."""
    payload = verified(node, report, folder)
    for_this_machine(node, payload)
    secret = read_bounded(folder / "enrolment.key", 4096)
    if hashlib.sha256(secret).hexdigest() != payload["enrolment"]:
        raise Refused("enrolment.key is not the one that was signed")
    report.steps.append("verified")
    staged = stage(node, payload, folder)
    report.steps.append("staged")
    for entry in payload["files"]:
        place(node, entry, staged)
        report.placed[entry["target"]] = entry["sha256"]
    report.steps.append("placed")
    for path in staged.iterdir():
        path.unlink()
    beacon = report.write("done", bytes.fromhex(secret.decode("ascii").strip()))
    carry_home(folder, beacon)
    replace(node.home / "done", payload["instance_id"].encode(), 0o600)
    return "done"


def verified(node: Node, report: Report, folder: Path) -> dict:
    """The payload, once its signature held under a key of the seed."""
    content = read_bounded(folder / "payload.json", MAX_PAYLOAD)
    signature = read_bounded(folder / "payload.json.sig", 65536)
    kept = node.home / "signature"
    replace(kept, signature, 0o600)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(node.seed / "allowed_signers")]
    command += ["-I", SIGNER, "-n", NAMESPACE, "-s", str(kept)]
    ran = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=False)
    fingerprint = re.search(r"SHA256:[A-Za-z0-9+/]{43}", ran.stdout.decode("utf-8", "replace"))
    if ran.returncode != 0 or fingerprint is None:
        raise Refused("payload.json is not signed by a key that this seed knows")
    payload = json.loads(content)
    if payload.get("schema") != PAYLOAD_SCHEMA:
        raise Refused("payload.json is of a kind that this program does not know")
    report.signer, report.payload = fingerprint.group(), hashlib.sha256(content).hexdigest()
    return payload


def for_this_machine(node: Node, payload: dict) -> None:
    """Refuse the stick of another node."""
    about = node.about()
    for key in ("node_id", "instance_id"):
        if payload[key] != about[key]:
            raise Refused(f"the stick is for {key} {payload[key]}, and this is {about[key]}")
    serial = node.serial()
    if payload["serial"] is not None and serial != payload["serial"]:
        raise Refused(f"the stick is for serial {payload['serial']}, and this machine says {serial}")


def stage(node: Node, payload: dict, folder: Path) -> Path:
    """Copy every file off the stick and prove it, before any of them is put in place."""
    staged = node.home / "staged"
    staged.mkdir(mode=0o700, exist_ok=True)
    for entry in payload["files"]:
        if not SOURCE.fullmatch(entry["source"]) or not TARGET.fullmatch(entry["target"]):
            raise Refused(f"{entry['target']} is no place for a file")
        if {".", ".."} & set(entry["target"].split("/")):
            raise Refused(f"{entry['target']} is no place for a file")
        if entry["size"] > MAX_FILE:
            raise Refused(f"{entry['source']} is larger than {MAX_FILE} bytes")
        copy = staged / entry["sha256"]
        if digest_of(copy) == entry["sha256"]:
            continue
        content = read_bounded(folder / entry["source"], entry["size"])
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise Refused(f"{entry['source']} is not the file that was signed")
        replace(copy, content, 0o600)
    return staged


def place(node: Node, entry: dict, staged: Path) -> None:
    """Put one file in place, whole or not at all; one that is there already is left alone."""
    target = node.root / entry["target"].lstrip("/")
    mode = int(entry["mode"], 8)
    if digest_of(target) == entry["sha256"] and not target.is_symlink() and target.stat().st_mode & 0o7777 == mode:
        return
    before = os.umask(0o022)  # that of the unit would close new folders to those for whom the file is
    target.parent.mkdir(parents=True, exist_ok=True)
    os.umask(before)
    replace(target, (staged / entry["sha256"]).read_bytes(), mode)


def make_host_keys(node: Node, report: Report) -> None:
    """Replace the host keys of the image, once; keys of an image may be on many machines.

    The set is made aside and committed by one rename. From then on the same keys are put in place at every try.
    """
    made = node.home / "host-keys"
    if not (node.home / "host-keys-done").exists():
        if not made.exists():
            generate(node, made)
        node.ssh.mkdir(mode=0o755, parents=True, exist_ok=True)
        for kind in KEY_TYPES:
            for name, mode in ((f"ssh_host_{kind}_key", 0o600), (f"ssh_host_{kind}_key.pub", 0o644)):
                replace(node.ssh / name, (made / name).read_bytes(), mode)
        replace(node.home / "host-keys-done", b"", 0o600)
        restart_sshd(node)
    if made.exists():
        for path in made.iterdir():
            path.unlink()
        made.rmdir()
    for kind in KEY_TYPES:
        words = (node.ssh / f"ssh_host_{kind}_key.pub").read_text("ascii").split()
        report.host_keys.append({"public_key": " ".join(words[:2]), "fingerprint": fingerprint_of(words[1])})
    report.steps.append("host_keys")


def generate(node: Node, made: Path) -> None:
    """One key of each type, in a folder that has its name only when all are there."""
    for left in node.home.glob(".host-keys-*"):
        for path in left.iterdir():
            path.unlink()
        left.rmdir()
    making = Path(tempfile.mkdtemp(prefix=".host-keys-", dir=node.home))
    for kind in KEY_TYPES:
        key = making / f"ssh_host_{kind}_key"
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", node.about()["node_id"], "-f", str(key)]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True)
        sync(key)
        sync(Path(f"{key}.pub"))
    sync(making)
    making.rename(made)
    sync(node.home)


def restart_sshd(node: Node) -> None:
    """Have a running sshd show the new keys; where it does not run yet, it will."""
    if node.root == Path("/"):
        command = ["systemctl", "try-reload-or-restart", "ssh.service"]
        subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)


@contextlib.contextmanager
def stick(given: "Path | None", wait: float):
    """The folder in which the stick is mounted, read-only, or the one that was given; raises Waiting."""
    until = time.monotonic() + wait
    place = given or Path("/dev/disk/by-label", LABEL)
    while not place.exists():
        if time.monotonic() >= until:
            raise Waiting(f"there is no {place}: the stick is not in, or is late")
        time.sleep(1)
    if place.is_dir():
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="spark-first-boot-", dir="/run") as folder:
        mount("-o", "ro,nosuid,nodev,noexec", str(place.resolve()), folder)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], capture_output=True, timeout=SECONDS, check=False)


def carry_home(folder: Path, beacon: bytes) -> None:
    """Leave the beacon on the stick, too, to be carried to the bastion; one that cannot be written stops nothing."""
    try:
        if os.path.ismount(folder):
            mount("-o", "remount,rw", str(folder))
        replace(folder / "beacon.json", beacon, 0o600)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"spark-first-boot: the beacon is not on the stick: {error}", file=sys.stderr)


def mount(*arguments: str) -> None:
    ran = subprocess.run(["mount", *arguments], capture_output=True, timeout=SECONDS, check=False)
    if ran.returncode != 0:
        raise OSError(f"mount: {ran.stderr.decode('utf-8', 'replace').strip()[:200]}")


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a file of the stick; raises Waiting when it is not there, Refused when it is too long."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Waiting(f"{path.name} cannot be read from the stick: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Waiting(f"{path.name} cannot be read from the stick: it is no file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Refused(f"{path.name} is longer than {limit} bytes")
    return content


def digest_of(path: Path) -> "str | None":
    """The SHA-256 of a file, None when it is not there, or is a pipe, a device or a folder."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except OSError:
        return None


def fingerprint_of(encoded: str) -> str:
    """The fingerprint of a public key, as ssh-keygen shows it."""
    digest = hashlib.sha256(base64.b64decode(encoded)).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def read_json(path: Path) -> "dict | None":
    """A JSON object, None when there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def replace(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place so that a power cut leaves the old one or the new one whole.

    What a cut leaves under the passing name, the next try removes: nothing gathers. Nothing that a stick has under it,
    a pipe or a second name of another file, is written to.
    """
    passing = path.with_name(f".{path.name}.first-boot")
    passing.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(passing, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(passing, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(path: Path) -> "str | None":
    try:
        text = path.read_text("utf-8", "replace").strip()
    except OSError:
        return None
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:100] or None


if __name__ == "__main__":
    sys.exit(main())
