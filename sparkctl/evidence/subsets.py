"""Hand on a part of a bundle as it was signed: some entries, and proofs that they are of it."""

from collections.abc import Collection, Iterator
from pathlib import Path

from sparkctl.errors import UsageError
from sparkctl.evidence import merkle
from sparkctl.evidence.documents import written
from sparkctl.evidence.files import written_new
from sparkctl.evidence.leaves import leaf_of
from sparkctl.evidence.reading import OpenedBundle, drain, opened
from sparkctl.evidence.sealing import Member, write_bundle
from sparkctl.model.evidence import Disclosed, Disclosure, Manifest
from sparkctl.model.evidence_path import DISCLOSURE, STATEMENT
from sparkctl.model.printable import printable


def subset(path: Path, wanted: Collection[str], out: Path) -> Disclosure:
    """Write a bundle with the `wanted` entries only, which stands on the signature of the whole one.

    Nothing of the others is in it but their number and hashes that their salts keep from being guessed. Raises
    UsageError for a path that is not there, for an unsigned bundle, for a part of one, and when `out` exists.
    """
    with opened(path) as bundle:
        disclosure = _disclosure(bundle, set(wanted))
        head = {DISCLOSURE: written(disclosure), STATEMENT: bundle.head.statement_content}
        try:
            with written_new(out) as file:
                write_bundle(file, bundle.about, _members(bundle, head, wanted))
        except OSError as error:
            raise UsageError(f"{out} was not written: {error.strerror or error}") from error
    return disclosure


def _disclosure(bundle: OpenedBundle, wanted: set[str]) -> Disclosure:
    manifest = bundle.head.document
    if not isinstance(manifest, Manifest):
        raise UsageError(f"{bundle.named} is a part of a bundle already", hint="take what you need from the whole one")
    if bundle.head.statement is None:
        raise UsageError(f"{bundle.named} is not signed, so that no part of it can be proven", hint="hand on all of it")
    if absent := wanted - {entry.path for entry in manifest.entries}:
        raise UsageError(f"{bundle.named} holds no {printable(min(absent))}", hint="list what it holds first")
    if not wanted:
        raise UsageError("no entry is wanted", hint="name at least one")
    tree = merkle.levels([leaf_of(entry) for entry in manifest.entries])
    entries = [
        Disclosed(entry=entry, index=index, proof=[step.hex() for step in merkle.proof(tree, index)])
        for index, entry in enumerate(manifest.entries)
        if entry.path in wanted
    ]
    return Disclosure(leaves=len(manifest.entries), entries=entries)


def _members(bundle: OpenedBundle, head: dict[str, bytes], wanted: Collection[str]) -> Iterator[Member]:
    """What the new bundle holds, read from the old one as it is written."""
    for name, text in head.items():
        yield name, len(text), iter((text,))
    for entry, content in bundle.stream():
        if entry.path in wanted:
            yield entry.path, entry.size, content
        else:
            drain(content)
