"""Two documents of a facet: what is different, what is the same however it is written, what cannot be told."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.model.facets.difference import Difference, Kind, differences, leaves, pruned
from sparkctl.model.facets.paths import covers, from_text, to_text

_names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
_scalars = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=10))
_values = st.recursive(
    st.one_of(_scalars, st.lists(_scalars, max_size=3)), lambda inner: st.dictionaries(_names, inner, max_size=4)
)
_data = st.dictionaries(_names, _values, max_size=6)


def document(data: Any, **gaps: str) -> dict[str, Any]:
    return {"data": data, "gaps": gaps}


def shuffled(value: Any, chance: random.Random) -> Any:
    if not isinstance(value, dict):
        return value
    members = [(name, shuffled(member, chance)) for name, member in value.items()]
    chance.shuffle(members)
    return dict(members)


@given(_data, st.randoms(use_true_random=False))
def test_a_document_does_not_differ_from_itself_in_any_order(data: dict[str, Any], chance: random.Random) -> None:
    assert differences(document(data), document(shuffled(data, chance))) == []


@given(_data, _data, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(one: dict[str, Any], other: dict[str, Any], chance: random.Random) -> None:
    first = differences(document(one), document(other))
    assert differences(document(shuffled(one, chance)), document(shuffled(other, chance))) == first


@given(_data, _data)
def test_the_way_back_is_the_mirror(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = differences(document(one), document(other)), differences(document(other), document(one))
    mirror = {Kind.APPEARED: Kind.DISAPPEARED, Kind.DISAPPEARED: Kind.APPEARED, Kind.CHANGED: Kind.CHANGED}
    assert back == [Difference(d.path, mirror[d.kind], d.after, d.before) for d in there]


@given(st.lists(_names, max_size=5))
def test_a_path_can_be_written_and_read(names: list[str]) -> None:
    if "*" not in names:
        assert from_text(to_text(names)) == tuple(names)


def test_a_field_that_is_true_is_not_a_field_that_is_one() -> None:
    assert differences(document({"a": True}), document({"a": 1})) == [Difference(("a",), Kind.CHANGED, True, 1)]


def test_differences_are_named_by_field() -> None:
    before = {"nvidia": {"version": "580.142"}, "modules": {"r8127": {"in_tree": False}}}
    after = {"nvidia": {"version": "580.173.02"}, "modules": {"mlx5_core": {"in_tree": True}}}
    assert differences(document(before), document(after)) == [
        Difference(("modules", "mlx5_core"), Kind.APPEARED, None, {"in_tree": True}),
        Difference(("modules", "r8127"), Kind.DISAPPEARED, {"in_tree": False}, None),
        Difference(("nvidia", "version"), Kind.CHANGED, "580.142", "580.173.02"),
    ]


def test_what_cannot_be_read_is_no_change() -> None:
    known, hidden = document({"serial": "1", "name": "a"}), document({"name": "b"}, serial="not_permitted")
    assert differences(known, hidden) == [
        Difference(("name",), Kind.CHANGED, "a", "b"),
        Difference(("serial",), Kind.UNREADABLE, None, "not_permitted"),
    ]
    assert Difference(("serial",), Kind.READABLE, None, None) in differences(hidden, known)
    assert differences(hidden, hidden) == []


def test_of_a_map_that_is_partly_hidden_only_what_was_seen_is_compared() -> None:
    known = document({"smbios": {"vendor": "a", "serial": "1"}})
    hidden = document({}, **{"smbios.serial": "not_permitted"})
    assert differences(known, hidden) == [
        Difference(("smbios", "serial"), Kind.UNREADABLE, None, "not_permitted"),
        Difference(("smbios", "vendor"), Kind.DISAPPEARED, "a", None),
    ]


def test_a_gap_hides_all_below_it() -> None:
    known, hidden = document({"macs": {"eth0": "1"}}), document({}, macs="io_error")
    assert [difference.kind for difference in differences(known, hidden)] == [Kind.UNREADABLE]


@pytest.mark.parametrize("text", ["a..b", ".a", "a[b", "a b", "a]", "a[b]c", "a."])
def test_what_is_no_path_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match="look at character"):
        from_text(text)


def test_patterns_cover_what_is_below_them() -> None:
    assert covers(from_text("interfaces.*.mac"), ("interfaces", "eth0", "mac"))
    assert covers(from_text("interfaces"), ("interfaces", "eth0", "mac"))
    assert not covers(from_text("interfaces.*.mac"), ("interfaces", "eth0", "mtu"))
    assert not covers(from_text("interfaces.*.mac"), ("interfaces", "eth0"))


def test_leaves_are_all_fields() -> None:
    found = {to_text(path): value for path, value in leaves({"a": {"b": 1, "c": ["x"]}, "d": {}, "e": [], "f": False})}
    assert found == {"a.b": 1, "a.c": ["x"], "f": False}


def test_nothing_is_nothing_however_it_is_written() -> None:
    assert differences(document({"a": {}, "b": []}), document({})) == []


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert differences(document({"a": 32.0, "b": [1]}), document({"a": 32, "b": [1]})) == []


def test_members_that_hold_nothing_are_nothing_at_any_depth() -> None:
    assert differences(document({"sensors": {"fan": {"fan1": {}}}}), document({})) == []


def test_what_is_ignored_is_gone_with_all_that_holds_nothing_else() -> None:
    data = {"drives": {"nvme0": {"serial": "1"}}, "macs": {"a": "1"}, "mtu": 9000}
    assert pruned(data, [from_text("drives.*.serial"), from_text("macs")]) == {"mtu": 9000}
