"""Merkle trees as RFC 6962, section 2.1; proofs that a leaf is of one (2.1.1), and that one grew of another (2.1.2)."""

import hashlib
from collections.abc import Sequence


def leaf(content: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over at least one hash of a leaf."""
    return levels(leaves)[-1][0]


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All hashes of a tree, the leaves first, its root last.

    A node without a neighbour goes up as it is, which is the RFC's split at the largest power of two.
    """
    found = [list(leaves)]
    while len(found[-1]) > 1:
        below = found[-1]
        above = [_node(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        found.append(above + below[len(above) * 2 :])
    return found


def proof(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root of a tree that `levels` made."""
    path = []
    for level in tree[:-1]:
        if (neighbour := index ^ 1) < len(level):
            path.append(level[neighbour])
        index //= 2
    return path


def root_by_proof(hashed: bytes, index: int, leaves: int, path: Sequence[bytes]) -> bytes:
    """The root that a proof leads to; raises ValueError when it is too long or too short for this place."""
    steps = iter(path)
    while leaves > 1:
        if (neighbour := index ^ 1) < leaves:
            step = next(steps, None)
            if step is None:
                raise ValueError("the proof is too short")
            hashed = _node(hashed, step) if neighbour > index else _node(step, hashed)
        index, leaves = index // 2, (leaves + 1) // 2
    if next(steps, None) is not None:
        raise ValueError("the proof is too long")
    return hashed


def consistency(tree: Sequence[Sequence[bytes]], size: int) -> list[bytes]:
    """The hashes that prove that a tree which `levels` made begins with the tree over its first `size` leaves."""
    if size == len(tree[0]):
        return []
    index, level = size - 1, 0
    while index % 2:  # the largest whole subtree that ends with the last leaf of the smaller tree
        index, level = index // 2, level + 1
    path = [tree[level][index]] if index else []
    for above in tree[level:-1]:
        if (neighbour := index ^ 1) < len(above):
            path.append(above[neighbour])
        index //= 2
    return path


def is_consistent(size: int, old_root: bytes, leaves: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree over `leaves` begins with the one over `size` (RFC 9162, section 2.1.4.2)."""
    if not 1 <= size <= leaves:
        return False
    if size == leaves:
        return not path and old_root == new_root
    steps = [old_root, *path] if size & (size - 1) == 0 else list(path)
    index, last = size - 1, leaves - 1
    while index % 2:
        index, last = index // 2, last // 2
    if not steps:
        return False
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if index % 2 or index == last:
            old, new = _node(step, old), _node(step, new)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            new = _node(new, step)
        index, last = index // 2, last // 2
    return last == 0 and old == old_root and new == new_root


class Growing:
    """A tree that grows leaf by leaf, whose root is cheap at any size."""

    def __init__(self) -> None:
        self.size = 0
        self._whole: list[bytes] = []  # roots of whole subtrees, the largest first: one for each bit of the size

    def add(self, hashed: bytes) -> None:
        """Add the hash of a leaf."""
        size = self.size
        while size % 2:
            hashed, size = _node(self._whole.pop(), hashed), size // 2
        self._whole.append(hashed)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root over at least one leaf."""
        root = self._whole[-1]
        for left in reversed(self._whole[:-1]):
            root = _node(left, root)
        return root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
