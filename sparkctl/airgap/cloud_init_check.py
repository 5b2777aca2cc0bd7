"""Have user-data checked by cloud-init itself, where it is installed."""

import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sparkctl.errors import RefusedError
from sparkctl.model.printable import printable

SECONDS = 60.0
AT_ONCE = 2


def version() -> str | None:
    """Which cloud-init is here, None when none is."""
    ran = _run("--version")
    if ran is None:
        return None
    match = re.search(r"[0-9][0-9A-Za-z.~+-]{1,60}", ran.stdout + ran.stderr)
    return f"cloud-init {match.group()}" if match and ran.returncode == 0 else None


def check(files: Sequence[Path]) -> None:
    """Raise RefusedError for the first file of user-data that its schema does not allow."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, ran in zip(
            files, pool.map(lambda path: _run("schema", "--config-file", str(path)), files), strict=True
        ):
            if ran is None or ran.returncode != 0 or "Valid" not in ran.stdout:
                said = printable(" ".join(f"{ran.stdout} {ran.stderr}".split()), 400) if ran else "it did not end"
                raise RefusedError(f"cloud-init does not take {path.name} of {path.parent.name}: {said}")


def _run(*arguments: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            ["cloud-init", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
