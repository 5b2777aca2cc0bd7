"""Entries as leaves of the Merkle tree, and whether they lead to the root that a bundle names."""

from collections.abc import Iterable

from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence import merkle
from sparkctl.model.canonical import canonical_json
from sparkctl.model.evidence import Disclosed, Disclosure, Entry, Manifest, Predicate
from sparkctl.model.evidence_path import DISCLOSURE, MANIFEST


def leaf_of(entry: Entry) -> bytes:
    """The hash of an entry: of its canonical JSON, as it stands in the manifest."""
    return merkle.leaf(canonical_json(entry.model_dump(mode="json")))


def root_of(entries: Iterable[Entry]) -> str:
    """The root over all entries of a bundle, in hexadecimal."""
    return merkle.root([leaf_of(entry) for entry in entries]).hex()


def require_root(manifest: Manifest, named: str) -> None:
    """Raise UsageError unless the root that a manifest names is that of its entries."""
    if root_of(manifest.entries) != manifest.merkle_root:
        raise UsageError(
            f"{MANIFEST} of {named} contradicts itself: its Merkle root is not that of its entries",
            hint="it was changed after it was sealed",
        )


def require_disclosed(disclosure: Disclosure, predicate: Predicate, named: str) -> None:
    """Raise RefusedError unless every disclosed entry is of the bundle whose statement was signed."""
    if disclosure.leaves != predicate.entries:
        raise RefusedError(
            f"{DISCLOSURE} of {named} speaks of {disclosure.leaves} entries, the signed statement of"
            f" {predicate.entries}",
            hint="it was changed, or the statement is another bundle's",
        )
    for each in disclosure.entries:
        if _root_by(each, disclosure.leaves) != predicate.merkle_root:
            raise RefusedError(
                f"{each.entry.path} in {named} is not of the bundle whose statement was signed",
                hint="it was changed, or taken from another bundle",
            )


def _root_by(each: Disclosed, leaves: int) -> str | None:
    try:
        steps = [bytes.fromhex(step) for step in each.proof]
        return merkle.root_by_proof(leaf_of(each.entry), each.index, leaves, steps).hex()
    except ValueError:
        return None
