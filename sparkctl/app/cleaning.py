"""From what came to what may leave: learn what is to be replaced, replace it, and look for what was left."""

import io
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sparkctl.app.chained import Chained
from sparkctl.app.seal_sources import RawFile, TreeFile, UnpackedReport
from sparkctl.errors import RefusedError
from sparkctl.model.bundle import Artefact
from sparkctl.model.evidence import (
    MAX_MISSING,
    CommandSource,
    EntryFacts,
    EntryKind,
    EntryStatus,
    Missing,
    PathSource,
    Source,
)  # fmt: skip
from sparkctl.model.evidence_path import Apart, checked_path
from sparkctl.model.printable import clip, printable
from sparkctl.model.redaction import RedactionReport
from sparkctl.model.vocabulary import TakenStatus, UnknownReason
from sparkctl.redaction.canaries import canaries, rehearsed
from sparkctl.redaction.known import Known
from sparkctl.redaction.learning import Learner
from sparkctl.redaction.redactor import Kind, Redactor, TooSlow
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.standins import KEY_BYTES, Class, Pseudonyms
from sparkctl.redaction.survivors import survivors

NOTHING_KEPT = "nothing was kept of it; please report it"
FILE_SECONDS, USUAL_BYTES = 60.0, 8 * 2**20
"""What a file of usual size may take, in learning and in redaction each; a larger one in proportion more."""
UNTAKEN = (TakenStatus.MISSING, TakenStatus.ABSENT)
FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a rule that was written for other bytes raises over those of a node: they are no reason to lose all others."""
MEDIA_TYPES = {
    Kind.TEXT: "text/plain",
    Kind.JSON: "application/json",
    Kind.JOURNAL_JSON: "application/jsonl",
    Kind.RECORDING: "application/json",
    Kind.NUL: "application/octet-stream",
    Kind.BINARY: "application/octet-stream",
}


class NotSealed(RefusedError):
    """Something that must not leave was left in it."""


class Cleaning:
    """One node's evidence while it is made fit to leave: `folder` holds it, `facts` and `missing` say what is in it."""

    def __init__(self, folder: Path, hostname: str, files: Iterable[RawFile]) -> None:
        """Learn from all files what is to be replaced; raises NotSealed where a rule does not do its work."""
        self.folder = folder
        self.facts: list[EntryFacts] = []
        self.missing: list[Missing] = []
        self._apart, self._unlearned, self._untold = Apart(), set[Path](), 0
        self._pseudonyms, self._known = Pseudonyms(secrets.token_bytes(KEY_BYTES)), Known()
        self._known.add(Class.HOST, hostname.encode())
        self.node = self._pseudonyms.of(Class.HOST, hostname.encode()).decode("ascii", "replace")
        learner = Learner(self._known, rules=RULES)
        for file in files:
            try:
                with file.place.open("rb") as source:
                    learner.read(file.origin, file.kind, source, seconds=_seconds_for(file))
            except FAULTS:
                self._unlearned.add(file.place)
        self._canaries = canaries(self._known)
        self._redactor = Redactor(self._pseudonyms, self._known, rules=RULES)
        self._rehearse()
        folder.mkdir(mode=0o700)

    def _rehearse(self) -> None:
        """Send secrets of every class through the redactor; one that comes out of it means that a rule is broken."""
        out = io.BytesIO(rehearsed(self._redactor, self._canaries))
        if found := survivors(out, Known(), self._canaries):
            rules = ", ".join(sorted({str(one.rule) for one in found}))
            raise NotSealed(f"a canary of {rules} came through redaction", hint=NOTHING_KEPT)

    def take_tree_file(self, file: TreeFile) -> None:
        """Take a file of the recorded tree, under its redacted name."""
        with self._at_its_own_cost(file, f"tree/{file.path}"):
            shown = self._redactor.path(f"/{file.path}").lstrip("/") if file.is_named else file.path
            self._redact(file, f"tree/{shown}", EntryKind.TREE)

    def take_artefact(self, artefact: Artefact, file: RawFile) -> None:
        """Take an artefact, with how it was taken."""
        with self._at_its_own_cost(file, f"artefacts/{artefact.name}"):
            path = self._redactor.path(f"artefacts/{artefact.name}")
            said = _said(artefact)
            words = self.text(said) if said else None
            source = self._source(artefact)
            self._redact(file, path, EntryKind.ARTEFACT, status=_status(artefact), source=source, words=words)

    def take_report(self, report: UnpackedReport) -> None:
        """Take each file of a report, and say what of it is not there."""
        artefact = report.artefact
        said, made_by = _said(artefact), self._source(artefact)
        if said or not report.files:
            words = self.text(said or "nothing in it can be kept")
            self.lack(self.text(artefact.name, 120), artefact.reason or UnknownReason.PRECONDITION, words)
        for file in report.files:
            with self._at_its_own_cost(file, f"artefacts/{artefact.name}/{file.path}"):
                path = self._redactor.path(f"artefacts/{artefact.name}/{file.path}")
                status = EntryStatus.TRUNCATED if file.words else EntryStatus.COMPLETE
                source = self._copied(file.copied) if file.copied else made_by
                self._redact(file, path, EntryKind.ARTEFACT, status=status, source=source, words=file.words)
        for lost in report.left_out:
            name = artefact.name if lost.path is None else f"{artefact.name}/{lost.path}"
            self.lack(printable(self._redactor.path(name), 120), lost.reason, lost.words)

    def add(self, path: str, kind: EntryKind, content: bytes) -> None:
        """Add JSON of our own, which was made of what is clean."""
        target = self.folder / path
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.write_bytes(content)
        self.facts.append(EntryFacts(path=path, kind=kind, media_type="application/json"))

    def lack(self, name: str, reason: UnknownReason, words: str) -> None:
        """Say what is not there, as much as a manifest has room for; `name` and `words` are clean."""
        if len(self.missing) < MAX_MISSING:
            self.missing.append(Missing(name=name, reason=reason, words=words))
            return
        self._untold += 1
        words = f"so many more are missing that their names have no room: {self._untold + 1}"
        self.missing[-1] = Missing(name="others", reason=UnknownReason.PRECONDITION, words=words)

    def text(self, words: str, limit: int = 900) -> str:
        """Words about the node, redacted as its contents are."""
        clean = io.BytesIO()
        self._redactor.stream("words", Kind.TEXT, io.BytesIO(words.encode()), clean, seconds=FILE_SECONDS)
        return printable(clean.getvalue().decode("utf-8", "replace"), limit)

    def report(self) -> RedactionReport:
        """What was replaced so far."""
        return self._redactor.report()

    def look_for_survivors(self) -> None:
        """Search all that is there, and its names, for what is known of the node; raises NotSealed for one find."""
        with closing(Chained(self.folder, (facts.path for facts in self.facts))) as everything:
            found = survivors(everything, self._known, self._canaries)
        if found:
            first = min(found, key=lambda one: one.offset)
            where = printable(everything.place_at(first.offset))
            raise NotSealed(f"{where} still holds a {first.kind} ({first.form}) after redaction", hint=NOTHING_KEPT)

    def _source(self, artefact: Artefact) -> Source:
        if artefact.source.argv is not None:
            argv = [self.text(word, 4000) for word in artefact.source.argv]
            return CommandSource(argv=argv, exit_status=artefact.exit_status)
        return self._copied(artefact.source.path or "/")

    def _copied(self, path: str) -> Source:
        return PathSource(path=printable(self._redactor.path(path), 4000))

    @contextmanager
    def _at_its_own_cost(self, file: RawFile, path: str) -> Iterator[None]:
        """Leave out what cannot be redacted, and nothing else; `path` is its real name in the bundle."""
        try:
            yield
        except FAULTS as fault:
            name = "a file that cannot be named"
            with suppress(*FAULTS):
                name = self._redactor.path(path)
            # The words of the fault may quote what is not to be told.
            self._withhold(file, name, f"it could not be redacted ({type(fault).__name__}); please report it")

    def _withhold(self, file: RawFile, name: str, words: str) -> None:
        with suppress(*FAULTS):
            self._redactor.withhold(file.origin, "unreadable", words)
        self.lack(printable(name, 120), UnknownReason.PARSE_ERROR, words)

    def _redact(
        self,
        file: RawFile,
        path: str,
        kind: EntryKind,
        *,
        status: EntryStatus = EntryStatus.COMPLETE,
        source: Source | None = None,
        words: str | None = None,
    ) -> None:
        try:
            self._apart.add(checked_path(path))
        except ValueError as unfit:
            self._withhold(file, path, f"no bundle can hold it under its name: {printable(str(unfit))}")
            return
        if file.place in self._unlearned:
            self._withhold(file, path, "what it tells of the node could not be read; please report it")
            return
        facts = EntryFacts(
            path=path, kind=kind, media_type=MEDIA_TYPES[file.kind], status=status, source=source, words=words
        )
        if self._write(file, path):
            self.facts.append(facts)

    def _write(self, file: RawFile, path: str) -> bool:
        """Whether all of it was redacted and written in its time."""
        target = self.folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with file.place.open("rb") as source, target.open("xb") as sink:
                self._redactor.stream(file.origin, file.kind, source, sink, seconds=_seconds_for(file))
        except TooSlow as slow:
            target.unlink()
            self.lack(clip(path, 120), UnknownReason.TIMEOUT, slow.message)
            return False
        except FAULTS:
            target.unlink()
            raise
        return True


def _seconds_for(file: RawFile) -> float:
    return FILE_SECONDS * max(1.0, file.place.stat().st_size / USUAL_BYTES)


def _status(artefact: Artefact) -> EntryStatus:
    if artefact.status in UNTAKEN:
        return EntryStatus.TRUNCATED
    if artefact.exit_status:
        return EntryStatus.FAILED
    return EntryStatus.TRUNCATED if artefact.status is TakenStatus.PARTIAL else EntryStatus.COMPLETE


def _said(artefact: Artefact) -> str | None:
    """What is said of an artefact, never nothing where the node says that it did not take what nevertheless came."""
    return artefact.words or (f"the node calls it {artefact.status}" if artefact.status in UNTAKEN else None)
