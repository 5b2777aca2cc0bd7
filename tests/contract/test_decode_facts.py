"""A facts document holds the facets that were asked for, each typed, and nothing else."""

import json
from typing import Any

import pytest

from sparkctl.contract.decode import Expected, decode_facts
from sparkctl.errors import ContractError
from sparkctl.model.vocabulary import Elevation, Origin
from tests.support.envelopes import PROGRAM, envelope

EXPECTED = Expected(262144, PROGRAM, Elevation.NONE, Origin.LIVE, facets=("identity",))
IDENTITY: dict[str, Any] = {
    "data": {"identifiers": {}, "platform": {"clues": {}}, "smbios": {}, "serial": "1983925000001"},
    "volatile": {},
    "gaps": [{"path": "macs", "reason": "io_error", "summary": "the disk is gone"}],
}


def document(**facets: Any) -> bytes:
    whole = envelope(schema="sparkctl.facts/1")
    whole["data"] = {"facets": facets}
    return json.dumps(whole).encode()


def test_a_facts_document() -> None:
    found = decode_facts(document(identity=IDENTITY), EXPECTED)
    assert found.data is not None
    assert found.data.facets.identity is not None
    assert found.data.facets.identity.text == (
        '{"data":{"drives":{},"gpus":{},"host_keys":{},"identifiers":{},"macs":{},"platform":{"clues":{}},'
        '"serial":"1983925000001","smbios":{}},"gaps":{"macs":"io_error"}}'
    )


@pytest.mark.parametrize(
    ("facets", "cause"),
    [
        ({}, "incomplete"),
        ({"identity": None}, "incomplete"),
        ({"identity": {**IDENTITY, "data": {**IDENTITY["data"], "serial": 7}}}, "schema_violation"),
        ({"identity": {**IDENTITY, "data": {**IDENTITY["data"], "colour": "green"}}}, "schema_violation"),
        ({"identity": {**IDENTITY, "data": {**IDENTITY["data"], "hostname": "\u001b[2J"}}}, "schema_violation"),
        ({"identity": {**IDENTITY, "gaps": [{"path": "macs", "reason": "tired", "summary": ""}]}}, "schema_violation"),
        ({"weather": IDENTITY}, "schema_violation"),
        ({"identity": IDENTITY, "network": {"data": {}, "volatile": {}, "gaps": []}}, "incomplete"),
        ({"identity": {"data": None, "volatile": {}, "gaps": []}}, "schema_violation"),
        ({"identity": {**IDENTITY, "gaps": [{"path": "[a", "reason": "timeout", "summary": ""}]}}, "schema_violation"),
    ],
)
def test_refusals(facets: dict[str, Any], cause: str) -> None:
    with pytest.raises(ContractError) as caught:
        decode_facts(document(**facets), EXPECTED)
    assert caught.value.cause == cause


def test_a_health_document_is_not_facts() -> None:
    with pytest.raises(ContractError) as caught:
        decode_facts(json.dumps(envelope()).encode(), EXPECTED)
    assert caught.value.cause == "schema_violation"
