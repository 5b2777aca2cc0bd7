"""The lab's SSH server: one process, one loopback address and one host key for each simulated node."""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from sparkctl.errors import UsageError
from sparkctl.lab import state
from sparkctl.lab.characters import behaviour_of
from sparkctl.lab.children import Children, end_offspring
from sparkctl.lab.login import Gate
from sparkctl.lab.node_state import REBOOT
from sparkctl.lab.scenery import Scenery
from sparkctl.lab.state import Lab, LabNode, Served
from sparkctl.lab.wrappers import ACTS

BACKLOG = 128
PORT_ATTEMPTS = 20
PAUSE = 0.05
CHILDREN = max(8, 2 * (os.cpu_count() or 2))
HTTP_ANSWER = b"HTTP/1.1 400 Bad Request\r\nServer: simulated\r\nContent-Length: 0\r\n\r\n"


class LabServer:
    """Serves a lab until it is stopped."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._port = 0
        self._listeners: dict[str, tuple[socket.socket, asyncio.Task[None]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stop = asyncio.Event()
        self._last_visit = 0.0
        self._scenery = Scenery(lab)
        self._down: set[str] = set()
        self._gate = Gate(lab, self._scenery, Children(CHILDREN))

    async def serve(self, ready: Callable[[int], None]) -> None:
        """Listen on every address, call `ready` with the port, and serve until a signal or a time limit ends it.

        Raises UsageError when an address or a port cannot be had.
        """
        loop = asyncio.get_running_loop()
        _allow_many_files()
        sockets = self._bind_all()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._apply_changes()))
        loop.add_signal_handler(signal.SIGUSR1, self._restart_those_who_ask)
        for node in self._lab.nodes:
            self._listen(node, sockets[node.name])
        ready(self._port)
        self._last_visit = loop.time()
        self._spawn(self._watch_time())
        self._spawn(self._scenery.write_all())
        try:
            await self._stop.wait()
        finally:
            await self._end()

    def _bind_all(self) -> dict[str, socket.socket]:
        """One socket for each node; nodes that are down get theirs closed again, so that the port is one for all."""
        for _ in range(PORT_ATTEMPTS):
            sockets: dict[str, socket.socket] = {}
            self._port = 0
            try:
                for node in self._lab.nodes:
                    sockets[node.name] = _bind(node.address, self._port)
                    self._port = sockets[node.name].getsockname()[1]
                return sockets
            except OSError as error:
                for bound in sockets.values():
                    bound.close()
                if error.errno != errno.EADDRINUSE:
                    raise UsageError(
                        f"the lab cannot listen on {node.address}: {error.strerror}",
                        hint="every simulated node has a loopback address of its own; Linux answers on all of 127/8",
                    ) from error
        raise UsageError("the lab finds no port that is free on all its addresses", hint="try again, or fewer nodes")

    def _listen(self, node: LabNode, listener: socket.socket) -> None:
        if behaviour_of(node.fault) == "down" or node.name in self._down:
            listener.close()
            return
        listener.listen(BACKLOG)
        self._listeners[node.name] = (listener, self._spawn(self._accept(node.name, listener)))

    async def _accept(self, name: str, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # out of file descriptors: those who are served now will give some back
                await asyncio.sleep(0.1)
                continue
            self._last_visit = loop.time()
            self._spawn(self._receive(name, connection))

    async def _receive(self, name: str, connection: socket.socket) -> None:
        behaviour = behaviour_of(self._lab.node(name).fault)
        with connection:
            if behaviour == "never-answers":
                await _swallow(connection)
            elif behaviour == "not-ssh":
                with contextlib.suppress(OSError):
                    await asyncio.get_running_loop().sock_sendall(connection, HTTP_ANSWER)
            else:
                await self._gate.welcome(self._lab.node(name), connection)

    async def _apply_changes(self) -> None:
        """Bring into effect what `lab.json` says now."""
        fresh, problem = state.read(self._lab.directory), None
        if fresh is None:
            return
        before, self._lab = {node.name: node for node in self._lab.nodes}, fresh
        for node in fresh.nodes:
            if node == before.get(node.name):
                continue
            try:
                await self._scenery.change(node)
                await self._reopen(node)
            except OSError as error:
                problem = f"{node.name} on {node.address} port {self._port}: {error.strerror}"
        self._report(problem)

    async def _reopen(self, node: LabNode) -> None:
        open_now = node.name in self._listeners
        wanted = behaviour_of(node.fault) != "down" and node.name not in self._down
        if open_now and not wanted:
            await self._close(node.name)
        elif wanted and not open_now:
            self._listen(node, _bind(node.address, self._port))

    async def _close(self, name: str) -> None:
        listener, task = self._listeners.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listener.close()

    def _restart_those_who_ask(self) -> None:
        for request in (self._lab.directory / ACTS).glob(f"*/{REBOOT}"):
            request.unlink(missing_ok=True)
            if request.parent.name not in self._down:
                self._spawn(self._restart(request.parent.name))

    async def _restart(self, name: str) -> None:
        """Cut a node off with all that runs on it, and let it come back as another boot."""
        loop = asyncio.get_running_loop()
        self._down.add(name)
        await asyncio.sleep(self._lab.pace.shutdown_s)
        await self._reopen(self._lab.node(name))
        self._gate.cut_off(name)
        await asyncio.to_thread(end_offspring, self._lab.directory, name)
        went = loop.time()
        while self._is_away(name, loop.time() - went):  # noqa: ASYNC110 - the fault may change meanwhile
            await asyncio.sleep(PAUSE)
        await asyncio.to_thread(self._scenery.restart, self._lab.node(name))
        await self._scenery.tree(name)
        self._down.discard(name)
        await self._reopen(self._lab.node(name))

    def _is_away(self, name: str, seconds: float) -> bool:
        """Whether a restarting node still is, this long after it went."""
        pace, fault = self._lab.pace, self._lab.node(name).fault
        return fault == "reboot-never-returns" or seconds < (
            pace.slow_reboot_s if fault == "reboot-slow" else pace.reboot_s
        )

    def _report(self, problem: str | None) -> None:
        served = Served(os.getpid(), self._port, self._lab.revision, problem)
        state.save_served(self._lab.directory, served)

    async def _watch_time(self) -> None:
        loop, started = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        while not self._stop.is_set():
            await asyncio.sleep(0.5)
            too_old = self._lab.seconds is not None and loop.time() - started > self._lab.seconds
            if too_old or loop.time() - self._last_visit > self._lab.idle_seconds:
                self._stop.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end(self) -> None:
        for listener, _ in self._listeners.values():
            listener.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._gate.close()
        await asyncio.to_thread(end_offspring, self._lab.directory)


def _allow_many_files() -> None:
    """A socket for each node and some for each visit need more than the usual soft limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _bind(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


async def _swallow(connection: socket.socket) -> None:
    """Read what comes and say nothing, until the far side goes."""
    with contextlib.suppress(OSError):
        while await asyncio.get_running_loop().sock_recv(connection, 4096):
            pass
