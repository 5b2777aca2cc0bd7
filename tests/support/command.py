"""Run sparkctl as an operator does: a process with its own home, its standard streams and an exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment in which `python3` is the Python that runs the tests."""
    tools = home / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    link = tools / "python3"
    if not link.exists():
        link.symlink_to(Path(sys.executable).resolve())
    return {"HOME": str(home), "PATH": f"{tools}:{os.environ['PATH']}", "LANG": "C.UTF-8", **(extra or {})}


def sparkctl(
    *arguments: str | Path, home: Path, cwd: Path | None = None, timeout: float = 60, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sparkctl", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd or home,
        env={**environment(home, extra), "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )


def json_lines(ran: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The lines that a command printed, parsed."""
    return [json.loads(line) for line in ran.stdout.splitlines()]
