"""A folder with a mirror.yaml of one mirror, and what commands say of it to programs."""

import subprocess
from pathlib import Path

from sparkctl.model.mirror import Snapshot
from tests.support.command import json_lines, sparkctl

Ran = subprocess.CompletedProcess[str]


class OneMirror:
    """`top` holds mirror.yaml, which has the mirror `name` alone."""

    def __init__(self, top: Path, name: str) -> None:
        self.top, self.name, self.file = top, name, top / "mirror.yaml"

    def mirror(self, verb: str, *more: str | Path) -> Ran:
        return sparkctl("airgap", "mirror", verb, self.file, *more, home=self.top)

    def snapshot(self) -> tuple[Snapshot, Path]:
        """The newest snapshot, and where it lies."""
        place = max((self.top / "mirror/snapshots" / self.name).iterdir())
        return Snapshot.model_validate_json((place / "snapshot.json").read_bytes()), place


def not_synced(ran: Ran, code: int, words: str) -> None:
    """One clear sentence, and no snapshot."""
    assert ran.returncode == code, (ran.stdout, ran.stderr)
    (said,) = json_lines(ran)
    assert words in said["error"], said
    assert "Traceback" not in ran.stderr
