"""The real collectors on the machine that runs the tests, as root and as nobody in particular."""

import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.collectors.stream import Brought, collected

pytestmark = pytest.mark.slow
NOBODY = 65534
STATUSES = {"collected", "partial", "absent", "missing"}
MIB = 1024 * 1024


@cache
def as_we_are() -> Brought:
    return collected("--seconds", "60")


@cache
def as_nobody(folder: Path) -> Brought:
    """Run a copy of the program that another user may read."""
    diag = Path(shutil.copytree(Path(__file__).parents[2] / "diag", folder / "diag"))
    before = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return collected("--seconds", "60", before=before, program=diag / "spark_diagctl.py")


def told(brought: Brought, status: str) -> dict[str, dict[str, Any]]:
    return {name: fact for name, fact in brought.artefacts.items() if fact.get("status") == status}


def test_every_entry_is_accounted_for() -> None:
    brought = as_we_are()
    assert brought.document["errors"] == []
    for name, fact in brought.artefacts.items():
        assert fact["bytes"] == len(brought.contents[name]), name
        assert fact["status"] in STATUSES, name
        if fact["status"] in ("missing", "absent"):
            assert fact["words"], name
            assert brought.contents[name] == b"", name
    assert len(told(brought, "collected")) > 40


def test_what_the_kernel_tells_is_there_and_of_its_kind() -> None:
    brought = as_we_are()
    assert brought.contents["memory/meminfo.txt"].startswith(b"MemTotal:")
    assert str(os.getpid()).encode() in brought.contents["process/processes.txt"]
    for name, fact in told(brought, "collected").items():
        content = brought.contents[name]
        if fact["kind"] == "json" and content and name.startswith(("network/a", "disk/", "cpu/")):
            assert json.loads(content), name
        if fact["kind"] in ("text", "json", "journal_json"):
            assert b"\0" not in content, name


def test_no_key_is_among_the_settings_of_the_kernel() -> None:
    settings = as_we_are().contents["kernel/sysctl.txt"]
    if b"kernel.ostype" not in settings:
        pytest.skip("no sysctl here: install procps")
    names = [line.partition(b" = ")[0] for line in settings.splitlines()]
    assert [name for name in names if name.endswith((b"_key", b"_secret"))] == []
    assert b"net.ipv4.ip_forward" in settings
    assert b"net.ipv4.tcp_syncookies" in settings


def test_it_stays_within_its_limits() -> None:
    brought = as_we_are()
    cost = brought.document["meta"]["cost"]
    assert cost["cpu_ms"] < 15_000
    assert sum(map(len, brought.contents.values())) + len(brought.recording) < 50 * MIB
    assert len(json.dumps(brought.document)) < 256 * 1024


def test_without_rights_what_needs_them_is_named() -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become nobody, with setpriv of util-linux")
    folder = Path("/var/tmp") / f"sparkctl-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        brought = as_nobody(folder)
    finally:
        shutil.rmtree(folder)
    assert brought.document["errors"] == []
    assert brought.artefacts["kernel/iomem.txt"]["reason"] == "not_permitted"
    assert brought.contents["memory/meminfo.txt"].startswith(b"MemTotal:")
    denied = [name for name, fact in brought.artefacts.items() if fact.get("reason") == "not_permitted"]
    assert "memory/slabinfo.txt" in denied
    assert len(denied) > 5
