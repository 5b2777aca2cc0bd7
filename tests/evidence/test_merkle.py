"""Trees and proofs as RFC 6962 defines them; the tree here is made by the RFC's own recursion."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkctl.evidence import merkle


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, over at least one leaf."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


# The certificate transparency project's own test leaves, and the root over all eight of them.
KNOWN = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_known_tree() -> None:
    leaves = [merkle.leaf(bytes.fromhex(text)) for text in KNOWN]
    assert merkle.root(leaves).hex() == KNOWN_ROOT


@pytest.mark.parametrize("count", [*range(1, 35), 64, 65, 1000])
def test_every_proof_leads_to_the_root_and_to_no_other(count: int) -> None:
    contents = [b"%d" % number for number in range(count)]
    leaves = [merkle.leaf(content) for content in contents]
    root = by_definition(contents)
    assert merkle.root(leaves) == root
    tree = merkle.levels(leaves)
    for index, hashed in enumerate(leaves):
        path = merkle.proof(tree, index)
        assert merkle.root_by_proof(hashed, index, count, path) == root
        if count > 1:
            assert merkle.root_by_proof(merkle.leaf(b"another"), index, count, path) != root
            with pytest.raises(ValueError, match="too short"):
                merkle.root_by_proof(hashed, index, count, path[:-1])
        with pytest.raises(ValueError, match="too long"):
            merkle.root_by_proof(hashed, index, count, [*path, root])


@given(st.integers(2, 70), st.data())
def test_a_proof_holds_in_one_place_only(count: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf(b"%d" % number) for number in range(count)]
    index, other = data.draw(st.tuples(*[st.integers(0, count - 1)] * 2).filter(lambda pair: pair[0] != pair[1]))
    path = merkle.proof(merkle.levels(leaves), index)
    try:
        assert merkle.root_by_proof(leaves[index], other, count, path) != merkle.root(leaves)
    except ValueError:
        assert len(path) != len(merkle.proof(merkle.levels(leaves), other))


def test_a_node_is_no_leaf() -> None:
    leaves = [merkle.leaf(b"%d" % number) for number in range(4)]
    (left, right), (root,) = merkle.levels(leaves)[1:]
    assert merkle.leaf(left + right) != root


def subproof(size: int, leaves: list[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2, over contents of leaves."""
    if size == len(leaves):
        return [] if known else [by_definition(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= split:
        return [*subproof(size, leaves[:split], known=known), by_definition(leaves[split:])]
    return [*subproof(size - split, leaves[split:], known=False), by_definition(leaves[:split])]


@pytest.mark.parametrize("count", [*range(1, 20), 32, 33, 70])
def test_every_proof_of_consistency_is_that_of_the_rfc_and_holds_for_nothing_else(count: int) -> None:
    contents = [b"%d" % number for number in range(count)]
    tree = merkle.levels([merkle.leaf(content) for content in contents])
    new, other = by_definition(contents), merkle.leaf(b"another")
    for size in range(1, count + 1):
        old, path = by_definition(contents[:size]), merkle.consistency(tree, size)
        assert path == subproof(size, contents, known=True)
        assert merkle.is_consistent(size, old, count, new, path)
        assert not merkle.is_consistent(size, other, count, new, path)
        assert not merkle.is_consistent(size, old, count, other, path)
        assert not merkle.is_consistent(size, old, count, new, [*path, new])
        for at in range(len(path)):
            assert not merkle.is_consistent(size, old, count, new, path[:at] + path[at + 1 :])
            assert not merkle.is_consistent(size, old, count, new, [*path[:at], other, *path[at + 1 :]])
    assert not merkle.is_consistent(0, new, count, new, [])
    assert not merkle.is_consistent(count + 1, new, count, new, [])


def test_a_tree_that_grows_has_the_root_of_each_size() -> None:
    growing, contents = merkle.Growing(), []
    for number in range(130):
        contents.append(b"%d" % number)
        growing.add(merkle.leaf(contents[-1]))
        assert (growing.size, growing.root) == (len(contents), by_definition(contents))
