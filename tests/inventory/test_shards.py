"""Shards part a selection: every node in exactly one, and in the same one whatever else there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.errors import UsageError
from sparkctl.inventory.shards import Shard
from sparkctl.model.inventory import Node

KNOWN = ["spark02", "spark03", "spark10", "spark26", "spark29"]
NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True), unique=True, max_size=40)


def nodes(names: list[str]) -> list[Node]:
    return [Node(node_id=name, origin="test:1") for name in names]


@given(names=NAMES, count=st.integers(1, 9))
def test_every_node_is_in_exactly_one_shard(names: list[str], count: int) -> None:
    parts = [Shard(number, count).of(nodes(names)) for number in range(1, count + 1)]
    assert sorted(node.node_id for part in parts for node in part) == sorted(names)


@given(names=NAMES, others=NAMES, count=st.integers(1, 9))
def test_a_nodes_shard_does_not_depend_on_the_others(names: list[str], others: list[str], count: int) -> None:
    shard = Shard(1, count)
    mine = {node.node_id for node in shard.of(nodes(names))}
    together = {node.node_id for node in shard.of(nodes(sorted({*names, *others})))}
    assert mine == together & set(names)


def test_shards_are_of_like_size() -> None:
    sizes = [len(Shard(number, 8).of(nodes([f"spark{n:04d}" for n in range(8000)]))) for number in range(1, 9)]
    assert max(sizes) < 1.15 * min(sizes)


def test_it_stays_the_same_from_version_to_version() -> None:
    assert [node.node_id for node in Shard(3, 8).of(nodes([f"spark{n:02d}" for n in range(1, 33)]))] == KNOWN


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "3/0", "1/1001", "-1/8", "3/8/2", " 3/8", "a/b"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a shard"):
        Shard.parse(text)


def test_it_reads_what_it_writes() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)
    assert str(Shard(3, 8)) == "3/8"
