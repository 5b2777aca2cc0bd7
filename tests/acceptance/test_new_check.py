"""A new check is one new file and one case; nothing else names it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.resources import checkout

pytestmark = pytest.mark.slow

CHECK = '''\
"""Is the answer the answer?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Threshold, judged
from diag.nodekit.machine import Machine
from diag.nodekit.vocabulary import Comparison

CHECK = Check(title="The answer")
ANSWER = Threshold(Comparison.NOT_EQUAL, fail=42, provenance="Adams, 1979")


def observe(machine: Machine) -> int:
    return int(machine.read("/proc/answer"))


def evaluate(seen: int) -> Finding:
    return judged(ANSWER, seen, f"The answer is {seen}", action="Ask again")
'''
CASES = """\
cases:
  - name: right
    files: {/proc/answer: "42"}
    expect: {status: pass, value: 42}
  - name: wrong
    files: {/proc/answer: "41"}
    expect: {status: fail, words: ["Ask again"]}
  - name: garbage
    files: {/proc/answer: "forty-two"}
    expect: {status: unknown, reason: parse_error}
"""
SHOW = """
from sparkctl.probes.program import bundle
from sparkctl.resources import shipped
print("answer.given" in bundle(shipped("diag")).checks)
"""
PARTS = ("diag", "docs", "schemas", "sparkctl", "tests/checks", "tests/support")


def test_one_file_and_one_case(tmp_path: Path) -> None:
    root = checkout()
    if root is None:
        pytest.skip("this is an installed sparkctl: the checkout is not here to copy")
    copy = tmp_path / "copy"
    for part in PARTS:
        shutil.copytree(root / part, copy / part)
    for file in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy2(root / file, copy / file)
    (copy / "diag" / "checks" / "answer_given.py").write_text(CHECK)
    (copy / "tests" / "checks" / "cases" / "answer_given.yaml").write_text(CASES)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": ""}
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=copy, env=environment
        )

    tests = run("-m", "pytest", "tests/checks", "-k", "answer_given")
    assert tests.returncode == 0, tests.stdout
    assert "4 passed" in tests.stdout
    assert run("-c", SHOW).stdout == "True\n"
    by_hand = run("diag/spark_diagctl.py", "health")
    assert '"check":"answer.given"' in by_hand.stdout
    stale = run("-m", "sparkctl", "schema", "export", "--check")
    assert stale.returncode == 1
    assert "docs/checks.md" in stale.stdout
