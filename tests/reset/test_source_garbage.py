"""No source breaks on what a broken or hostile node may hold: it brings a valid report, or says that it has none."""

import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diag.nodekit.esrt import ENTRIES
from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool, NotApplicable, Unevaluated
from diag.reset.scope import Scope
from diag.reset.sources import boot, file_system, firmware, kdump, nvme, packages, watchdog
from tests.reset.source_tree import BOOT_ID_FILE, hold_against_schema
from tests.support.trees import build_tree

EXPECTED = (OSError, ValueError, MissingTool, Unevaluated, NotApplicable)
DUMP = "/var/crash/202611230652"
WATCHDOG = f"{watchdog.FOLDER}/watchdog0"
READS: list[tuple[ModuleType, tuple[str, ...]]] = [
    (boot, (
        BOOT_ID_FILE, "/proc/cmdline", "/proc/uptime", "/proc/sys/kernel/panic", "/proc/sys/kernel/tainted",
        "/sys/kernel/kexec_crash_loaded",
    )),
    (watchdog, tuple(f"{WATCHDOG}/{name}" for name in ("identity", "state", "bootstatus", "timeout"))),
    (kdump, (f"{DUMP}/dmesg.202611230652", f"{DUMP}/dump.202611230652")),
    (file_system, (BOOT_ID_FILE, "/proc/mounts", "/cmd/initramfs-fsck.log")),
    (nvme, ("/cmd/nvme-smart-log.json",)),
    (firmware, tuple(f"{ENTRIES}/entry0/{name}" for name in ("fw_class", "capsule_flags", "last_attempt_version"))),
    (packages, (packages.HISTORY, f"{packages.UNATTENDED}/unattended-upgrades.log")),
]  # fmt: skip
EACH = pytest.mark.parametrize(
    ("source", "paths"), READS, ids=[module.__name__.rpartition(".")[2] for module, _ in READS]
)
SHAPES = ("[   12.345679] ", "Kernel panic - not syncing: ", "Start-Date: ", "End-Date: ", "Log of fsck -a /dev/sda\n")
TEXT = st.lists(st.one_of(st.sampled_from(SHAPES), st.text(max_size=40), st.just("\n")), max_size=40).map("".join)


def survives(source: ModuleType, root: Path) -> None:
    """Read it: what it brings is what the bastion takes, or it raises what a source may raise."""
    machine = Machine(str(root), elevated_commands=frozenset(source.ELEVATED))
    try:
        report = source.read(machine, Scope())
    except EXPECTED:
        return
    hold_against_schema(report)


@EACH
@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "\x00" * 5000, "\udcff\udcfe\n" * 1000, "\x1b[2J\u202e\u2028", "[" * 100_000, "9" * 100_000,
        '{"critical_warning": 0, "unsafe_shutdowns": 1e400}', "[1.000001] " * 100_000, " " * 300_000, "a: b\n" * 50_000,
    ],
    ids=range(11),
)  # fmt: skip
def test_garbage(tmp_path: Path, source: ModuleType, paths: tuple[str, ...], text: str) -> None:
    survives(source, build_tree(tmp_path, files=dict.fromkeys(paths, text)))


@EACH
def test_folders_and_links_in_place_of_files(tmp_path: Path, source: ModuleType, paths: tuple[str, ...]) -> None:
    survives(source, build_tree(tmp_path / "folders", files={f"{path}/": "" for path in paths}))
    survives(source, build_tree(tmp_path / "loops", links={path: path for path in paths}))
    survives(source, build_tree(tmp_path / "dangling", links=dict.fromkeys(paths, "/nowhere")))
    parents = {path.rpartition("/")[0]: "a file" for path in paths}
    tops = {path: text for path, text in parents.items() if not any(path.startswith(f"{other}/") for other in parents)}
    survives(
        source, build_tree(tmp_path / "files", files={path: text for path, text in tops.items() if path != "/cmd"})
    )


@EACH
def test_nothing_may_be_read(tmp_path: Path, source: ModuleType, paths: tuple[str, ...]) -> None:
    facts = {"euid": 1000, "denied": list(paths)}
    survives(source, build_tree(tmp_path, files=dict.fromkeys(paths, "1"), facts=facts))


@EACH
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_text(tmp_path: Path, source: ModuleType, paths: tuple[str, ...], data: st.DataObject) -> None:
    root = tmp_path / "tree"
    survives(source, build_tree(root, files={path: data.draw(TEXT) for path in paths}))
    assert json.loads((root / ".tree.json").read_text()) == {}
