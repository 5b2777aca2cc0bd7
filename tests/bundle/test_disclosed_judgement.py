"""A bundle that was redacted again is judged as the one that it was made from."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.evidence_tree import evidence_of
from sparkctl.app.over_tree import OverTree, how_it_ended, how_it_was, what_it_was
from tests.bundle.conftest import Collected
from tests.bundle.made import entry_of
from tests.redaction.test_same_judgement import comparable, differences
from tests.support.command import sparkctl

PROGRAMS: dict[str, Callable[[], OverTree]] = {"health": how_it_was, "facts": what_it_was, "reset": how_it_ended}
NAMES = re.compile(
    r"(?:host|domain|user|person|serial|ssid|secret)-x[a-z2-7]{10}"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b|\b000b[0-9a-f]{64}\b|(?:eui\.|naa\.)[0-9a-f]+"
    r"|(?:[0-9a-f]{2}:){3,5}[0-9a-f]{2}|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}|[0-9]+(?:\.[0-9]+){3}"
    r"|\b[0-9A-F]{4}-[0-9A-F]{4}\b"
)
"""What may be another name of the same thing."""


@pytest.fixture(scope="module")
def disclosed(collected: Collected, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disclosed")
    out = folder / "one.zst"
    ran = sparkctl("bundle", "disclose", collected.hot, "--for", "vendor", "--out", out, home=folder, timeout=240)
    assert ran.returncode == 0, ran.stderr
    return out


def judged(bundle: Path, name: str) -> Any:
    with evidence_of(bundle, None) as evidence:
        record = PROGRAMS[name]().of(evidence.tree, evidence.node)
    assert record.envelope is not None, record.failure
    return told(json.loads(record.envelope.model_dump_json()))


def told(document: dict[str, Any]) -> Any:
    return comparable({"data": document["data"], "errors": document["errors"]})


def nameless(document: Any, other: Any) -> Any:
    """A document with one word for every name that the other one has not, in the order that this gives."""
    kept = set(NAMES.findall(json.dumps(other)))
    text = NAMES.sub(lambda found: found[0] if found[0] in kept else "name", json.dumps(document))
    return comparable(json.loads(text))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_judgement_that_is_carried_over_is_that_of_the_tree_that_is_handed_on(disclosed: Path, name: str) -> None:
    carried = told(json.loads(entry_of(disclosed, f"judged/{name}.json")))
    found = differences(carried, judged(disclosed, name))
    assert not found, found


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_names_aside_both_bundles_are_judged_alike(collected: Collected, disclosed: Path, name: str) -> None:
    before, after = judged(collected.hot, name), judged(disclosed, name)
    found = differences(nameless(before, after), nameless(after, before))
    assert not found, found


@pytest.mark.slow
def test_only_what_is_of_our_own_making_is_the_same_word_for_word(collected: Collected, disclosed: Path) -> None:
    schema = "schemas/facts-envelope.schema.json"
    assert entry_of(disclosed, schema) == entry_of(collected.hot, schema)
    before, after = (json.loads(entry_of(each, "judged/facts.json")) for each in (collected.hot, disclosed))
    assert before["meta"]["node"]["hostname"] != after["meta"]["node"]["hostname"]
    assert before["data"]["facets"]["drivers"] == after["data"]["facets"]["drivers"]
