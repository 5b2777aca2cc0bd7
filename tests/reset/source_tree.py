"""Read one source of evidence from a small tree, and hold what it brings against the schema of the document."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from diag.nodekit.machine import Machine
from diag.reset.evidence import Report
from diag.reset.scope import Scope
from sparkctl.model.reset import Observation, SourceRead
from sparkctl.model.witnesses import Witnesses
from tests.support.trees import build_tree

BOOT_ID = "f826fa26-5e51-462b-ad3a-0ca974d02a35"
BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"


def report_of(source: ModuleType, root: Path, elevation: str = "none") -> Report:
    """What a source brings from a tree that is there; raises what the source raises."""
    machine = Machine(str(root), elevation, frozenset(source.ELEVATED))
    report: Report = source.read(machine, Scope())
    hold_against_schema(report)
    return report


def report_from(
    source: ModuleType,
    root: Path,
    files: Mapping[str, str],
    *,
    commands: Sequence[Mapping[str, Any]] = (),
    facts: Mapping[str, Any] | None = None,
    elevation: str = "none",
) -> Report:
    """What a source brings from a tree of these files."""
    return report_of(source, build_tree(root, files=files, commands=commands, facts=facts), elevation)


def hold_against_schema(report: Report) -> None:
    """Raise ValidationError where the bastion would refuse what this source says."""
    assert Report.of(json.loads(json.dumps(report.as_document()))) == report
    nothing = dict.fromkeys(Witnesses.model_fields)
    assert set(report.facts) <= set(nothing)
    Witnesses.model_validate_json(json.dumps({**nothing, **report.facts}))
    source = {"source": report.source, "state": report.state, "detail": report.detail and report.detail[:300]}
    SourceRead.model_validate_json(json.dumps(source))
    for one in report.seen:
        observation = {
            "id": "o1", "source": one.source, "kind": one.kind, "boot_id": one.boot_id, "at_s": one.at_s,
            "locator": one.locator, "excerpt": one.excerpt, "value": one.value,
        }  # fmt: skip
        Observation.model_validate_json(json.dumps(observation))
