"""Bundles of simulated nodes, collected over SSH: judged as the nodes were, compared, disclosed, and shown.

One node is collected twice as it is, and once more when it is hot.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.evidence_tree import evidence_of
from sparkctl.app.over_tree import OverTree, how_it_ended, how_it_was, what_it_was
from sparkctl.lab.state import Lab
from tests.bundle.made import entry_of
from tests.bundle.test_diff import compare
from tests.bundle.test_html import needs_browser, rendered
from tests.redaction.test_same_judgement import comparable, differences
from tests.support.command import json_lines, sparkctl
from tests.support.corpus import THOROUGH
from tests.support.labs import running_lab

pytestmark = pytest.mark.slow

# What answers at once is compared, file by file and for every make, in tests/redaction/test_same_judgement.py.
OTHERS = ("dell", "full-disk", "memory-wedge", "driver-missing", "hot") if THOROUGH else ()
CHARACTERS = ("founders", "stuck-sysfs", "hung-nvidia-smi", *OTHERS)
HEATED = "founders, heated"
PROGRAMS = ("health", "collect", "reset-reason")
# What changes by itself between two looks, also at a simulated machine.
MOMENTARY = {"volatile", "uptime_s"}
SECONDS = re.compile(r"\b\d+\.\d+ s\b")
JUDGED: dict[str, Callable[[], OverTree]] = {"health": how_it_was, "facts": what_it_was, "reset": how_it_ended}
NAMES = re.compile(
    r"(?:host|domain|user|person|serial|ssid|secret)-x[a-z2-7]{10}"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b|\b000b[0-9a-f]{64}\b|(?:eui\.|naa\.)[0-9a-f]+"
    r"|(?:[0-9a-f]{2}:){3,5}[0-9a-f]{2}|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}|[0-9]+(?:\.[0-9]+){3}"
    r"|\b[0-9A-F]{4}-[0-9A-F]{4}\b"
)
"""What may be another name of the same thing."""


@dataclass(frozen=True)
class Collected:
    """What each program said of each node, by program and character, and the bundle of each character.

    `again` is the bundle of the first node once more, when nothing had happened to it.
    """

    live: dict[tuple[str, str], Any]
    bundles: dict[str, Path]
    again: Path

    @property
    def hot(self) -> Path:
        """The bundle of the first node when it had become hot."""
        return self.bundles[HEATED]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    folder = tmp_path_factory.mktemp("collected")
    with running_lab(folder / "lab", len(CHARACTERS), CHARACTERS, seconds=3600) as lab:
        named = {node.name: node.character for node in lab.nodes}
        live, bundles = judged_live(folder, lab, named), collected_of(folder, lab, named)
        heated = {"sim-01": HEATED}
        (again,) = collected_of(folder, lab, heated).values()
        broken = sparkctl("lab", "break", "sim-01", "hot", "--dir", folder / "lab", home=folder)
        assert broken.returncode == 0, broken.stderr
        live |= judged_live(folder, lab, heated)
        yield Collected(live, bundles | collected_of(folder, lab, heated), again)


def judged_live(folder: Path, lab: Lab, named: dict[str, str]) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for program in PROGRAMS:
        ran = sparkctl(program, ",".join(named), *where(folder, lab), home=folder, timeout=240)
        found |= {(program, named[one["node_id"]]): one["envelope"]["data"] for one in json_lines(ran)[:-1]}
    return found


def collected_of(folder: Path, lab: Lab, named: dict[str, str]) -> dict[str, Path]:
    out = folder / f"out-{len(list(folder.glob('out-*')))}"
    ran = sparkctl("bundle", "collect", ",".join(named), *where(folder, lab), "--out", out, home=folder, timeout=600)
    *records, report = json_lines(ran)
    assert (ran.returncode, report["simulated"]) == (0, True), ran.stderr
    assert [one["failure"] for one in records] == [None] * len(named)
    return {named[one["node_id"]]: Path(one["artifacts"][0]) for one in records}


def where(folder: Path, lab: Lab) -> tuple[str | Path, ...]:
    return "--fleet", lab.fleet_file, "--state", folder / "state", "--timeout", "180"


@pytest.mark.parametrize("character", [*CHARACTERS, HEATED])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_bundle_is_judged_as_the_node_was(program: str, character: str, collected: Collected, tmp_path: Path) -> None:
    ran = sparkctl(program, "--bundle", collected.bundles[character], "--format", "jsonl", home=tmp_path)
    document = json.loads(ran.stdout.splitlines()[0])
    data = document["data"] if program == "reset-reason" else document["envelope"]["data"]
    assert list(disagreements(collected.live[program, character], data)) == []
    assert "not signed" in ran.stderr


def disagreements(live: Any, over_bundle: Any, path: str = "") -> Iterator[str]:
    """Where two documents differ in anything but stand-ins: in structure, in numbers, in words of a vocabulary."""
    if isinstance(live, dict) and isinstance(over_bundle, dict):
        if live.get("check") != "forensic.journal_reach":
            for name in names_of(live, over_bundle):
                yield from disagreements(live.get(name), over_bundle.get(name), f"{path}/{name}")
    elif isinstance(live, list) and isinstance(over_bundle, list) and len(live) == len(over_bundle):
        for index, pair in enumerate(zip(live, over_bundle, strict=True)):
            yield from disagreements(*pair, f"{path}/{index}")
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


def test_between_bundles_of_a_node_to_which_nothing_happened_is_no_change(collected: Collected) -> None:
    first = collected.bundles["founders"]
    code, told = compare(first, collected.again)
    assert (code, told["changes"], told["uncompared"], told["ends_told"]) == (0, 0, [], True)
    before, after = (json.loads(entry_of(each, "judged/facts.json")) for each in (first, collected.again))
    assert before["data"]["facets"]["identity"]["data"]["macs"] != after["data"]["facets"]["identity"]["data"]["macs"]


def test_a_node_that_became_hot_differs_in_that(collected: Collected) -> None:
    code, told = compare(collected.again, collected.hot)
    changed = {each["check"]: each["after"]["status"] for each in told["findings"]}
    assert code == 1
    assert changed["gpu.temperature"] == "fail"
    assert (told["facts"], told["ends"], told["artefacts"], told["programs"]) == ([], [], [], [])


@needs_browser
def test_in_a_browser_a_collected_bundle_is_whole(collected: Collected, tmp_path: Path) -> None:
    out = tmp_path / "hot.html"
    ran = sparkctl("bundle", "show", collected.hot, "--html", out, home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    shown = rendered(out, tmp_path / "profile")
    for words in ("gpu.temperature", "SIMULATED", "580.142 open", "artefacts/gpu/table.txt", "no script.</p>"):
        assert words in shown, words


@pytest.fixture(scope="module")
def disclosed(collected: Collected, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disclosed")
    out = folder / "one.zst"
    ran = sparkctl("bundle", "disclose", collected.hot, "--for", "vendor", "--out", out, home=folder, timeout=240)
    assert ran.returncode == 0, ran.stderr
    return out


def judged(bundle: Path, name: str) -> Any:
    with evidence_of(bundle, None) as evidence:
        record = JUDGED[name]().of(evidence.tree, evidence.node)
    assert record.envelope is not None, record.failure
    return told(json.loads(record.envelope.model_dump_json()))


def told(document: dict[str, Any]) -> Any:
    return comparable({"data": document["data"], "errors": document["errors"]})


def nameless(document: Any, other: Any) -> Any:
    """A document with one word for every name that the other one has not, in the order that this gives."""
    kept = set(NAMES.findall(json.dumps(other)))
    text = NAMES.sub(lambda found: found[0] if found[0] in kept else "name", json.dumps(document))
    return comparable(json.loads(text))


@pytest.mark.parametrize("name", JUDGED)
def test_the_judgement_that_is_carried_over_is_that_of_the_tree_that_is_handed_on(disclosed: Path, name: str) -> None:
    carried = told(json.loads(entry_of(disclosed, f"judged/{name}.json")))
    found = differences(carried, judged(disclosed, name))
    assert not found, found


@pytest.mark.parametrize("name", JUDGED)
def test_names_aside_both_bundles_are_judged_alike(collected: Collected, disclosed: Path, name: str) -> None:
    before, after = judged(collected.hot, name), judged(disclosed, name)
    found = differences(nameless(before, after), nameless(after, before))
    assert not found, found


def test_only_what_is_of_our_own_making_is_the_same_word_for_word(collected: Collected, disclosed: Path) -> None:
    schema = "schemas/facts-envelope.schema.json"
    assert entry_of(disclosed, schema) == entry_of(collected.hot, schema)
    before, after = (json.loads(entry_of(each, "judged/facts.json")) for each in (collected.hot, disclosed))
    assert before["meta"]["node"]["hostname"] != after["meta"]["node"]["hostname"]
    assert before["data"]["facets"]["drivers"] == after["data"]["facets"]["drivers"]
