"""A real OpenSSH server for tests: own configuration, own keys, a free loopback port; as root or as anybody.

    with Sshd(tmp_path) as server: ...     # server.port, server.user, server.user_key, server.known_hosts_line()

Tests that need it and find no `sshd` are skipped with the reason.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
_PRIVILEGE_SEPARATION = Path("/run/sshd")
_START_SECONDS = 10.0
_MARK = "SPARKCTL_TEST_SSHD"


def require_sshd() -> str:
    """The path of sshd, or a skip that says what is missing."""
    if SSHD is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no OpenSSH server here: install the package openssh-server to run this test")
    return SSHD


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A new key pair at `path` and `path`.pub; an existing one is kept."""
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def public_key(path: Path) -> str:
    """`TYPE BASE64` of the key pair at `path`."""
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def sign_key(authority: Path, key: Path, *, principals: Sequence[str], host: bool, validity: str = "-5m:+1h") -> Path:
    """A certificate for `key`, signed by `authority`; the path of the certificate."""
    kind = ["-h"] if host else []
    subject = ["-I", "test", "-n", ",".join(principals), "-V", validity]
    subprocess.run(["ssh-keygen", "-q", "-s", str(authority), *kind, *subject, f"{key}.pub"], check=True)
    return Path(f"{key}-cert.pub")


def fingerprint(path: Path) -> str:
    """`SHA256:...` of the key pair at `path`."""
    run = subprocess.run(["ssh-keygen", "-l", "-f", f"{path}.pub"], check=True, capture_output=True, text=True)
    return run.stdout.split()[1]


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


class Sshd:
    """One server. It accepts `user_key` for the user who runs the tests.

    `addresses` share one port; sshd takes at most 16. `host_keys` are used in place of a new one, `host_certificate`
    goes with the first of them, `user_ca` is the key pair of a CA whose user certificates are accepted,
    `force_command` runs whatever is asked for, and `extra` are further lines of sshd_config (a `Match` block must come
    last).
    """

    def __init__(
        self,
        folder: Path,
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        host_keys: Sequence[Path] = (),
        host_certificate: Path | None = None,
        user_ca: Path | None = None,
        accept_user_key: bool = True,
        force_command: str | None = None,
        max_startups: str = "200",
        extra: Sequence[str] = (),
    ) -> None:
        self.program = require_sshd()
        self.folder = folder / f"sshd-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir(parents=True)
        self.addresses = tuple(addresses)
        self.host = self.addresses[0]
        self.port = 0
        self.user = getpass.getuser()
        self.host_keys = tuple(host_keys) or (make_key(self.folder / "host_key"),)
        self.user_key = make_key(folder / "user_key")
        self._settings = {
            "host_certificate": host_certificate,
            "user_ca": user_ca,
            "accept_user_key": accept_user_key,
            "force_command": force_command,
            "max_startups": max_startups,
        }
        self._extra = tuple(extra)
        self._mark = uuid.uuid4().hex
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host_key(self) -> Path:
        """The key pair that the server shows."""
        return self.host_keys[0]

    @property
    def log(self) -> str:
        """What the server wrote to its log."""
        return (self.folder / "log").read_text(errors="replace")

    def known_hosts_line(self, host: str | None = None, key: Path | None = None) -> str:
        """The line of known_hosts that pins this server."""
        return f"[{host or self.host}]:{self.port} {public_key(key or self.host_key)}\n"

    def start(self) -> Self:
        """Start, and return when it answers on every address."""
        if os.geteuid() == 0:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        for _ in range(5):
            self.port = free_port(self.host)
            (self.folder / "sshd_config").write_text(self._configuration())
            with (self.folder / "log").open("wb") as log:
                command = [self.program, "-D", "-e", "-f", str(self.folder / "sshd_config")]
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self._answers():
                return self
            self.stop()
        raise RuntimeError(f"sshd did not start: {self.log}")

    def stop(self) -> None:
        """Stop the server, its connections, and whatever they still run."""
        if self._process is not None:
            connections = list(_children(self._process.pid))
            self._process.terminate()
            self._process.wait(timeout=_START_SECONDS)
            self._process = None
            for pid in [*connections, *self._marked()]:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _configuration(self) -> str:
        wanted = self._settings
        authorized = self.folder / "authorized_keys"
        authorized.write_text(public_key(self.user_key) + "\n" if wanted["accept_user_key"] else "")
        lines = [
            f"Port {self.port}",
            *(f"ListenAddress {address}" for address in self.addresses),
            *(f"HostKey {key}" for key in self.host_keys),
            f"AuthorizedKeysFile {authorized}",
            f"MaxStartups {wanted['max_startups']}",
            f"SetEnv {_MARK}={self._mark} SHLVL=1",  # a bash below the first level reads no ~/.bashrc
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PrintMotd no",
            "PrintLastLog no",
            "LogLevel VERBOSE",
        ]
        if wanted["host_certificate"]:
            lines.append(f"HostCertificate {wanted['host_certificate']}")
        if wanted["user_ca"]:
            lines.append(f"TrustedUserCAKeys {wanted['user_ca']}.pub")
        if wanted["force_command"]:
            lines.append(f"ForceCommand {wanted['force_command']}")
        return "\n".join([*lines, *self._extra]) + "\n"

    def _answers(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        waiting = list(self.addresses)
        while waiting and time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            try:
                with socket.create_connection((waiting[0], self.port), timeout=1) as probe:
                    if probe.recv(4) == b"SSH-":
                        waiting.pop(0)
            except OSError:
                time.sleep(0.02)
        return not waiting

    def _marked(self) -> Iterator[int]:
        """Processes that were started through this server and outlived their connection."""
        mark = f"{_MARK}={self._mark}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes():
                    yield int(entry.name)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _children(int(child))
