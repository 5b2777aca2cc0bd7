"""The redactor of one disclosure: streams, paths, and the account of both."""

import hashlib
import io
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import BinaryIO, Protocol

from sparkctl.errors import RefusedError
from sparkctl.model.evidence_path import folded
from sparkctl.model.redaction import RedactionReport
from sparkctl.redaction.account import Account, Reason
from sparkctl.redaction.binary import BinaryFinder
from sparkctl.redaction.edits import Edit, applied, in_order
from sparkctl.redaction.known import Known
from sparkctl.redaction.logins import BLOCK as LOGIN_BLOCK
from sparkctl.redaction.logins import LoginFinder, is_login_record
from sparkctl.redaction.numbers import number_edits
from sparkctl.redaction.pem import PemState
from sparkctl.redaction.rule import Rule
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.scan import Heard, Scanner
from sparkctl.redaction.standins import Pseudonyms
from sparkctl.redaction.stream import BLOCK, Find, pieces
from sparkctl.redaction.tables import table_of

MOST_NAME = 255
"""Bytes of one part of a path that file systems take."""


class Kind(StrEnum):
    """What an artefact holds, which decides how it is read."""

    TEXT = "text"
    JSON = "json"
    JOURNAL_JSON = "journal_json"
    NUL = "nul"
    BINARY = "binary"
    RECORDING = "recording"


IS_JSON = (Kind.JSON, Kind.JOURNAL_JSON, Kind.RECORDING)


class Sink(Protocol):
    """Takes what was redacted."""

    def write(self, data: bytes, /) -> int:
        """Take it."""


class TooSlow(RefusedError):
    """An artefact that was not redacted within its time; what was written of it must not be used."""


class Redactor:
    """Redacts under one key what was collected of one node; not for more than one thread at a time.

    It looks for what is known when it is made: harvest, learn, and plant canaries, before. `heard` is told each value
    that a rule finds.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        known: Known,
        *,
        rules: Sequence[Rule] = RULES,
        block: int = BLOCK,
        heard: Heard | None = None,
    ) -> None:
        self._pseudonyms, self._known, self._block = pseudonyms, known, block
        self._deadline: float | None = None
        self._scanner = Scanner(pseudonyms, known, rules, self._check_time, heard)
        self._binary = BinaryFinder(self._scanner, known, pseudonyms)
        self._account = Account()
        self._paths: dict[str, str] = {}
        self._taken: set[str] = set()

    def stream(self, name: str, kind: Kind, source: BinaryIO, sink: Sink, *, seconds: float) -> None:
        """Copy a stream, redacted. `name` is its real path, `seconds` the longest that it may take.

        Raises TooSlow, and whatever the two streams raise; in either case the sink holds a part that must not be used.
        """
        shown = self.path(name)
        self._deadline = time.monotonic() + seconds
        account = self._account.begin(shown)
        find, separator, block = self._reader(name, kind)
        try:
            for data, start, end, edits in pieces(source, find, separator, block):
                self._check_time()
                sink.write(applied(data, edits, start, end))
                account.add(data, start, end, edits)
            self._check_time()
        except TooSlow:
            self._deadline = None
            words = f"not redacted within {seconds:g} s"
            self.withhold(name, "too_slow", words)
            raise TooSlow(f"{shown} was {words}", hint="collect less of it, or allow more time for redaction") from None
        finally:
            self._deadline = None

    def trial(self, kind: Kind, content: bytes, sink: Sink) -> None:
        """Redact a small artefact without counting it, for canaries."""
        find, separator, block = self._reader("trial", kind)
        for data, start, end, edits in pieces(io.BytesIO(content), find, separator, block):
            sink.write(applied(data, edits, start, end))

    def trial_path(self, path: str) -> str:
        """What becomes of a path, without remembering it, for canaries."""
        return self._renamed(path)

    def path(self, path: str) -> str:
        """The path with the stand-ins that its parts have inside contents; distinct paths stay distinct in any case."""
        if path not in self._paths:
            made = wanted = self._renamed(path)
            number = 2
            while folded(made) in self._taken:
                made, number = f"{wanted}~{number}", number + 1
            self._taken.add(folded(made))
            self._paths[path] = made
        return self._paths[path]

    def withhold(self, name: str, reason: Reason, words: str) -> None:
        """Note in the report that an artefact, named by its real path, is not handed on; `words` say why."""
        self._account.withhold(self.path(name), reason, words)

    def report(self) -> RedactionReport:
        """What was replaced so far, by rule and artefact."""
        return self._account.report(self._known.left_out)

    def _check_time(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TooSlow("the time of an artefact is over")

    def _reader(self, name: str, kind: Kind) -> tuple[Find, bytes, int]:
        path = name.encode("utf-8", "surrogateescape")
        if kind is Kind.BINARY and is_login_record(path):
            logins = LoginFinder(self._scanner, self._pseudonyms)
            return lambda data, start: in_order(logins.edits(data, start)), b"", LOGIN_BLOCK
        if kind is Kind.BINARY:
            return lambda data, start: in_order(self._binary.edits(data, start)), b"", self._block
        if kind is Kind.NUL:
            return self._text_finder(path, is_json=False), b"\0", self._block
        return self._text_finder(path, is_json=kind in IS_JSON), b"\n", self._block

    def _text_finder(self, path: bytes, *, is_json: bool) -> Find:
        state, table = PemState(), table_of(path)

        def find(data: bytes, start: int) -> list[Edit]:
            edits = self._scanner.edits(data, start, is_json=is_json)
            more: list[Edit] = list(table(data, start, self._pseudonyms)) if table is not None else []
            if is_json:
                more += number_edits(data, start, self._scanner.whole)
            else:
                more += self._scanner.pem(data, start, state)
            return in_order([*more, *edits]) if more else edits

        return find

    def _renamed(self, path: str) -> str:
        raw = path.encode("utf-8", "surrogateescape")
        rooted = raw if raw.startswith(b"/") else b"/" + raw
        edits = [edit._replace(new=edit.new.replace(b"/", b"_")) for edit in self._scanner.edits(rooted)]
        made = applied(rooted, edits)[len(rooted) - len(raw) :]
        return b"/".join(map(_short, made.split(b"/"))).decode("utf-8", "surrogateescape")


def _short(part: bytes) -> bytes:
    """One part of a path, short enough to be one."""
    if len(part) <= MOST_NAME:
        return part
    return part[: MOST_NAME - 33] + b"-" + hashlib.sha256(part).hexdigest()[:32].encode()
