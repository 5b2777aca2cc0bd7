"""The files of a lab: what it is made of, who serves it, and the lock that tells whether it runs."""

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sparkctl.errors import UsageError

FORMAT = 1
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class LabNode:
    """A simulated node: its loopback address, the make that plays it, and what is wrong with it if anything."""

    name: str
    address: str
    make: str
    fault: str | None = None

    @property
    def character(self) -> str:
        """What the node is at the moment, in one word."""
        return self.fault or self.make

    @property
    def serial(self) -> str:
        """The serial under which it is enrolled: invented, and looks it."""
        return f"SIM{int(self.name.rpartition('-')[2]):010d}"


@dataclass(frozen=True)
class Pace:
    """Seconds: to shut down, to start again, the same for a slow node, and how long apt-get waits for a lock."""

    shutdown_s: float = 0.3
    reboot_s: float = 1.0
    slow_reboot_s: float = 45.0
    lock_s: float = 2.0


@dataclass(frozen=True)
class Served:
    """The process that serves a lab: `revision` is the one of the plan that it has put into effect."""

    pid: int
    port: int
    revision: int
    problem: str | None = None


@dataclass(frozen=True)
class Lab:
    """A lab. `revision` grows with every change; `served` is None while no process serves it.

    `seconds` limits its life, `idle_seconds` the time without a connection after which it ends by itself.
    """

    directory: Path
    seed: int
    created: str
    nodes: tuple[LabNode, ...]
    seconds: float | None = None
    idle_seconds: float = 4 * 3600.0
    revision: int = 1
    served: Served | None = None
    simulated: bool = True
    pace: Pace = Pace()

    @property
    def pid(self) -> int | None:
        """The process that serves it."""
        return self.served.pid if self.served else None

    @property
    def port(self) -> int | None:
        """The one TCP port of all its addresses."""
        return self.served.port if self.served else None

    @property
    def fleet_file(self) -> Path:
        """The inventory of the lab."""
        return self.directory / "fleet.yaml"

    @property
    def identity_file(self) -> Path:
        """The private key that the lab's nodes accept."""
        return self.directory / "keys" / "user"

    @property
    def known_hosts_file(self) -> Path:
        """The pins of the nodes' host keys."""
        return self.directory / "known_hosts"

    @property
    def ssh_config_file(self) -> Path:
        """For `ssh -F FILE sim-01` by hand."""
        return self.directory / "ssh_config"

    def host_key_file(self, name: str) -> Path:
        """The private host key of a node."""
        return self.directory / "keys" / f"{name}.host"

    @property
    def impostor_key_file(self) -> Path:
        """The host key that a node with a changed host key shows."""
        return self.directory / "keys" / "impostor.host"

    def approver_key_file(self, name: str) -> Path:
        """The private key of somebody who may approve plans of playbooks."""
        return self.directory / "keys" / name

    def tree(self, name: str) -> Path:
        """The rooted tree of a node (a link to it); written soon after the lab came up."""
        return self.directory / "trees" / name

    def node(self, name: str) -> LabNode:
        """The node of this name; raises UsageError."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = " to ".join(dict.fromkeys((self.nodes[0].name, self.nodes[-1].name)))
        raise UsageError(f"the lab has no node {name!r}", hint=f"its nodes: {names}")

    def with_fault(self, name: str, fault: str | None) -> "Lab":
        """The next revision of the lab, with another fault on one node."""
        changed = replace(self.node(name), fault=fault)
        nodes = tuple(changed if node.name == name else node for node in self.nodes)
        return replace(self, nodes=nodes, revision=self.revision + 1)


def save(lab: Lab) -> None:
    """Write `lab.json`: everything but who serves it."""
    content = {key: value for key, value in asdict(lab).items() if key not in ("directory", "served")}
    content["nodes"] = [asdict(node) | {"character": node.character} for node in lab.nodes]
    write_atomically(lab.directory / "lab.json", json.dumps({"format": FORMAT, **content}, indent=1) + "\n")


def save_served(directory: Path, served: Served) -> None:
    """Write `server.json`: who serves the lab, and which revision is in effect."""
    write_atomically(directory / "server.json", json.dumps(asdict(served)) + "\n")


def read(directory: Path) -> Lab | None:
    """The lab whose files are in `directory`, running or not; None when there is none. Raises UsageError."""
    path = directory / "lab.json"
    try:
        content = json.loads(_text(path))
        nodes = tuple(
            LabNode(*(entry[key] for key in ("name", "address", "make", "fault"))) for entry in content["nodes"]
        )
        rest = {key: content[key] for key in ("seed", "created", "seconds", "idle_seconds", "revision")}
        rest["pace"] = Pace(**content.get("pace", {}))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not the state of a lab: {error}", hint="remove that folder") from error
    return replace(Lab(directory=directory, nodes=nodes, **rest), served=read_served(directory))


def read_served(directory: Path) -> Served | None:
    """Who serves the lab, None when no process does."""
    try:
        content = json.loads(_text(directory / "server.json"))
        served = Served(*(content[key] for key in ("pid", "port", "revision", "problem")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return served if is_locked(directory) else None


def _text(path: Path) -> str:
    """The text of a file of ours. Raises OSError, and ValueError for what no lab wrote: a pipe would never end."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES // 2**20} MiB")
    return content.decode("utf-8")


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader sees all of it or none of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def is_locked(directory: Path) -> bool:
    """Whether a process serves the lab: the kernel releases the lock however the process ends."""
    try:
        with lock(directory):
            return False
    except BlockingIOError:
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextlib.contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Hold the lock of the lab; raises BlockingIOError when another process does."""
    with (directory / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextlib.contextmanager
def changing(directory: Path) -> Iterator[None]:
    """Be the only one who changes the lab; others wait."""
    with (directory / "changes").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
