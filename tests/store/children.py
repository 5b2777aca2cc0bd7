"""Processes beside ours: which program they run, and where it finds the project."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

Child = subprocess.Popen[str]
StartChild = Callable[..., Child]

PROGRAM = str(Path(__file__).with_name("sweeping_child.py"))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
