"""The peers: installed from the package index, at pinned versions, into an environment of the benchmark's own."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

PINNED = {
    "ssh2-python": "1.2.0.post1",
    "asyncssh": "2.24.1",
    "parallel-ssh": "2.16.0.post1",
    "clustershell": "1.10.1",
    "pyinfra": "3.10.0",
    "ansible-core": "2.19.14",
    "py-spy": "0.4.3",
}
_INSTALLED = """\
import importlib.metadata as found, json
print(json.dumps({each.metadata["Name"].lower(): each.version for each in found.distributions()}))
"""


@dataclass(frozen=True)
class Peers:
    """An environment; `missing` says for each peer that is not in it why."""

    folder: Path
    missing: dict[str, str]

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    def tool(self, name: str) -> str:
        """A command in it."""
        return str(self.folder / "bin" / name)


def default_folder() -> Path:
    """Where the environment is kept from one run to the next."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return user_cache_path("sparkctl") / "bench" / f"peers-{version}"


def provide(folder: Path, names: Iterable[str]) -> Peers:
    """Make the environment and install what is not yet in it; what cannot be installed is reported, not passed over."""
    peers = Peers(folder, {})
    if not Path(peers.python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    wanted = dict.fromkeys(names)
    here = _installed(peers)
    for name in wanted:
        if here.get(name) != PINNED[name]:
            trouble = _install(peers, name)
            if trouble:
                peers.missing[name] = trouble
    return peers


def _installed(peers: Peers) -> dict[str, str]:
    ran = subprocess.run([peers.python, "-I", "-c", _INSTALLED], capture_output=True, check=True)
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def _install(peers: Peers, name: str) -> str | None:
    """Install one peer; the last line of pip's complaint when it cannot be had."""
    print(f"installing {name} {PINNED[name]} into {peers.folder}", file=sys.stderr, flush=True)
    command = [peers.python, "-m", "pip", "install", "--quiet", f"{name}=={PINNED[name]}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if ran.returncode == 0:
        return None
    lines = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
    return lines[-1]
