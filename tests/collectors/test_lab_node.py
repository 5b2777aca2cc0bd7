"""A simulated node brings most of the catalogue, within the limits that a real one is held to."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import pytest

from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, write_tree
from tests.collectors.stream import Brought, collected

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@cache
def node(folder: Path, fault: str | None = None, elevation: str = "commands") -> Brought:
    """What a node with a fault brings."""
    return brought_of(planted(folder, fault, elevation), elevation)


def planted(folder: Path, fault: str | None, elevation: str) -> Path:
    root = folder / f"sim-01-{fault}-{elevation}"
    write_tree(render(model_of("sim-01", 7, "founders", fault), time.time()), root, Pool(folder / "pool"), time.time())
    return root


def brought_of(root: Path, elevation: str) -> Brought:
    return collected("--seconds", "60", "--elevation", elevation, "--root", str(root))


def test_most_of_the_catalogue_is_there_and_says_that_it_is_simulated(folder: Path) -> None:
    brought = node(folder)
    statuses = [fact["status"] for fact in brought.artefacts.values()]
    assert statuses.count("collected") > 120
    assert set(statuses) <= {"collected", "absent", "missing"}
    assert [name for name, fact in brought.artefacts.items() if fact["status"] == "missing"] == [
        "network/module_enp1s0f1np1.txt"  # the empty cage
    ]
    assert brought.document["meta"]["origin"] == "simulated"
    assert b"simulated" in brought.contents["hardware/dmidecode.txt"]


def test_a_collection_stays_within_its_budget(folder: Path) -> None:
    brought = node(folder)
    size = len(brought.recording) + sum(map(len, brought.contents.values()))
    assert size < 50 * MIB
    assert brought.document["meta"]["cost"]["cpu_ms"] < 15_000
    assert brought.document["meta"]["truncated"] is False
    assert len(json.dumps(brought.document)) < 256 * 1024


@pytest.mark.parametrize(
    "fault",
    [
        "plain-vm",
        "driver-missing",
        *(
            pytest.param(fault, marks=pytest.mark.thorough)
            for fault in ("reset-panic", "drive-dead", "reset-volatile-journal")
        ),
    ],
)
def test_a_broken_node_is_brought_without_a_bug(folder: Path, fault: str) -> None:
    brought = node(folder, fault)
    assert brought.document["errors"] == []
    assert all("status" in fact for fact in brought.artefacts.values())
    for name, content in brought.contents.items():
        if brought.artefacts[name]["kind"] == "json" and content:
            assert [json.loads(line) for line in _documents(content)], name


def _documents(content: bytes) -> list[bytes]:
    """The one document of an answer, or one a line."""
    try:
        json.loads(content)
    except ValueError:
        return content.splitlines()
    return [content]


def test_the_serial_is_the_same_wherever_it_stands(folder: Path) -> None:
    brought = node(folder)
    for name in ("hardware/dmidecode.txt", "system/release.txt"):
        assert b"SIM0000000001" in brought.contents[name], name
    journal = [json.loads(line) for line in brought.contents["journal/this_boot.json"].splitlines()]
    times = [int(entry["__REALTIME_TIMESTAMP"]) for entry in journal]
    assert times == sorted(times, reverse=True)
    boots = json.loads(brought.contents["journal/boots.json"])
    assert {entry["_BOOT_ID"] for entry in journal} == {boots[-1]["boot_id"]}


def test_a_panic_is_in_the_records_that_only_root_may_list(folder: Path) -> None:
    assert b"Kernel panic" in node(folder, "reset-panic").contents["pstore/all.txt"]


def test_without_rights_nothing_of_root_is_shown(folder: Path) -> None:
    brought = node(folder, None, "none")
    denied = {name for name, fact in brought.artefacts.items() if fact.get("reason") == "not_permitted"}
    assert {"hardware/dmidecode.txt", "log/syslog.txt", "network/connections.txt", "container/settings.json"} <= denied
    assert all(brought.contents[name] == b"" for name in ("log/syslog.txt", "network/connections.txt"))


@pytest.fixture(scope="module")
def hanging(folder: Path) -> dict[str, Brought]:
    """What nodes bring on which something hangs; both are waited for at once."""
    roots = {fault: planted(folder, fault, "commands") for fault in ("stuck-sysfs", "hung-nvidia-smi")}
    with ThreadPoolExecutor(len(roots)) as waiting:
        brought = waiting.map(partial(brought_of, elevation="commands"), roots.values())
        return dict(zip(roots, brought, strict=True))


@pytest.mark.slow
def test_a_file_that_hangs_leaves_what_was_read_before_it(hanging: dict[str, Brought]) -> None:
    brought = hanging["stuck-sysfs"]
    zones = brought.artefacts["thermal/zones.txt"]
    assert (zones["status"], zones["reason"]) == ("partial", "timeout")
    content = brought.contents["thermal/zones.txt"]
    assert b"thermal_zone2/temp: " in content
    assert b"thermal_zone3/temp: " not in content
    assert brought.artefacts["thermal/sensors.txt"]["status"] == "collected"


@pytest.mark.slow
def test_a_driver_that_hangs_costs_its_own_entries(hanging: dict[str, Brought]) -> None:
    brought = hanging["hung-nvidia-smi"]
    late = {name for name, fact in brought.artefacts.items() if fact.get("reason") == "timeout"}
    assert "gpu/query.txt" in late
    assert all(name.startswith("gpu/") for name in late)
    assert brought.artefacts["hardware/dmidecode.txt"]["status"] == "collected"
