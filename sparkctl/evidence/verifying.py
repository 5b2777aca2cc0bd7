"""Is a bundle what was sealed, and by whom? It takes the bundle and a public key, and nothing else."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sparkctl.errors import RefusedError
from sparkctl.evidence.reading import OpenedBundle, opened
from sparkctl.evidence.trust import SignedBy, Trust, require_signed
from sparkctl.model.evidence import About, Manifest, Missing


class Authenticity(StrEnum):
    """What is known of who made a bundle."""

    SIGNED = "signed"  # by the one in `signed_by`
    NOT_CHECKED = "not_checked"  # there is a signature, and no key was named to hold it against
    UNSIGNED = "unsigned"  # anybody may have made it


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle whose every byte is what its manifest says; whose word that is, `authenticity` tells.

    `bytes` are those of the `entries`. Of a part of a bundle, `withheld` counts the entries that are not in it,
    `missing_count` what was never collected, and `missing` and `manifest_sha256` are not known.
    """

    path: Path
    authenticity: Authenticity
    signed_by: SignedBy | None
    about: About
    entries: int
    bytes: int
    withheld: int
    missing: tuple[Missing, ...]
    missing_count: int
    merkle_root: str
    manifest_sha256: str | None


def verify(path: Path, trust: Trust | None) -> Verified:
    """Read all of a bundle and hold it against what was sealed and, with `trust`, against whoever signed it.

    Raises UsageError for what is damaged or no bundle. Raises RefusedError for a signature that does not hold or is not
    trusted, and for none where one is asked for. Without `trust` only the integrity is known.
    """
    with opened(path) as bundle:
        return verified(bundle, trust)


def verified(bundle: OpenedBundle, trust: Trust | None) -> Verified:
    """The same for a bundle that is open and will be read on: what is read later is held against the same head."""
    signed_by = None if trust is None else _signed_by(bundle, trust)
    bundle.check()
    authenticity = Authenticity.NOT_CHECKED if bundle.head.statement else Authenticity.UNSIGNED
    document = bundle.head.document
    entries = bundle.entries()
    withheld, missing_count, root, digest = 0, len(bundle.missing), "", None
    if isinstance(document, Manifest):
        root, digest = document.merkle_root, hashlib.sha256(bundle.head.content).hexdigest()
    elif bundle.head.statement is not None:
        predicate = bundle.head.statement.statement.predicate
        withheld, missing_count, root = document.leaves - len(entries), predicate.missing, predicate.merkle_root
    return Verified(
        path=Path(bundle.named),
        authenticity=Authenticity.SIGNED if signed_by else authenticity,
        signed_by=signed_by,
        about=bundle.about,
        entries=len(entries),
        bytes=sum(entry.size for entry in entries),
        withheld=withheld,
        missing=tuple(bundle.missing),
        missing_count=missing_count,
        merkle_root=root,
        manifest_sha256=digest,
    )


def _signed_by(bundle: OpenedBundle, trust: Trust) -> SignedBy:
    if bundle.head.statement is None:
        raise RefusedError(
            f"{bundle.named} is not signed, so that nobody vouches for it",
            hint="leave the key out to learn whether it is whole, or ask for a signed one",
        )
    return require_signed(bundle.head.statement, trust, bundle.named)
