"""Read a bundle: what it says of itself first, then entry by entry, each held against that as it comes."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sparkctl import ustar
from sparkctl.errors import UsageError
from sparkctl.evidence.documents import MAX_DOCUMENT, parsed
from sparkctl.evidence.dsse import SignedStatement, opened_envelope, require_same
from sparkctl.evidence.files import EmptyFolder, opened_file
from sparkctl.evidence.leaves import require_disclosed, require_root
from sparkctl.evidence.tape import Tape
from sparkctl.model.evidence import About, Disclosure, Entry, Manifest, Missing
from sparkctl.model.evidence_path import DISCLOSURE, MANIFEST, STATEMENT
from sparkctl.model.printable import printable

Content = Iterator[memoryview]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the entries: the manifest or, in its place, a disclosure; and the statement, if signed."""

    document: Manifest | Disclosure
    content: bytes
    statement: SignedStatement | None
    statement_content: bytes
    about: About

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries that follow."""
        if isinstance(self.document, Manifest):
            return self.document.entries
        return [each.entry for each in self.document.entries]


class OpenedBundle:
    """A bundle whose head was read. Its entries are read anew each time, and never from memory.

    Every method raises UsageError as soon as a byte is not what the head says.
    """

    def __init__(self, raw: BinaryIO, named: str) -> None:
        self._raw, self.named = raw, named
        self.head = _head(Tape(raw, named), named)

    @property
    def about(self) -> About:
        """Where the bundle comes from."""
        return self.head.about

    @property
    def missing(self) -> Sequence[Missing]:
        """What was wanted and not collected; empty where only a part of a bundle was handed on."""
        return self.head.document.missing if isinstance(self.head.document, Manifest) else ()

    def entries(self) -> Sequence[Entry]:
        """What is in it."""
        return self.head.entries

    def check(self) -> None:
        """Read all of it, and keep nothing."""
        for _, content in self.stream():
            drain(content)

    def stream(self) -> Iterator[tuple[Entry, Content]]:
        """Each entry with its content, which must be read to its end before the next; the hash is checked there."""
        self._raw.seek(0)
        tape = Tape(self._raw, self.named)
        moment = _moment(self.about)
        self._skip_head(tape, moment)
        for entry in self.head.entries:
            tape.expect_header(entry.path, entry.size, moment)
            yield entry, _checked(tape.chunks(entry.size), entry, self.named)
            tape.expect_padding(entry.size)
        tape.expect_end()

    def read(self, path: str, limit: int) -> bytes:
        """One entry of at most `limit` bytes; raises UsageError when there is none, or it is larger."""
        wanted = next((entry for entry in self.head.entries if entry.path == path), None)
        if wanted is None:
            raise UsageError(f"{self.named} holds no {printable(path)}", hint="list what it holds first")
        if wanted.size > limit:
            raise UsageError(f"{path} in {self.named} has {wanted.size:,} bytes, more than {limit:,}")
        for entry, content in self.stream():
            if entry is wanted:
                return b"".join(content)
            drain(content)
        raise AssertionError(path)  # the stream has every entry, or ends with an error

    def extract(self, folder: Path) -> None:
        """Write all entries below a folder, which is empty or made; on an error nothing of it is left."""
        target = EmptyFolder(folder)
        try:
            for entry, content in self.stream():
                with target.new_file(entry.path) as file:
                    for chunk in content:
                        file.write(chunk)
        except OSError as error:
            target.clear()
            raise UsageError(f"{self.named} cannot be unpacked: {error.strerror or error}") from error
        except BaseException:
            target.clear()
            raise

    def _skip_head(self, tape: Tape, moment: int) -> None:
        """Pass what was read before, which the file must still hold."""
        for path, content in self._head_files():
            tape.expect_header(path, len(content), moment)
            if tape.take(len(content)) != content:
                raise UsageError(f"{self.named} was changed while it was read")
            tape.expect_padding(len(content))

    def _head_files(self) -> Iterator[tuple[str, bytes]]:
        yield (MANIFEST if isinstance(self.head.document, Manifest) else DISCLOSURE), self.head.content
        if self.head.statement is not None:
            yield STATEMENT, self.head.statement_content


@contextlib.contextmanager
def opened(path: Path) -> Iterator[OpenedBundle]:
    """Open a bundle and read its head; raises UsageError when it is none or damaged.

    RefusedError is raised when its statement was made for another manifest. No signature is checked here.
    """
    try:
        raw = opened_file(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name a bundle of evidence") from error
    with raw:
        yield OpenedBundle(raw, str(path))


def is_bundle(path: Path) -> bool:
    """Whether a file begins as a bundle of evidence does; that says nothing of the rest of it."""
    try:
        with path.open("rb") as raw:
            return ustar.name_in(Tape(raw, str(path)).take(ustar.BLOCK)) in {MANIFEST, DISCLOSURE}
    except (OSError, UsageError):
        return False


def _head(tape: Tape, named: str) -> Head:
    first = tape.take(ustar.BLOCK)
    name = ustar.name_in(first)
    if name not in {MANIFEST, DISCLOSURE}:
        raise UsageError(f"{named} is no bundle of evidence: it does not begin with {MANIFEST}")
    moment, content = _document(tape, name, first, named)
    statement, statement_content = None, b""
    following = tape.take(ustar.BLOCK)  # every bundle has an entry, or at least an end of two blocks
    if ustar.name_in(following) == STATEMENT:
        _, statement_content = _document(tape, STATEMENT, following, named)
        statement = opened_envelope(statement_content, named)
    made = _whole if name == MANIFEST else _part
    head = made(content, statement, statement_content, named)
    if moment != _moment(head.about):
        raise UsageError(f"{named} is no bundle as it was sealed: the time of {name} is another")
    return head


def _whole(content: bytes, statement: SignedStatement | None, statement_content: bytes, named: str) -> Head:
    manifest = parsed(Manifest, content, f"{MANIFEST} of {named}")
    require_root(manifest, named)
    if statement is not None:
        require_same(statement.statement, manifest, content, named)
    return Head(manifest, content, statement, statement_content, manifest.about)


def _part(content: bytes, statement: SignedStatement | None, statement_content: bytes, named: str) -> Head:
    disclosure = parsed(Disclosure, content, f"{DISCLOSURE} of {named}")
    if statement is None:
        raise UsageError(f"{named} is a part of a bundle without the statement that it stands on")
    predicate = statement.statement.predicate
    require_disclosed(disclosure, predicate, named)
    return Head(disclosure, content, statement, statement_content, predicate.about)


def _document(tape: Tape, name: str, first: bytes, named: str) -> tuple[int, bytes]:
    """A document of the head, whose size and moment are known from its own header only."""
    try:
        size, moment = ustar.size_in(first), ustar.moment_in(first)
    except ValueError as error:
        raise UsageError(f"{named} is damaged: the header of {name} holds no number") from error
    if size > MAX_DOCUMENT:
        raise UsageError(f"{named} is not read: its {name} has more than {MAX_DOCUMENT // 2**20} MiB")
    tape.expect_header(name, size, moment, first)
    content = tape.take(size)
    tape.expect_padding(size)
    return moment, content


def _moment(about: About) -> int:
    return int(about.collected_at.timestamp())


def _checked(content: Content, entry: Entry, named: str) -> Content:
    digest = hashlib.sha256()
    for chunk in content:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != entry.sha256:
        raise UsageError(
            f"{entry.path} in {named} is not what was sealed: its SHA-256 is another",
            hint="it was changed after it was sealed",
        )


def drain(content: Content) -> None:
    """Read a content to its end, where its hash is checked."""
    for _ in content:
        pass
