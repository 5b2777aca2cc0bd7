"""From what came to what may leave: learn what is to be replaced, replace it, and look for what was left."""

import io
import secrets
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from sparkctl.app.chained import Chained
from sparkctl.app.seal_sources import RawFile, TreeFile
from sparkctl.errors import RefusedError
from sparkctl.model.bundle import Artefact
from sparkctl.model.evidence import CommandSource, EntryFacts, EntryKind, EntryStatus, Missing, PathSource, Source
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
FILE_SECONDS = 60.0
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
        self._pseudonyms, self._known = Pseudonyms(secrets.token_bytes(KEY_BYTES)), Known()
        self._known.add(Class.HOST, hostname.encode())
        self.node = self._pseudonyms.of(Class.HOST, hostname.encode()).decode("ascii", "replace")
        learner = Learner(self._known, rules=RULES)
        for file in files:
            with file.place.open("rb") as source:
                learner.read(file.origin, file.kind, source, seconds=FILE_SECONDS)
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
        shown = self._redactor.path(f"/{file.path}").lstrip("/") if file.is_named else file.path
        facts = EntryFacts(path=f"tree/{shown}", kind=EntryKind.TREE, media_type=MEDIA_TYPES[file.kind])
        self._redact(file, facts)

    def take_artefact(self, artefact: Artefact, file: RawFile) -> None:
        """Take an artefact, with how it was taken."""
        facts = EntryFacts(
            path=self._redactor.path(f"artefacts/{artefact.name}"),
            kind=EntryKind.ARTEFACT,
            media_type=MEDIA_TYPES[file.kind],
            status=_status(artefact),
            source=self._source(artefact),
            words=self.text(artefact.words) if artefact.words else None,
        )
        self._redact(file, facts)

    def add(self, path: str, kind: EntryKind, content: bytes) -> None:
        """Add JSON of our own, which was made of what is clean."""
        target = self.folder / path
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.write_bytes(content)
        self.facts.append(EntryFacts(path=path, kind=kind, media_type="application/json"))

    def lack(self, name: str, reason: UnknownReason, words: str) -> None:
        """Say what is not there; `name` and `words` are clean."""
        self.missing.append(Missing(name=name, reason=reason, words=words))

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
        return PathSource(path=printable(self._redactor.path(artefact.source.path or "/"), 4000))

    def _redact(self, file: RawFile, facts: EntryFacts) -> None:
        target = self.folder / facts.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with file.place.open("rb") as source, target.open("xb") as sink:
                self._redactor.stream(file.origin, file.kind, source, sink, seconds=FILE_SECONDS)
        except TooSlow as slow:
            target.unlink()
            self.lack(clip(facts.path, 120), UnknownReason.TIMEOUT, slow.message)
        else:
            self.facts.append(facts)


def _status(artefact: Artefact) -> EntryStatus:
    if artefact.exit_status:
        return EntryStatus.FAILED
    return EntryStatus.TRUNCATED if artefact.status is TakenStatus.PARTIAL else EntryStatus.COMPLETE
