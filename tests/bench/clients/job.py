"""What every client is given: the nodes, how to reach them, the probe, and the file for what they answer.

Standard library only: clients run in the environment of the peers as well as in ours.
"""

import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

_WHOLE = re.compile(rb"END-(127\.\d{1,3}\.\d{1,3}\.\d{1,3})")


@dataclass(frozen=True)
class Job:
    """One run of one client. `answers` is a file for what it does not print itself; `seconds` bounds a node."""

    hosts: list[str]
    port: int
    user: str
    key: str
    known_hosts: str
    ssh_config: str
    fleet: str
    concurrency: int
    probe: str
    answers: str
    seconds: float = 60.0

    @classmethod
    def given(cls) -> "Job":
        """The job whose file is the only argument of this process."""
        return cls(**json.loads(Path(sys.argv[1]).read_text("utf-8")))

    def save(self, path: Path) -> Path:
        """Write the job for a client."""
        path.write_text(json.dumps(asdict(self)), "utf-8")
        return path

    @property
    def probe_text(self) -> bytes:
        """The probe, as it is fed to `sh -s`."""
        return Path(self.probe).read_bytes()

    def answered(self, output: Path) -> int:
        """The number of nodes whose answer is whole, end mark included, in `answers` or in what the client printed."""
        files = [path for path in (Path(self.answers), output) if path.exists()]
        return len({mark for path in files for mark in _WHOLE.findall(path.read_bytes())})
