"""Our own labelled cases, and copies of them under another label."""

import json
import shutil
from pathlib import Path
from typing import Any

from sparkctl.model.reset_score import AxisScore, Result
from sparkctl.model.reset_words import Axis

CASES = Path(__file__).parent / "cases"
PANIC, TREE = "panic-of-a-hung-task", "asked-to-restart"


def copy_of(name: str, folder: Path, **changes: Any) -> Path:
    """A case of ours in another folder, with another label."""
    source = next(CASES.glob(f"*/{name}"))
    place = folder / name
    shutil.copytree(source, place)
    label = json.loads((place / "case.json").read_text()) | changes
    (place / "case.json").write_text(json.dumps(label))
    return place


def result_of(axis: Axis, scores: list[AxisScore]) -> Result:
    return next(one.result for one in scores if one.axis is axis)
