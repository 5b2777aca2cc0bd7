"""Seal a folder: one file from which every byte of it can be proven, the same bytes for the same input."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from sparkctl import ustar
from sparkctl.errors import UsageError
from sparkctl.evidence.documents import written
from sparkctl.evidence.dsse import sealed_envelope, statement_of
from sparkctl.evidence.files import chunks_of, files_below, written_new
from sparkctl.evidence.frame import Packer
from sparkctl.evidence.leaves import root_of
from sparkctl.evidence.signers import Signer
from sparkctl.model.evidence import About, Entry, EntryFacts, Manifest, Missing
from sparkctl.model.evidence_path import MANIFEST, STATEMENT, bytewise
from sparkctl.model.printable import printable

MIN_SALT_KEY = 16  # bytes
Member = tuple[str, int, Iterator[bytes] | Iterator[memoryview]]
"""Path, size and content of a file in the tar."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle that was written: its manifest, the manifest's SHA-256, and its size in bytes."""

    path: Path
    manifest: Manifest
    manifest_sha256: str
    bytes: int


def seal(
    folder: Path,
    facts: Sequence[EntryFacts],
    missing: Sequence[Missing],
    about: About,
    out: Path,
    *,
    salt_key: bytes,
    signer: Signer | None,
) -> Sealed:
    """Make a bundle of every file below a folder, of each of which `facts` says something.

    The salts follow from `salt_key`: random for each bundle, unless the same bytes are wanted again; whoever has it can
    guess withheld entries. Raises UsageError for what a bundle cannot hold, for a file that changes meanwhile, and when
    `out` exists; nothing is left then.
    """
    if len(salt_key) < MIN_SALT_KEY:
        raise ValueError(f"a key of at least {MIN_SALT_KEY} bytes is wanted")
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} exists", hint="name another file; a bundle is never written over")
    try:
        files = files_below(folder)
        manifest = _manifest(files, _by_path(facts, files), missing, about, salt_key)
        content = written(manifest)
        head = {MANIFEST: content}
        if signer is not None:
            head[STATEMENT] = sealed_envelope(statement_of(manifest, content), signer.sign)
    except OSError as error:
        raise UsageError(f"{folder} was not sealed: {error.strerror or error}") from error
    try:
        with written_new(out) as file:
            write_bundle(file, about, _members(head, manifest, files))
            size = file.tell()
    except OSError as error:
        hint = "make room there, or name another folder"
        raise UsageError(f"{out} was not written: {error.strerror or error}", hint=hint) from error
    return Sealed(out, manifest, hashlib.sha256(content).hexdigest(), size)


def write_bundle(file: BinaryIO, about: About, members: Iterable[Member]) -> None:
    """Write the tar and compress it."""
    packer = Packer(file)
    moment = int(about.collected_at.timestamp())
    for path, size, content in members:
        packer.write(ustar.header(path, size, moment))
        for chunk in content:
            packer.write(chunk)
        packer.write(ustar.padding(size))
    packer.write(ustar.END)
    packer.end()


def _by_path(facts: Sequence[EntryFacts], files: dict[str, Path]) -> list[EntryFacts]:
    """The facts in the order of the bundle; raises UsageError unless they are about just these files."""
    named = {each.path for each in facts}
    if len(named) != len(facts):
        raise ValueError("one file is described twice")
    for path in sorted(named ^ files.keys()):
        what = "is not described" if path in files else "is described, and not there"
        raise UsageError(f"{printable(path)} {what}", hint="every file of a bundle says where it comes from")
    return sorted(facts, key=lambda each: bytewise(each.path))


def _manifest(
    files: dict[str, Path], facts: Sequence[EntryFacts], missing: Sequence[Missing], about: About, salt_key: bytes
) -> Manifest:
    try:
        entries = [_entry(each, files[each.path], salt_key) for each in facts]
        return Manifest(about=about, entries=entries, missing=list(missing), merkle_root=root_of(entries))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UsageError(f"no bundle can be made of this: {printable(first['msg'])}") from error


def _entry(facts: EntryFacts, place: Path, salt_key: bytes) -> Entry:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks_of(place):
        digest.update(chunk)
        size += len(chunk)
    salt = hmac.digest(salt_key, b"spark-evidence salt\0" + facts.path.encode(), "sha256").hex()
    return Entry(**dict(facts), size=size, sha256=digest.hexdigest(), salt=salt)


def _members(head: dict[str, bytes], manifest: Manifest, files: dict[str, Path]) -> Iterator[Member]:
    for name, text in head.items():
        yield name, len(text), iter((text,))
    for entry in manifest.entries:
        yield entry.path, entry.size, _unchanged(entry, files[entry.path])


def _unchanged(entry: Entry, place: Path) -> Iterator[bytes]:
    """The content that was hashed before; raises UsageError when it is another by now."""
    digest, left = hashlib.sha256(), entry.size
    for chunk in chunks_of(place):
        digest.update(chunk)
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left or digest.hexdigest() != entry.sha256:
        raise UsageError(f"{entry.path} was changed while it was sealed", hint="seal what nobody writes to any more")
