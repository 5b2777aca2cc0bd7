"""Start, stop and change a lab: a simulated fleet that answers over real SSH on loopback addresses."""

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sparkctl.errors import BusyError, UsageError
from sparkctl.lab import state
from sparkctl.lab.characters import CHARACTERS, FAULTS, cast, fault_named
from sparkctl.lab.children import end_offspring
from sparkctl.lab.fleet_file import write_fleet_files
from sparkctl.lab.keys import make_keys
from sparkctl.lab.state import Lab, LabNode, Pace
from sparkctl.lab.wrappers import write_wrappers
from sparkctl.resources import PACKAGE

__all__ = ["CHARACTERS", "FAULTS", "Lab", "LabNode", "break_node", "down", "load", "mend", "up"]

MAX_NODES = 1000
START_SECONDS = 30.0
CHANGE_SECONDS = 15.0
STOP_SECONDS = 10.0
EXIT_SECONDS = 1.0
PAUSE = 0.02
FOLDERS = ("acts", "bin", "keys", "shared", "trees")
FILES = (
    "approvers", "changes", "fleet.yaml", "known_hosts", "lab.json", "lock", "playbooks.yaml", "server.json",
    "server.log", "ssh_config",
)  # fmt: skip


def up(
    directory: Path,
    nodes: int,
    characters: Sequence[str] | None = None,
    seed: int = 0,
    *,
    seconds: float | None = None,
    idle_seconds: float = 4 * 3600.0,
    pace: Pace | None = None,
) -> Lab:
    """Start a lab of `nodes` simulated nodes named `sim-01` on; returns when all of them listen.

    `characters` are dealt out in turn (`healthy` for any healthy machine); None casts mostly healthy nodes with broken
    ones among them. `seed` decides the invented identifiers. The lab ends by itself after `seconds`, or after
    `idle_seconds` without a connection. `pace` is how long acts take. Raises UsageError for wrong arguments, a folder
    that holds something else, addresses that cannot be had; BusyError when a lab already runs there.
    """
    if not 1 <= nodes <= MAX_NODES:
        raise UsageError(f"a lab has 1 to {MAX_NODES} nodes, not {nodes}")
    players = cast(nodes, characters)
    directory = directory.absolute()
    _require_free(directory)
    width = max(2, len(str(nodes)))
    lab = Lab(
        directory=directory,
        seed=seed,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        nodes=tuple(
            LabNode(f"sim-{at + 1:0{width}}", f"127.77.{at // 250}.{at % 250 + 1}", make, fault)
            for at, (make, fault) in enumerate(players)
        ),
        seconds=seconds,
        idle_seconds=idle_seconds,
        pace=pace or Pace(),
    )
    try:
        _remove(directory)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_keys(lab)
        write_wrappers(directory)
        state.save(lab)
        _start(lab)
        running = _loaded(directory)
        write_fleet_files(running)
    except KeyboardInterrupt:
        down(directory)
        raise
    except OSError as error:
        down(directory)
        raise UsageError(f"the lab cannot use {directory}: {error.strerror}", hint="name another with --dir") from error
    return running


def down(directory: Path) -> bool:
    """Stop the lab in `directory` and remove its files; whether one was running. Raises UsageError."""
    directory = directory.absolute()
    lab = state.read(directory)
    if lab is None:
        return False
    running = lab.pid is not None
    if lab.pid is not None:
        _stop(lab.pid, directory)
    end_offspring(directory)
    try:
        _remove(directory)
    except OSError as error:
        raise UsageError(f"{directory} cannot be removed: {error.strerror}", hint="remove it by hand") from error
    return running


def load(directory: Path) -> Lab | None:
    """The lab that runs in `directory`, None when none does: also after its process was killed. Raises UsageError."""
    lab = state.read(directory.absolute())
    return lab if lab is not None and lab.served is not None else None


def break_node(directory: Path, node: str, fault: str) -> Lab:
    """Put a fault into a node while the lab runs; visits that come after the return meet it.

    Raises UsageError for a node or fault that does not exist, and when no lab runs there.
    """
    return _change(directory, node, fault_named(fault).name)


def mend(directory: Path, node: str) -> Lab:
    """Make a node a healthy machine of its make again. Raises UsageError as `break_node` does."""
    return _change(directory, node, None)


def _change(directory: Path, node: str, fault: str | None) -> Lab:
    directory = directory.absolute()
    _loaded(directory)
    try:
        with state.changing(directory):
            changed = _loaded(directory).with_fault(node, fault)
            state.save(changed)
            _await_change(changed)
    except OSError as error:
        raise UsageError(f"the lab in {directory} cannot be changed: {error.strerror}") from error
    return _loaded(directory)


def _await_change(changed: Lab) -> None:
    """Tell the server and wait until it has followed."""
    if changed.pid is not None:
        _signal(changed.pid, signal.SIGHUP)

    def followed() -> bool:
        served = state.read_served(changed.directory)
        return served is None or served.revision >= changed.revision

    _within(CHANGE_SECONDS, followed)
    served = state.read_served(changed.directory)
    if served is None or served.revision < changed.revision:
        log = changed.directory / "server.log"
        raise UsageError(f"the lab in {changed.directory} did not take the change", hint=f"read {log}")
    if served.problem is not None:
        raise UsageError(f"the lab did not take the change: {served.problem}", hint="start the lab anew")


def _loaded(directory: Path) -> Lab:
    lab = load(directory)
    if lab is None:
        raise UsageError(f"no lab runs in {directory}", hint="start one: sparkctl lab up")
    return lab


def _require_free(directory: Path) -> None:
    if load(directory) is not None:
        raise BusyError(f"a lab already runs in {directory}", hint="stop it first (sparkctl lab down), or name another")
    if state.read(directory) is None and directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(f"{directory} holds something else than a lab", hint="name another folder with --dir")


def _start(lab: Lab) -> None:
    """Start the server and wait until it listens; raises UsageError with its words."""
    search = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "sparkctl.lab.serve", str(lab.directory)]
    try:
        started = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=START_SECONDS, env=os.environ | {"PYTHONPATH": search},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UsageError("the lab did not come up in time", hint="try again with fewer nodes") from error
    if started.returncode != 0:
        log = started.stderr.decode("utf-8", "replace").strip()
        message, hint = _complaint(log)
        _remove(lab.directory)
        raise UsageError(message, hint=hint)


def _complaint(log: str) -> tuple[str, str | None]:
    last = log.splitlines()[-1] if log else "the server said nothing"
    with contextlib.suppress(ValueError, KeyError, TypeError):
        words = json.loads(last)
        return words["message"], words["hint"]
    return f"the lab's server did not start: {last}", None


def _within(seconds: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def _stop(pid: int, directory: Path) -> None:
    """End the server, gently if it listens; the lock tells that `pid` still is the server."""
    _signal(pid, signal.SIGTERM)
    if not _within(STOP_SECONDS, lambda: not state.is_locked(directory)):
        _signal(pid, signal.SIGKILL)
        _within(STOP_SECONDS, lambda: not state.is_locked(directory))
    _within(EXIT_SECONDS, lambda: not _exists(pid))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _remove(directory: Path) -> None:
    """Remove what a lab wrote, and the folder when nothing else is in it."""
    for name in FOLDERS:
        if (directory / name).exists():
            shutil.rmtree(directory / name)
    for name in FILES:
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        directory.rmdir()
