"""Redact an unpacked bundle once more, under a key of its own, into a folder that can be sealed."""

import io
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from sparkctl.app.bundle_judged import REDACTION
from sparkctl.app.entry_origin import Origins
from sparkctl.app.standins_left import CUT_RULES, Noting, first_left
from sparkctl.errors import RefusedError
from sparkctl.model.base import MAX_TEXT, Record
from sparkctl.model.evidence import About, CommandSource, Entry, EntryFacts, EntryKind, Missing, PathSource, Source
from sparkctl.model.printable import clip, printable
from sparkctl.model.redaction import (
    MOST_ARTEFACTS,
    MOST_RANGES,
    ArtefactReplacements,
    RedactionReport,
    RuleReplacements,
)
from sparkctl.model.vocabulary import UnknownReason
from sparkctl.redaction.guards import stands_alone
from sparkctl.redaction.known import Known
from sparkctl.redaction.learning import Learner
from sparkctl.redaction.linear import Pattern
from sparkctl.redaction.redactor import Kind, Redactor, TooSlow
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.standins import KEY_BYTES, Class

FILE_SECONDS = 60.0
HARVESTED = 4 * 2**20  # bytes of an entry that are looked through for names
_MAC = Pattern(r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b", groups=False)
_WORDS, _NAME = 900, 120  # characters


class RedactionAgain:
    """One disclosure: `source` holds all entries of the bundle, `clean` what will leave."""

    def __init__(self, source: Path, clean: Path, entries: Sequence[Entry], about: About) -> None:
        self._source, self._clean, self._entries = source, clean, len(entries)
        self._origins = Origins(source)
        self._noted = Noting(secrets.token_bytes(KEY_BYTES))
        self._redactor = Redactor(self._noted, self._known(entries, about), rules=(*RULES, *CUT_RULES))
        self.about = about
        self.facts: list[EntryFacts] = []
        self.missing: list[Missing] = []

    def redact(self, chosen: Collection[Entry], missing: Iterable[Missing], recipient: str, withheld: int) -> None:
        """Redact these entries, and what is said of them, of the node, and of what is missing.

        `withheld` counts the entries that are not in the source, since it is a part itself.
        """
        for entry in chosen:
            if entry.path != REDACTION:
                self._redact(entry)
        self.missing += [self._gap(each) for each in missing]
        if left_out := self._entries + withheld - len(chosen):
            words = f"{left_out:,} entries of the bundle were not handed on"
            self.missing.append(Missing(name="entries", reason=UnknownReason.PRECONDITION, words=words))
        node = self._noted.of(Class.HOST, self.about.node.encode()).decode("ascii", "replace")
        self.about = About(**{**dict(self.about), "node": node, "disclosed_to": recipient})
        self._report(with_before=any(entry.path == REDACTION for entry in chosen))

    def require_fresh(self) -> None:
        """Look for stand-ins of the source in all that will leave; raises RefusedError when there is one."""
        said: list[Record] = [*self.facts, *self.missing, self.about]
        where = first_left(self._clean, "\n".join(one.model_dump_json() for one in said).encode(), self._noted.asked)
        if where is not None:
            raise RefusedError(
                f"a stand-in of the bundle was left in {printable(where)}, so that it could be joined with others",
                hint="nothing was written; hand on single entries without it, and report this as a bug",
            )

    @property
    def replaced(self) -> int:
        """How many values were replaced."""
        return sum(rule.count for rule in self._redactor.report().rules)

    @property
    def withheld(self) -> tuple[str, ...]:
        """The redacted names of entries that could not be redacted in time."""
        return tuple(one.artefact for one in self._redactor.report().withheld)

    def _known(self, entries: Iterable[Entry], about: About) -> Known:
        """What the bundle calls the node and all that is in it: of every entry, chosen or not."""
        known = Known()
        known.add(Class.HOST, about.node.encode())
        learner = Learner(known)
        for entry in entries:
            origin = self._origins.of(entry)
            with (self._source / entry.path).open("rb") as file:
                learner.read(origin.name, origin.kind, file, seconds=FILE_SECONDS)
                file.seek(0)
                content = file.read(HARVESTED)
            for first, last in _MAC.spans(content):  # a part of a bundle may lack the file that would tell
                if stands_alone(content, first, last):
                    known.add(Class.MAC, content[first:last])
        return known

    def _redact(self, entry: Entry) -> None:
        origin = self._origins.of(entry)
        path = self._renamed(entry) if self._origins.is_renamed(entry) else entry.path
        target = self._clean / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with (self._source / entry.path).open("rb") as source, target.open("xb") as sink:
                self._redactor.stream(origin.name, origin.kind, source, sink, seconds=FILE_SECONDS)
        except TooSlow as slow:
            target.unlink()
            self.missing.append(Missing(name=clip(path, _NAME), reason=UnknownReason.TIMEOUT, words=slow.message))
            return
        kept = EntryFacts(
            path=path,
            kind=entry.kind,
            media_type=self._text(entry.media_type, _NAME),
            status=entry.status,
            source=self._said_source(entry.source),
            truncation=entry.truncation,
            words=None if entry.words is None else self._text(entry.words),
        )
        self.facts.append(kept)

    def _renamed(self, entry: Entry) -> str:
        """The path of an entry, which is called in it as on the node."""
        if entry.kind is EntryKind.TREE and entry.path.startswith("tree/"):
            return "tree" + self._redactor.path(entry.path.removeprefix("tree"))
        return self._redactor.path(entry.path)

    def _said_source(self, source: Source | None) -> Source | None:
        if source is None:
            return None
        if isinstance(source, CommandSource):
            argv = [self._text(word, 4000) for word in source.argv]
            return CommandSource(argv=argv, exit_status=source.exit_status)
        return PathSource(path=printable(self._redactor.path(source.path), 4000))

    def _gap(self, missing: Missing) -> Missing:
        return Missing(name=self._text(missing.name, _NAME), reason=missing.reason, words=self._text(missing.words))

    def _text(self, words: str, limit: int = _WORDS) -> str:
        return printable(self._clean_bytes(Kind.TEXT, words.encode()).decode("utf-8", "replace"), limit)

    def _clean_bytes(self, kind: Kind, content: bytes) -> bytes:
        clean = io.BytesIO()
        self._redactor.stream("words", kind, io.BytesIO(content), clean, seconds=FILE_SECONDS)
        return clean.getvalue()

    def _report(self, *, with_before: bool) -> None:
        """`redaction.json`: what was replaced here and, where it is handed on, what was replaced before."""
        before = self._before() if with_before else None
        report = self._redactor.report()
        report = report if before is None else added(before, report)
        (self._clean / REDACTION).write_text(report.model_dump_json(), "utf-8")
        self.facts.append(EntryFacts(path=REDACTION, kind=EntryKind.REDACTION, media_type="application/json"))

    def _before(self) -> RedactionReport | None:
        """The account in the bundle, under the names that its artefacts have now; None where it is none."""
        try:
            report = RedactionReport.model_validate_json((self._source / REDACTION).read_bytes())
        except ValidationError:
            return None
        places = [place.artefact for rule in report.rules for place in rule.artefacts]
        said = [words for one in report.withheld for words in (one.artefact, one.words)]
        clean = iter(json.loads(self._clean_bytes(Kind.JSON, json.dumps([*places, *said]).encode())))
        rules = [
            rule.model_copy(update={"artefacts": [_renamed(place, next(clean)) for place in rule.artefacts]})
            for rule in report.rules
        ]
        withheld = [one.model_copy(update={"artefact": next(clean), "words": next(clean)}) for one in report.withheld]
        return report.model_copy(update={"rules": rules, "withheld": withheld})


def _renamed(place: ArtefactReplacements, name: str) -> ArtefactReplacements:
    return place.model_copy(update={"artefact": printable(name, MAX_TEXT)})


def added(before: RedactionReport, now: RedactionReport) -> RedactionReport:
    """The account of two redactions, one after the other, of the same things: replacements add up, contents do not."""
    rules = {each.rule: each for each in before.rules}
    for each in now.rules:
        rules[each.rule] = _both(rules[each.rule], each) if each.rule in rules else each
    return now.model_copy(
        update={
            "rules": [rules[name] for name in sorted(rules)],
            "withheld": [*before.withheld, *now.withheld],
        }
    )


def _both(before: RuleReplacements, now: RuleReplacements) -> RuleReplacements:
    places = {each.artefact: each for each in before.artefacts}
    for each in now.artefacts:
        known = places.get(each.artefact)
        places[each.artefact] = each if known is None else _joined(known, each)
    kept = list(places.values())[:MOST_ARTEFACTS]
    left_out = before.artefacts_left_out + now.artefacts_left_out + len(places) - len(kept)
    return RuleReplacements(rule=now.rule, count=before.count + now.count, artefacts=kept, artefacts_left_out=left_out)


def _joined(before: ArtefactReplacements, now: ArtefactReplacements) -> ArtefactReplacements:
    ranges = list(_ranges(sorted([*before.lines, *now.lines])))
    return ArtefactReplacements(
        artefact=now.artefact,
        count=before.count + now.count,
        lines=ranges[:MOST_RANGES],
        lines_left_out=before.lines_left_out or now.lines_left_out or len(ranges) > MOST_RANGES,
    )


def _ranges(lines: list[list[int]]) -> Iterator[list[int]]:
    """Ranges in order, those that touch in one."""
    pending: list[int] | None = None
    for first, last in lines:
        if pending is not None and first <= pending[1] + 1:
            pending = [pending[0], max(pending[1], last)]
            continue
        if pending is not None:
            yield pending
        pending = [first, last]
    if pending is not None:
        yield pending
