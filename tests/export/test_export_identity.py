"""A node is the same node tomorrow: its key comes from evidence of identity, and its ids follow from the key."""

from dataclasses import replace
from typing import Any

import pytest

from sparkctl.export.catalogue import FORMATS
from sparkctl.export.events import events
from sparkctl.export.identity import contested, correlation_key
from sparkctl.export.subject import Subject
from sparkctl.model.inventory import Node
from sparkctl.model.standing import NodeStanding
from tests.support.standings import NOON, exported, never_visited, with_facet


def _identity(**parts: Any) -> dict[str, Any]:
    return {"identifiers": {}, "platform": {"clues": {}}, "smbios": {}, **parts}


def _known(serial: str | None = None, source: str | None = None, **identity: Any) -> NodeStanding:
    told = {key: value for key, value in (("serial", serial), ("serial_source", source)) if value}
    return with_facet(never_visited("spark01"), "identity", _identity(**told, **identity))


def _product(value: str, *, placeholder: bool = False) -> dict[str, Any]:
    one = {"value": value, "privilege": "root", "placeholder": placeholder, "locator": "/sys/class/dmi/id"}
    return {"identifiers": {"smbios.product_serial": one}}


def test_evidence_comes_before_the_name() -> None:
    key = correlation_key(_known("S1", "dgx_release.serial"))
    assert (key.value, key.source) == ("S1", "dgx_release.serial")


def test_smbios_comes_before_the_factory_image() -> None:
    key = correlation_key(_known("S2", "dgx_release.serial", serials_agree=False, **_product("S1")))
    assert (key.value, key.source) == ("S1", "smbios.product_serial")


def test_a_placeholder_is_no_serial() -> None:
    assert correlation_key(_known(None, None, **_product("Default string", placeholder=True))).value == "spark01"


def test_cloned_identifiers_are_never_a_key() -> None:
    known = _known(machine_id="m" * 32, host_keys={"ssh-ed25519": "SHA256:x"})
    assert correlation_key(known).source == "inventory.name"


def test_who_told_the_serial_does_not_matter_to_the_id() -> None:
    ids = {
        correlation_key(known).uuid
        for known in (
            _known("S1", "dgx_release.serial"),
            _known("S1", "smbios.product_serial", **_product("S1")),
            never_visited("spark01", serial="S1"),
        )
    }
    assert len(ids) == 1
    assert correlation_key(never_visited("S1")).uuid not in ids  # a name is no serial


def test_an_enrolled_serial_makes_the_id_the_same_with_root_and_without(founders: NodeStanding) -> None:
    node = founders.node.model_copy(update={"serial": founders.fact("identity")["serial"]})
    seen = replace(founders, node=node)
    blind = with_facet(seen, "identity", _identity(), {"serial": "not_permitted"})
    assert correlation_key(seen).uuid == correlation_key(blind).uuid == correlation_key(founders).uuid


def test_a_serial_of_several_nodes_is_nobodys() -> None:
    nodes = [Node(node_id=name, origin="f") for name in ("a", "b", "c")]
    found = contested(nodes, {"S1": {"a", "b"}, "S2": {"c"}})
    assert found == {"a": frozenset({"S1"}), "b": frozenset({"S1"})}
    known = _known("S1", "dgx_release.serial")
    assert correlation_key(known, found["a"]).source == "inventory.name"


def test_an_enrolled_serial_stays_its_owners() -> None:
    nodes = [Node(node_id="a", origin="f", serial="S1"), Node(node_id="b", origin="f")]
    assert contested(nodes, {"S1": {"a", "b"}}) == {"b": frozenset({"S1"})}
    twice = [Node(node_id=name, origin="f", serial="S1") for name in ("a", "b")]
    assert set(contested(twice, {})) == {"a", "b"}
    assert correlation_key(never_visited("a", serial="S1"), {"S1"}).value == "a"


def test_a_contested_serial_is_in_no_field_that_a_cmdb_matches_by() -> None:
    subject = Subject(_known("CLONED", "dgx_release.serial"), NOON, frozenset({"CLONED"}))
    for form in ("servicenow", "netbox", "glpi", "snipeit"):
        assert "CLONED" not in "".join(FORMATS[form].pieces([subject]))


def test_ids_of_observations_are_the_same_each_time_and_differ(founders: NodeStanding) -> None:
    first, second = ([event.id for event in events(Subject(founders, at))] for at in (NOON, NOON.replace(hour=13)))
    assert first == second
    assert len(first) == len(set(first))


@pytest.mark.parametrize("form", ["cyclonedx", "cyclonedx-sbom", "netbox", "servicenow", "glpi", "snipeit"])
def test_the_same_facts_are_the_same_bytes(form: str, founders: NodeStanding) -> None:
    subjects = [Subject(founders, NOON), Subject(founders, NOON.replace(hour=13))]
    first, second = ("".join(FORMATS[form].pieces([subject])) for subject in subjects)
    assert first == second == exported(form, [founders])
