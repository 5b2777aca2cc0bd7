"""The catalogue of checks, asked of the program itself, since the bastion imports nothing of it."""

import json
import subprocess
import sys
from dataclasses import dataclass

from sparkctl.errors import SparkctlError
from sparkctl.model.health import Threshold
from sparkctl.probes.program import bundle
from sparkctl.resources import shipped

ASK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One check; `elevated` lists the commands that its observation runs as root where a node allows it."""

    check: str
    title: str
    required: bool
    elevated: tuple[tuple[str, ...], ...]
    thresholds: tuple[Threshold, ...]


def catalogue() -> list[CatalogueEntry]:
    """Every check of the health program, by id; raises SparkctlError when the program does not answer."""
    program = bundle(shipped("diag"))
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-", "checks"],
        input=program.text, capture_output=True, timeout=ASK_SECONDS, check=False,
    )  # fmt: skip
    if asked.returncode != 0:
        raise SparkctlError(f"the program does not list its checks: {asked.stderr.decode(errors='replace')[-300:]}")
    return [_entry(check) for check in json.loads(asked.stdout)["checks"]]


def _entry(check: dict[str, object]) -> CatalogueEntry:
    elevated, thresholds = check["elevated"], check["thresholds"]
    assert isinstance(elevated, list)  # noqa: S101 - our own program, asked a moment ago
    assert isinstance(thresholds, list)  # noqa: S101
    return CatalogueEntry(
        check=str(check["check"]),
        title=str(check["title"]),
        required=check["required"] is True,
        elevated=tuple(tuple(argv) for argv in elevated),
        thresholds=tuple(Threshold.model_validate_json(json.dumps(threshold)) for threshold in thresholds),
    )
