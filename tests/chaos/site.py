"""A small site of real nodes, doors that hold a program until the test lets it go, and a sweep in the background."""

import json
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.command import environment
from tests.support.sshd import Sshd

PATIENCE_S = 120.0
Record = dict[str, Any]


class Door:
    """Holds the program of whoever visits one address until it is opened."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / f"door-{name}"
        self.folder.mkdir()
        self.script = self.folder / "hold"
        self.script.write_text(
            "#!/bin/sh\n"
            f": > {self.folder}/reached\n"
            f"while [ ! -e {self.folder}/open ]; do sleep 0.05; done\n"
            'sh -c "$SSH_ORIGINAL_COMMAND"\n'
            "status=$?\n"
            f": > {self.folder}/done\n"
            "exit $status\n"
        )
        self.script.chmod(0o755)

    def at(self, address: str) -> tuple[str, ...]:
        """Lines of sshd_config that put the door before an address."""
        return (f"Match LocalAddress {address}", f"ForceCommand {self.script}")

    def open(self) -> None:
        """Let the program go."""
        (self.folder / "open").touch()

    def wait(self, mark: str, sweep: "Sweep") -> None:
        """Return when a program is `reached`, or `done`."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / mark).exists():
            assert sweep.process.poll() is None, f"the sweep ended early: {sweep.process.communicate()}"
            assert time.monotonic() < deadline, f"{self.folder / mark} never came"
            time.sleep(0.02)


@dataclass
class Site:
    """An inventory of nodes on several servers."""

    folder: Path
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    transport: str = "asyncssh"

    def __post_init__(self) -> None:
        environment(self.folder)
        (self.folder / "pins").touch()

    @property
    def path(self) -> str:
        """The line of sshd_config that lets a node find `python3`."""
        return f"SetEnv PATH={self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def add(self, server: Sshd, names: Sequence[str], racks: Mapping[str, str] = {}) -> None:
        """One node for each address of a server that runs."""
        with (self.folder / "pins").open("a") as pins:
            for name, address in zip(names, server.addresses, strict=True):
                pins.write(server.known_hosts_line(address))
                ssh = {"host": address, "port": server.port, "identity_files": [str(server.user_key)]}
                self.nodes[name] = {"ssh": ssh, **({"rack": racks[name]} if name in racks else {})}
        common = {"user": server.user, "known_hosts_files": [str(self.folder / "pins")], "agent": False}
        fleet = {"defaults": {"transport": self.transport, "ssh": common}, "nodes": self.nodes}
        (self.folder / "fleet.yaml").write_text(json.dumps(fleet))


@dataclass(frozen=True)
class Result:
    """What a sweep printed and how it ended."""

    code: int
    records: dict[str, Record]
    order: list[str]
    report: Record
    errors: str

    def assert_all_accounted_for(self, nodes: Collection[str]) -> None:
        """Each node once, as the report counts them."""
        assert sorted(self.order) == sorted(nodes)
        outcomes = [record["outcome"] for record in self.records.values()]
        counted = self.report["reported"], self.report["unreported"]
        assert (outcomes.count("reported"), outcomes.count("unreported")) == counted
        assert self.report["selected"] == sum(counted) == len(nodes)
        named = [name for failure in self.report["failures"] for name in failure["nodes"]]
        assert sorted(named) == sorted(name for name, one in self.records.items() if one["outcome"] == "unreported")
        assert "Traceback" not in self.errors

    def assert_exit(self) -> None:
        """The exit code that docs/exit-codes.md promises for these records."""
        statuses = {finding["status"] for finding in self.report["findings"]}
        assert self.code == self.report["exit_code"], self.errors
        if self.report["unreported"]:
            assert self.code == (1 if "fail" in statuses else 3)

    def assert_complete(self, *names: str) -> None:
        """These nodes reported, and every planned check is in their documents."""
        for name in names:
            record = self.records[name]
            assert record["status"] == "ok", record["failure"]
            data = record["envelope"]["data"]
            assert len(data["findings"]) == data["rollup"]["planned"] > 0
            assert record["envelope"]["meta"]["truncation"] == []

    def status(self, name: str) -> str:
        """`ok`, or stage and cause."""
        status: str = self.records[name]["status"]
        return status


class Sweep:
    """`sparkctl health` in the background; it is killed when the test is left early.

    `through` is a command that runs another one, whose arguments follow its own.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        state: Path | None = None,
        env: Mapping[str, str] = {},
        through: Sequence[str] = (),
    ) -> None:
        self.state = state or folder / "state"
        self.lines: list[str] = []
        command = [*through, sys.executable, "-m", "sparkctl", "health", "--format", "jsonl", *arguments]
        self.process = subprocess.Popen(
            [*command, "--state", str(self.state)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            env={**environment(folder, env), "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def until_shown(self, count: int) -> list[str]:
        """Wait for the next `count` results; the names of their nodes."""
        assert self.process.stdout is not None
        new = [self.process.stdout.readline() for _ in range(count)]
        assert all(new), self.process.communicate()
        self.lines += new
        return [json.loads(line)["node_id"] for line in new]

    def end(self) -> Result:
        """Wait for the end."""
        rest, errors = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode >= 0, f"killed by signal {-self.process.returncode}: {errors}"
        printed = [json.loads(line) for line in [*self.lines, *rest.splitlines()]]
        assert printed, errors
        *records, report = printed
        by_name = {record["node_id"]: record for record in records}
        return Result(self.process.returncode, by_name, [one["node_id"] for one in records], report, errors)
