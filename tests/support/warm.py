"""Processes of sparkctl that need not import it first: forked from one that has; streams and exit codes are their own.

Importing takes most of the time of a short command, and the programs for the nodes most of what is left; the tests run
hundreds. What a forked process does not show is how long a start takes, what is imported, and how the interpreter was
called: tests of these start a real one.
"""

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from typing import Any, NoReturn

_MOST = 128 * 1024
_STREAMS = 3

Request = dict[str, Any]


def import_all() -> None:
    """Every module of sparkctl, and with them what they use."""
    import sparkctl  # noqa: PLC0415 - the client needs none of it

    for module in pkgutil.walk_packages(sparkctl.__path__, "sparkctl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def make_programs() -> None:
    """Every program that nodes are asked with."""
    from sparkctl.app.programs import program_of  # noqa: PLC0415 - the client needs none of it
    from sparkctl.probes.program import ENTRIES  # noqa: PLC0415

    for command in ENTRIES:
        program_of(command)


def serve(listener: socket.socket) -> Request | None:
    """Fork a process for each request; in the forked one, return that request. Returns None at the end of stdin."""
    with contextlib.ExitStack() as ours:  # nothing of it is left open in a forked process
        selector = ours.enter_context(selectors.DefaultSelector())
        ended, wake = (ours.enter_context(os.fdopen(end, "rb", 0)) for end in os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        signal.set_wakeup_fd(wake.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for source in (ours.enter_context(listener), sys.stdin, ended):
            selector.register(source, selectors.EVENT_READ)
        waiting: dict[int, socket.socket] = {}
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if sys.stdin in ready:
                return None
            if ended in ready:
                ended.read(4096)
                _tell_ends(waiting)
            if listener in ready:
                client = ours.enter_context(listener.accept()[0])
                said, streams = _taken(client)
                if (pid := os.fork()) == 0:
                    _take_streams(streams)
                    return said
                for stream in streams:
                    os.close(stream)
                client.send(str(pid).encode())
                waiting[pid] = client


def _taken(client: socket.socket) -> tuple[Request, list[int]]:
    message, extra, _, _ = client.recvmsg(_MOST, socket.CMSG_SPACE(_STREAMS * array.array("i").itemsize))
    streams = array.array("i")
    streams.frombytes(extra[0][2])
    request: Request = json.loads(message)
    return request, list(streams)


def _tell_ends(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        client = waiting.pop(pid)
        with contextlib.suppress(OSError):
            client.send(str(status).encode())
        client.close()


def _take_streams(streams: list[int]) -> None:
    """Be somebody else's process."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)


def become(request: Request) -> None:
    """What `python -m sparkctl` does once it is imported."""
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    tempfile.tempdir = None
    os.chdir(request["cwd"])
    sys.argv = ["sparkctl", *request["arguments"]]
    try:
        runpy.run_module("sparkctl", run_name="__main__", alter_sys=True)
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            _leave(leaving.code or 0)
        raise
    _leave(0)


def _leave(code: int) -> NoReturn:
    """End as an interpreter does, but for taking apart all that was imported, which takes longer than most commands."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(arguments: list[str], env: dict[str, str], cwd: str, streams: tuple[int, int, int], address: str) -> "Running":
    """Have the server at an address start a process."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(address)
    request = json.dumps({"arguments": arguments, "env": env, "cwd": cwd}).encode()
    client.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))])
    return Running(client, int(client.recv(64)))


class Running:
    """A process that the server started."""

    def __init__(self, client: socket.socket, pid: int) -> None:
        self._client, self.pid = client, pid

    def wait(self, seconds: float) -> int:
        """Its exit code, negative for a signal; raises TimeoutError."""
        self._client.settimeout(max(seconds, 0.001))
        code = os.waitstatus_to_exitcode(int(self._client.recv(64)))
        self._client.close()
        return code

    def kill(self) -> None:
        """End it and wait for that."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait(30)


if __name__ == "__main__":
    import_all()
    make_programs()
    gc.collect()
    gc.freeze()
    acceptor = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    acceptor.bind(sys.argv[1])
    acceptor.listen(64)
    print("ready", flush=True)
    if (wanted := serve(acceptor)) is not None:
        become(wanted)
