"""A name server that takes every question and answers none, for the processes of one mount namespace."""

import contextlib
import secrets
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_FILES = ("resolv.conf", "nsswitch.conf", "hosts")
# With these two, which are the C library's upper limits, one look-up hangs for two and a half minutes.
_PATIENCE = "options timeout:30 attempts:5"


@dataclass(frozen=True)
class SilentNameServer:
    """`through` runs a command with this name server and a hosts file of its own."""

    through: Sequence[str]
    questions: socket.socket

    def was_asked(self) -> bool:
        """Whether a question came."""
        with contextlib.suppress(BlockingIOError):
            return bool(self.questions.recv(512))
        return False


@contextlib.contextmanager
def silent_name_server(folder: Path, hosts: Mapping[str, str]) -> Iterator[SilentNameServer]:
    """UDP and TCP port 53 of a loopback address, read by nobody; `hosts` are the names that need no server."""
    with contextlib.ExitStack() as stack:
        address, questions = _listen(stack)
        files = {
            "resolv.conf": f"nameserver {address}\n{_PATIENCE}\n",
            "nsswitch.conf": "hosts: files dns\n",
            "hosts": "".join(f"{where} {name}\n" for name, where in hosts.items()),
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        through = ("unshare", "--mount", "sh", "-c", _binding(folder), "sh")
        tried = subprocess.run([*through, "true"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            pytest.skip(f"a resolv.conf for one process needs root and CAP_SYS_ADMIN: {tried.stderr.strip()}")
        yield SilentNameServer(through, questions)


def _listen(stack: contextlib.ExitStack) -> tuple[str, socket.socket]:
    address = f"127.53.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    questions = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    questions.setblocking(False)
    try:
        questions.bind((address, 53))
        stack.enter_context(socket.create_server((address, 53)))
    except PermissionError as error:
        pytest.skip(f"port 53 needs root or CAP_NET_BIND_SERVICE: {error}")
    return address, questions


def _binding(folder: Path) -> str:
    mounts = [f"mount --bind {folder}/{name} /etc/{name}" for name in _FILES]
    return " && ".join([*mounts, 'exec "$@"'])
