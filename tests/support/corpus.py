"""The labelled collections, in the folder that `SPARKCTL_CORPUS` names; what needs them is skipped loudly without."""

import os
from pathlib import Path

import pytest

VARIABLE = "SPARKCTL_CORPUS"

THOROUGH = bool(os.environ.get("SPARKCTL_THOROUGH"))
"""Whether what is tried at many places is tried at all of them, which takes minutes more than the gate has."""


def corpus_folder(part: str, skipped: str) -> Path:
    """The folder of one collection; skips where none is named, and tells with `skipped` what goes untested."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"{VARIABLE} names no folder: {skipped}")
    folder = Path(named) / part
    assert folder.is_dir(), f"{VARIABLE}={named} has no folder {part}"
    return folder
