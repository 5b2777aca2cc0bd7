"""What clients are measured against: a real sshd, and the farm; both on every loopback address, on one port each."""

import contextlib
import getpass
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl.probes.program import bundle
from sparkctl.resources import shipped
from tests.bench.farm import NO_PROGRAM
from tests.bench.machine import ROOT, Cores
from tests.support.sshd import free_port, make_key, public_key, require_sshd

MOST_NODES = 5000
_PER_BLOCK = 250
_START_SECONDS = 15.0

_SSHD = """\
Port {port}
ListenAddress 0.0.0.0 rdomain lo
HostKey {host_key}
AuthorizedKeysFile {authorized}
SetEnv SHLVL=1 PATH={tools}:/usr/local/bin:/usr/bin:/bin
PidFile none
UsePAM no
UseDNS no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
LogLevel ERROR
MaxStartups 3000
MaxSessions 200
Subsystem sftp internal-sftp
"""
_SSH = """\
Host *
  Port {port}
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  LogLevel ERROR
"""
# Plays python3 on the nodes of sshd: takes the announced bytes and prints the recorded document for the nonce.
_PYTHON3 = """\
#!/bin/sh
for word do
    case ${{#word}} in 32) nonce=$word ;; esac
    case $word in '' | *[!0-9]*) ;; *) bytes=${{bytes:-$word}} ;; esac
done
head -c "$bytes" >/dev/null
printf 'sparkctl-frame/1 %s {length} {digest}\\n' "$nonce"
exec cat {document}
"""


@dataclass(frozen=True)
class Target:
    """A server that is up, and the files with which clients reach its nodes."""

    name: str
    port: int
    folder: Path
    pid: int

    @property
    def user(self) -> str:
        """Who logs in: whoever runs the benchmark."""
        return getpass.getuser()

    @property
    def key(self) -> Path:
        """The key that is accepted."""
        return self.folder.parent / "user_key"

    def known_hosts(self, nodes: int) -> Path:
        """The pins of so many nodes."""
        path = self.folder / f"known_hosts.{nodes}"
        host_key = public_key(self.folder.parent / "host_key")
        path.write_text("".join(f"[{host}]:{self.port} {host_key}\n" for host in addresses(nodes)))
        return path

    def ssh_config(self, nodes: int) -> Path:
        """What `ssh -F` is given."""
        path = self.folder / f"ssh_config.{nodes}"
        path.write_text(_SSH.format(port=self.port, user=self.user, key=self.key, known_hosts=self.known_hosts(nodes)))
        return path

    def fleet(self, nodes: int) -> Path:
        """The same nodes as an inventory of sparkctl, in blocks of 250 as ranges."""
        lines = [
            "defaults:",
            f"  ssh: {{port: {self.port}, user: {self.user}, agent: false, identity_files: ['{self.key}'],",
            f"        known_hosts_files: ['{self.known_hosts(nodes)}']}}",
            "  simulated: true",
            "nodes:",
        ]
        for block, first in enumerate(range(0, nodes, _PER_BLOCK), 1):
            last = min(nodes, first + _PER_BLOCK)
            address = f'"127.0.{block}.[1-{last - first}]"'
            lines.append(f"  node[{first + 1:05}-{last:05}]: {{rack: r{block}, ssh: {{host: {address}}}}}")
        path = self.folder / f"fleet.{nodes}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def cpu_seconds(self) -> float:
        """CPU of the server so far, with all of its children that have ended."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def addresses(nodes: int) -> list[str]:
    """Loopback addresses 127.0.1.1, 127.0.1.2 and on."""
    return [f"127.0.{1 + n // _PER_BLOCK}.{1 + n % _PER_BLOCK}" for n in range(nodes)]


@contextlib.contextmanager
def farm(folder: Path, document: Path, cores: Cores) -> Iterator[Target]:
    """The farm, up."""
    place, authorized = _prepared(folder, "farm")
    port = free_port()
    command = [
        sys.executable, "-m", "tests.bench.farm",
        str(port), str(folder / "host_key"), str(authorized), str(document),
    ]  # fmt: skip
    with _server("farm", command, port, place, cores) as target:
        yield target


@contextlib.contextmanager
def sshd(folder: Path, document: Path, cores: Cores) -> Iterator[Target]:
    """A real sshd, up, whose nodes have a python3 that only prints the recorded document."""
    place, authorized = _prepared(folder, "sshd")
    _write_python3(place, document)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = free_port()
    config = place / "sshd_config"
    config.write_text(
        _SSHD.format(port=port, host_key=folder / "host_key", authorized=authorized, tools=place / "tools")
    )
    with _server("sshd", [require_sshd(), "-D", "-e", "-f", str(config)], port, place, cores) as target:
        yield target


def _prepared(folder: Path, name: str) -> tuple[Path, Path]:
    """The folder of a target, and its authorized_keys."""
    place = folder / name
    place.mkdir()
    make_key(folder / "host_key")
    authorized = place / "authorized_keys"
    authorized.write_text(public_key(make_key(folder / "user_key")) + "\n")
    return place, authorized


def _write_python3(place: Path, document: Path) -> None:
    program = bundle(shipped("diag")).sha256
    said = document.read_bytes().replace(NO_PROGRAM, program.encode())
    (place / "document.json").write_bytes(said + b"\n")
    script = place / "tools" / "python3"
    script.parent.mkdir()
    digest = hashlib.sha256(said).hexdigest()
    script.write_text(_PYTHON3.format(length=len(said), digest=digest, document=place / "document.json"))
    script.chmod(0o755)


@contextlib.contextmanager
def _server(name: str, command: list[str], port: int, place: Path, cores: Cores) -> Iterator[Target]:
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        os.sched_setaffinity(process.pid, cores.server)
        _await_answer(process, port, place / "log")
        yield Target(name, port, place, process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(_START_SECONDS)


def _await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server greets; raises RuntimeError with what it said if it does not."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.1.1", port), timeout=5) as connection:
            if connection.recv(4) == b"SSH-":
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-500:]}")
