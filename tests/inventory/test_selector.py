"""The selector language."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.errors import UsageError
from sparkctl.inventory.ranges import fold
from sparkctl.inventory.selector import FIELDS, PLAIN_FIELDS, select
from sparkctl.inventory.selector_syntax import SelectorError
from sparkctl.model.inventory import Fleet, Node, SshSettings

FLEET = """
defaults: {site: ams1, ssh: {user: ops}}
groups:
  train: {nodes: "spark[01-04]", groups: [small]}
  small: {nodes: [spark05], labels: {owner: "ml team"}}
units:
  pair-1: spark[01-02]
  pair-[2-3]: spark[03-06]
nodes:
  spark[01-04]: {rack: a1, state: in_service, labels: {owner: ml}}
  spark[05-06]: {rack: a2, state: repair}
  web1: {ssh: {host: 10.0.0.9}, transport: paramiko}
"""


@pytest.fixture
def fleet(load: Callable[..., Fleet]) -> Fleet:
    return load(FLEET)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("all", "spark[01-06],web1"),
        ("spark[01-03]", "spark[01-03]"),
        ("spark[01-02,06]", "spark[01-02,06]"),
        ("spark*", "spark[01-06]"),
        ("spark0?", "spark[01-06]"),
        ("spark0[1-2]*", "spark[01-02]"),
        ("spark01,web1", "spark01,web1"),
        (" spark01 , web1 ", "spark01,web1"),
        ("rack=a1", "spark[01-04]"),
        ("rack=a[1-2]", "spark[01-06]"),
        ("rack=a*&!rack=a1", "spark[05-06]"),
        ("rack!=a1", "spark[05-06],web1"),
        ("rack=", "web1"),
        ("rack!=", "spark[01-06]"),
        ("state=in_service", "spark[01-04]"),
        ("state=retired,web1", "web1"),
        ("unit=pair-3", "spark[05-06]"),
        ("unit=pair-[1-2]", "spark[01-04]"),
        ("@train", "spark[01-05]"),
        ("group=small", "spark05"),
        ("group!=train", "spark06,web1"),
        ("@all", "spark[01-06],web1"),
        ("owner=ml", "spark[01-04]"),
        ('owner="ml team"', "spark05"),
        ("label.owner='ml team'", "spark05"),
        ("owner=", "spark06,web1"),
        ("site=ams1&web1", "web1"),
        ("host=10.0.0.9", "web1"),
        ("transport=paramiko", "web1"),
        ("user=ops&elevation=none&simulated=false", "spark[01-06],web1"),
        ("!spark*", "web1"),
        ("!!web1", "web1"),
        ("spark01,rack=a2&state=repair", "spark[01,05-06]"),
        ("(spark01,rack=a2)&state=repair", "spark[05-06]"),
        ("!(rack=a1,rack=a2)", "web1"),
        ("node=web*", "web1"),
    ],
)
def test_select(fleet: Fleet, text: str, folded: str) -> None:
    assert fold(node.node_id for node in select(fleet, text)) == folded


@pytest.mark.parametrize(
    ("text", "caret", "reason", "hint"),
    [
        ("", 0, "empty", "all"),
        ("   ", 0, "empty", "all"),
        ("spark01,", 8, "is missing here", None),
        ("spark01&&web1", 8, "is missing here", None),
        ("spark01 web1", 8, "comma", None),
        ("(spark01", 0, "not closed", None),
        ("spark01)", 7, "not opened", None),
        ("(spark01 web1)", 9, "comma", None),
        ("spark[01-03", 5, "bracket", None),
        ("spark[03-01]", 5, "backwards", "range"),
        ("owner='ml", 6, "quote", None),
        ("=a1", 0, "no node", None),
        ("spark99", 0, "no node spark99", "spark06"),
        ("spark01,spark[05-08]", 8, "no node spark[07-08]", "spark06"),
        ("spark01,gpu*", 8, "no node matches gpu*", "The nodes are"),
        ("!spark99", 1, "no node spark99", None),
        ("all,@trian", 5, "no group trian", "train"),
        ("all,unit=pair-9", 4, "no unit pair-9", "pair-1"),
        ("all,rack=b7", 4, "no node has rack=b7", "a1, a2"),
        ("all,ownr=ml", 4, "neither a field nor a label", "owner"),
        ("all,label.ownr=ml", 4, "no node has a label ownr", "owner"),
        ("owner=mll", 0, "no node has owner=mll", "ml"),
        ("state=retired", 0, "no node has state=retired", "repair"),
        ("rack=a1&rack=a2", 0, "selects no node", "all of it"),
        ("@", 0, "missing", None),
    ],
)
def test_a_fault_is_shown_under_the_text(fleet: Fleet, text: str, caret: int, reason: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        select(fleet, text)
    first, shown, marker = caught.value.message.split("\n")
    assert reason in first
    assert shown == f"  {text}"
    assert marker == " " * (2 + caret) + "^"
    if hint:
        assert hint in (caught.value.hint or "")


def test_parentheses_nest_only_so_deep(fleet: Fleet) -> None:
    assert select(fleet, "(" * 50 + "all" + ")" * 50)
    with pytest.raises(SelectorError, match="more than 50 parentheses"):
        select(fleet, "(" * 100_000)


def test_a_long_selector_is_cut_around_the_fault(fleet: Fleet) -> None:
    with pytest.raises(SelectorError) as caught:
        select(fleet, "spark01," * 1000 + "!," + "spark01," * 1000)
    _, shown, marker = caught.value.message.split("\n")
    assert len(shown) < 100
    assert shown[marker.index("^") - 1 :].startswith("!,")


def test_control_characters_never_reach_the_message(fleet: Fleet) -> None:
    with pytest.raises(SelectorError) as caught:
        select(fleet, "spark\x1b[31m\u202e")
    assert "\x1b" not in caught.value.message
    assert "\u202e" not in caught.value.message


def test_a_selector_longer_than_an_argument_is_refused(fleet: Fleet) -> None:
    with pytest.raises(SelectorError, match="longer"):
        select(fleet, "spark01," * 20_000)


def test_many_negations_do_not_exhaust_the_stack(fleet: Fleet) -> None:
    assert len(select(fleet, "!" * 100_000 + "all")) == len(fleet.nodes)


@given(st.text(alphabet="ab1=!,&()@*[]-'\" ", max_size=25))
def test_any_text_selects_or_is_refused(text: str) -> None:
    nodes = [Node(node_id=name, origin="f", labels={"a": "b"}, groups=["ab"]) for name in ("a", "ab", "b1")]
    fleet = Fleet(nodes=nodes, sources=[])
    try:
        assert select(fleet, text)
    except SelectorError as error:
        message = error.message
    else:
        return
    assert message.endswith("^")


def test_every_field_of_a_node_can_be_selected_by() -> None:
    named_otherwise = {"node_id", "groups", "labels", "ssh", "origin"}
    assert set(Node.model_fields) - named_otherwise <= FIELDS
    assert PLAIN_FIELDS - set(Node.model_fields) <= set(SshSettings.model_fields)


def test_selection_keeps_the_order_of_the_fleet(load: Callable[..., Fleet]) -> None:
    fleet = load("nodes: [n10, n9, n2]")
    assert [node.node_id for node in select(fleet, "n10,n2,n9")] == ["n2", "n9", "n10"]
