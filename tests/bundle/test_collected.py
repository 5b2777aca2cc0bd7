"""What is judged over a bundle is what was judged live, finding by finding."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.lab.state import Lab
from tests.support.command import json_lines, sparkctl
from tests.support.labs import running_lab

pytestmark = pytest.mark.slow

CHARACTERS = (
    "founders",
    "dell",
    "full-disk",
    "memory-wedge",
    "driver-missing",
    "stuck-sysfs",
    "hung-nvidia-smi",
    "hot",
)
PROGRAMS = ("health", "collect", "reset-reason")
# What changes by itself between two looks, also at a simulated machine.
MOMENTARY = {"volatile", "uptime_s"}
SECONDS = re.compile(r"\b\d+\.\d+ s\b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agreement")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[Lab]:
    with running_lab(folder / "lab", len(CHARACTERS), CHARACTERS) as lab:
        yield lab


@pytest.fixture(scope="module")
def live(folder: Path, lab: Lab) -> dict[tuple[str, str], Any]:
    """The data that each program had of each node, by program and node."""
    found: dict[tuple[str, str], Any] = {}
    for program in PROGRAMS:
        ran = sparkctl(program, *where(folder, lab), home=folder, timeout=120)
        found |= {(program, one["node_id"]): one["envelope"]["data"] for one in json_lines(ran)[:-1]}
    return found


@pytest.fixture(scope="module")
def bundles(folder: Path, lab: Lab) -> dict[str, Path]:
    """The bundle of each node by its name."""
    ran = sparkctl("bundle", "collect", *where(folder, lab), "--out", folder / "out", home=folder, timeout=300)
    *records, report = json_lines(ran)
    assert (ran.returncode, report["simulated"]) == (0, True), ran.stderr
    assert [one["failure"] for one in records] == [None] * len(CHARACTERS)
    return {one["node_id"]: Path(one["artifacts"][0]) for one in records}


def where(folder: Path, lab: Lab) -> tuple[str | Path, ...]:
    return "--fleet", lab.fleet_file, "--state", folder / "state", "--timeout", "60"


@pytest.mark.parametrize("character", CHARACTERS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_bundle_is_judged_as_the_node_was(
    program: str, character: str, folder: Path, lab: Lab, live: dict[tuple[str, str], Any], bundles: dict[str, Path]
) -> None:
    node = next(one.name for one in lab.nodes if one.character == character)
    ran = sparkctl(program, "--bundle", bundles[node], "--format", "jsonl", home=folder)
    document = json.loads(ran.stdout.splitlines()[0])
    data = document["data"] if program == "reset-reason" else document["envelope"]["data"]
    assert list(differences(live[program, node], data)) == []
    assert "not signed" in ran.stderr


def differences(live: Any, over_bundle: Any, path: str = "") -> Iterator[str]:
    """Where two documents differ in anything but stand-ins: in structure, in numbers, in words of a vocabulary."""
    if isinstance(live, dict) and isinstance(over_bundle, dict):
        if live.get("check") != "forensic.journal_reach":
            for name in names_of(live, over_bundle):
                yield from differences(live.get(name), over_bundle.get(name), f"{path}/{name}")
    elif isinstance(live, list) and isinstance(over_bundle, list) and len(live) == len(over_bundle):
        for index, pair in enumerate(zip(live, over_bundle, strict=True)):
            yield from differences(*pair, f"{path}/{index}")
    elif not is_alike(live, over_bundle, path):
        yield f"{path}: {live!r} is {over_bundle!r}"


def is_alike(live: Any, over_bundle: Any, path: str) -> bool:
    if isinstance(live, str) and isinstance(over_bundle, str):
        return is_stand_in(live, over_bundle)
    momentary = isinstance(live, float) and path.endswith("/value")
    return type(live) is type(over_bundle) and (momentary or bool(live == over_bundle))


def names_of(live: dict[str, Any], over_bundle: dict[str, Any]) -> list[str]:
    """The keys to compare: all of them, unless they are names of the node."""
    both, either = live.keys() & over_bundle.keys(), live.keys() | over_bundle.keys()
    return sorted((both if is_by_name(live, over_bundle) else either) - MOMENTARY)


def is_by_name(live: dict[str, Any], over_bundle: dict[str, Any]) -> bool:
    """Whether the keys are names of the node (addresses, users), as many here as there."""
    return len(live) == len(over_bundle) and any(
        "." in name or ":" in name for name in live.keys() ^ over_bundle.keys()
    )


def is_stand_in(live: str, over_bundle: str) -> bool:
    """Whether the words differ only where one of them names something that is redacted."""
    told = [SECONDS.sub("N s", words) for words in (live, over_bundle)]
    common = [re.sub(REDACTED, "X", words) for words in told]
    return common[0] == common[1]


REDACTED = (
    r"SHA256:[\w+/]{43}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|eui\.[0-9a-f]{16}"
    r"|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\b(?:[0-9a-f]{4}:){3}[0-9a-f]{4}\b|\d+\.\d+\.\d+\.\d+|fe80::[0-9a-f:]+"
    r"|(?:serial|host|user|domain|person)-x[a-z2-7]{10}(?:\.invalid)?|SIM(?:NVME)?\d+|\bsim-\d+\b|\bops\b|\broot\b|\b[0-9A-F]{4}-[0-9A-F]{4}\b|(?:ntp\.)?example\.net|\b000b[0-9a-f]{64}\b"
)
