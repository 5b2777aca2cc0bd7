"""Merkle trees as RFC 6962, section 2.1, and proofs that a leaf is of one (section 2.1.1)."""

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


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
