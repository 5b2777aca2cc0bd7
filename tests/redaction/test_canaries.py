"""Canaries of every class: none survives the redactor, and one does as soon as its rule is taken away."""

import io
from pathlib import Path

import pytest

from sparkctl.redaction.canaries import Canary, canaries, rehearsed
from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Redactor
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.standins import Pseudonyms
from sparkctl.redaction.survivors import survivors

KEY = bytes(range(32))
SEED = 5


def planted() -> tuple[Known, dict[str, Canary]]:
    known = Known()
    made = canaries(known, SEED)
    return known, {canary.rule: canary for canary in made}


KNOWN, CANARIES = planted()
REDACTOR = Redactor(Pseudonyms(KEY), KNOWN)


@pytest.mark.parametrize("rule", CANARIES)
def test_no_canary_survives_in_any_encoding_and_kind(rule: str) -> None:
    out = rehearsed(REDACTOR, [CANARIES[rule]])
    assert survivors(io.BytesIO(out), KNOWN, CANARIES.values()) == []


def test_fresh_canaries_sent_through_all_at_once_do_not_survive() -> None:
    known = Known()
    made = canaries(known)
    out = rehearsed(Redactor(Pseudonyms(KEY), known), made)
    assert survivors(io.BytesIO(out), known, made) == []


def test_every_rule_has_a_canary() -> None:
    assert {rule.id for rule in RULES} <= set(CANARIES)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_without_its_rule_a_canary_survives(rule: str) -> None:
    redactor = Redactor(Pseudonyms(KEY), KNOWN, rules=[one for one in RULES if one.id != rule])
    found = survivors(io.BytesIO(rehearsed(redactor, [CANARIES[rule]])), KNOWN, CANARIES.values())
    assert rule in {survivor.rule for survivor in found}


@pytest.mark.parametrize("rule", [name for name in CANARIES if name.startswith("known.")])
def test_without_harvest_a_known_canary_survives(rule: str) -> None:
    redactor = Redactor(Pseudonyms(KEY), Known())
    found = survivors(io.BytesIO(rehearsed(redactor, [CANARIES[rule]])), Known(), CANARIES.values())
    assert {survivor.rule for survivor in found} == {rule}


def test_every_rule_is_on_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "redaction.md").read_text("utf-8")
    assert [
        rule.id for rule in RULES if not rule.id.startswith("again.") and f"| `{rule.id}` | {rule.where} |" not in page
    ] == []
