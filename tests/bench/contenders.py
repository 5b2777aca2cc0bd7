"""The clients that are compared, and the command line of each."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.clients.job import Job
from tests.bench.peers import PINNED, Peers

YARDSTICK = "ssh2-python"
BARE = "sparkctl transport"
SWEEP = "sparkctl health"
ANSIBLE = "ansible -m script"

Invocation = tuple[list[str], dict[str, str]]


@dataclass(frozen=True)
class Contender:
    """A client. `peer` is the package it needs; `slow` ones are measured on fewer nodes; `farm` tells whether the farm
    can serve it. `invoke` gives the command line and what it needs in its environment.
    """

    name: str
    peer: str | None
    invoke: Callable[[Job, Path, Peers], Invocation]
    slow: bool = False
    farm: bool = True

    @property
    def label(self) -> str:
        """Its name with its version."""
        return f"{self.name} {PINNED[self.peer]}" if self.peer and self.peer in PINNED else self.name


def _module(name: str, *, ours: bool = False) -> Callable[[Job, Path, Peers], Invocation]:
    """A client of ours, in the environment of the peers or in the one that runs the benchmark."""

    def invoke(job: Job, folder: Path, peers: Peers) -> Invocation:
        python = sys.executable if ours else peers.python
        return [python, "-m", f"tests.bench.clients.{name}", str(job.save(folder / "job.json"))], {}

    return invoke


def _health(job: Job, folder: Path, peers: Peers) -> Invocation:
    del peers
    command = [sys.executable, "-m", "sparkctl", "health", "--fleet", job.fleet, "--state", str(folder / "state")]
    options = ["--format", "jsonl", "--concurrency", str(job.concurrency), "--timeout", f"{job.seconds:g}"]
    return [*command, *options], {}


def _xargs(*options: str) -> Callable[[Job, Path, Peers], Invocation]:
    def invoke(job: Job, folder: Path, peers: Peers) -> Invocation:
        del peers
        hosts, answers = _host_list(job, folder), folder / "each"
        answers.mkdir()
        # $0 configuration, $1 probe, $2 answers; the node comes last, after further options of ssh.
        one = 'c=$0 p=$1 a=$2; shift 2; for node do :; done; exec ssh -F "$c" "$@" "sh -s" <"$p" >"$a/$node"'
        each = ["sh", "-c", one, job.ssh_config, job.probe, str(answers), *options]
        xargs = ["xargs", "-a", str(hosts), "-P", str(job.concurrency), "-n", "1", *each]
        return ["sh", "-c", '"$@"; cat "$0"/*', str(answers), *xargs], {}

    return invoke


def _clush(job: Job, folder: Path, peers: Peers) -> Invocation:
    options = ["-f", str(job.concurrency), "-o", f"-F {job.ssh_config}", "-u", f"{job.seconds:g}"]
    clush = [peers.tool("clush"), *options, "--hostfile", str(_host_list(job, folder)), "sh -s"]
    return ["sh", "-c", 'exec "$@" <"$0"', job.probe, *clush], {}


def _ansible(job: Job, folder: Path, peers: Peers) -> Invocation:
    inventory = folder / "inventory.ini"
    hosts = "\n".join(job.hosts)
    inventory.write_text(
        f"[all]\n{hosts}\n[all:vars]\nansible_port={job.port}\nansible_user={job.user}\n"
        f"ansible_ssh_private_key_file={job.key}\nansible_ssh_common_args=-F {job.ssh_config}\n"
    )
    options = ["-i", str(inventory), "-f", str(job.concurrency), "-m", "script", "-a", job.probe]
    environment = {
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_HOST_KEY_CHECKING": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
    }
    return [peers.tool("ansible"), "all", *options], environment


def _host_list(job: Job, folder: Path) -> Path:
    path = folder / "hosts"
    path.write_text("".join(f"{host}\n" for host in job.hosts))
    return path


CONTENDERS = (
    Contender(YARDSTICK, "ssh2-python", _module("ssh2_python")),
    Contender(BARE, None, _module("sparkctl_bare", ours=True)),
    Contender(SWEEP, None, _health),
    Contender("asyncssh plain", "asyncssh", _module("asyncssh_plain")),
    Contender("parallel-ssh", "parallel-ssh", _module("parallel_ssh")),
    Contender("pyinfra", "pyinfra", _module("pyinfra_shell"), slow=True, farm=False),
    Contender("xargs ssh curve25519", None, _xargs("-oKexAlgorithms=curve25519-sha256"), slow=True, farm=False),
    Contender("xargs ssh", None, _xargs(), slow=True, farm=False),
    Contender("ClusterShell", "clustershell", _clush, slow=True, farm=False),
    Contender(ANSIBLE, "ansible-core", _ansible, slow=True, farm=False),
)
