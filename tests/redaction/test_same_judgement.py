"""Our own programs come to the same judgement over a redacted tree as over the node's own."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sparkctl.lab.characters import FAULT_TABLE, model_of
from sparkctl.lab.makes import MAKES
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, root_view, write_tree
from sparkctl.redaction.redactor import Kind, Redactor
from sparkctl.resources import shipped
from tests.redaction.trees import redact_tree, redacted, redactor_for
from tests.support.corpus import THOROUGH

PROGRAMS = {
    "health": ("spark_diagctl.py", "health"),
    "collect": ("spark_diagctl.py", "collect"),
    "reset": ("reset_reason_reporter.py",),
}
DERIVED = ("SHA256:",)
"""What a program computes from what it read cannot be the stand-in of what it computes from the original."""
TIMED = re.compile(r"in \d+\.\d\d s")
FAULTS = [
    name
    for name, fault in FAULT_TABLE.items()
    if fault.change is not None and name not in ("stuck-sysfs", "hung-nvidia-smi", "swapped")
]
REPEATED = {
    "hot", "memory-wedge", "gpu-power-wedge", "gpu-reset-required", "clock-unsynchronised", "drive-dead",
    "oom-kills", "reboot-pending", "cores-lost", "connectx-absent", "reports-absent", "reports-hang", "reports-fill",
    "reports-torn", "live-system", "erase-refused", "erase-fails", "erase-stuck", "busy",
}  # fmt: skip
"""Faults that are told in files and by tools of which another fault is tried: of mounts, of a GPU that is there and one
that is not, of units, clocks, drives, links, of the kernel, of another make, of reports, of a live system."""
CASES = [
    pytest.param(make, None, program, id=f"{make}-{program}")
    for place, make in enumerate(MAKES)
    for turn, program in enumerate(PROGRAMS)
    if THOROUGH or make == "founders" or (place + turn) % len(PROGRAMS) == 0  # every make by one program
] + [
    pytest.param("founders", name, program, id=f"{name}-{program}", marks=pytest.mark.slow)
    for place, name in enumerate(FAULTS)
    for turn, program in enumerate(PROGRAMS)
    # Every kind of fault by one program, every program with some.
    if THOROUGH or ((place + turn) % len(PROGRAMS) == 0 and name not in REPEATED)
]


def plant(folder: Path, make: str, fault: str | None) -> Path:
    root = folder / "sim-01"
    now = time.time()
    tree = render(model_of("sim-01", 7, make, fault), now)
    tree.facts.setdefault("now", now)  # both judgements fall at one moment
    write_tree(tree, root, Pool(folder / "shared"), now)
    return root_view(root.resolve())


def judged(program: str, root: Path) -> dict[str, Any]:
    file, *words = PROGRAMS[program]
    command = [sys.executable, "-I", "-S", str(shipped("diag") / file), *words, "--root", str(root)]
    ran = subprocess.run(command, capture_output=True, check=False)
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def told(document: dict[str, Any], redactor: Redactor | None) -> Any:
    """What a document says, with stand-ins for real values; without what no two runs have in common."""
    text = json.dumps({"data": document["data"], "errors": document["errors"]}).encode()
    if redactor is not None:
        text = redacted(redactor, "document", Kind.JSON, text)
    return comparable(json.loads(text))


def comparable(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"sha256", "size_bytes"}:
        return "derived"  # of a keyring, whose armour is replaced in a tree; a recording has its digest from before
    if isinstance(value, dict):
        left_out = ("cost", "value") if value.get("check") == "gpu.query" else ("cost",)
        return {key: comparable(member) for key, member in value.items() if key not in left_out}
    if isinstance(value, list):
        # Lists sorted by name on the node are sorted by stand-in after redaction.
        return sorted((comparable(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, str) and value.startswith(DERIVED):
        return "derived"
    return TIMED.sub("in some time", value) if isinstance(value, str) else value


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [text for key in keys for text in differences(one.get(key), other.get(key), f"{at}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            text for n, pair in enumerate(zip(one, other, strict=True)) for text in differences(*pair, f"{at}[{n}]")
        ]
    return [] if one == other else [f"{at}: {one!r} is not {other!r}"]


@pytest.mark.parametrize(("make", "fault", "program"), CASES)
def test_a_redacted_tree_is_judged_as_the_node_is(tmp_path: Path, make: str, fault: str | None, program: str) -> None:
    root = plant(tmp_path, make, fault)
    redactor = redactor_for(root)
    other = redact_tree(root, tmp_path / "redacted", redactor)
    before, after = told(judged(program, root), redactor), told(judged(program, other), None)
    found = differences(before, after)
    assert not found, found
