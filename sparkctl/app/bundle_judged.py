"""What our own programs said of a bundle's tree, read from the bundle.

Its form is held against our models, and no more: an old bundle may name checks and rules that are no longer ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError
from sparkctl.evidence.reading import OpenedBundle, drain
from sparkctl.model.base import Record
from sparkctl.model.bundle_page import Unread
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.printable import clip, printable
from sparkctl.model.redaction import RedactionReport
from sparkctl.model.reset import ResetEnvelope

HEALTH, FACTS, RESET, REDACTION = "judged/health.json", "judged/facts.json", "judged/reset.json", "redaction.json"
MAX_DOCUMENT = 4 * 2**20

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True, slots=True)
class Judged:
    """The documents of a bundle, each None where it is not there or is none; `unread` says why."""

    health: HealthEnvelope | None
    facts: FactsEnvelope | None
    reset: ResetEnvelope | None
    redaction: RedactionReport | None
    unread: tuple[Unread, ...]


def judged_in(bundle: OpenedBundle) -> Judged:
    """Read all four in one pass; raises UsageError where a byte of the bundle is not what its head says."""
    reading = _Reading(dict(_documents(bundle)))
    health = reading.record(HEALTH, HealthEnvelope)
    facts = reading.record(FACTS, FactsEnvelope)
    reset = reading.record(RESET, ResetEnvelope)
    redaction = reading.record(REDACTION, RedactionReport)
    return Judged(health, facts, reset, redaction, tuple(reading.unread))


def _documents(bundle: OpenedBundle) -> Iterator[tuple[str, bytes | None]]:
    """The content of each that is there, None for one that is too large."""
    for entry, content in bundle.stream():
        if entry.path in (HEALTH, FACTS, RESET, REDACTION) and entry.size <= MAX_DOCUMENT:
            yield entry.path, b"".join(content)
            continue
        drain(content)
        if entry.path in (HEALTH, FACTS, RESET, REDACTION):
            yield entry.path, None


class _Reading:
    """Reads documents, and notes of which it could not."""

    def __init__(self, contents: dict[str, bytes | None]) -> None:
        self._contents = contents
        self.unread: list[Unread] = []

    def refuse(self, path: str, words: str) -> None:
        self.unread.append(Unread(name=path, words=printable(words, 300)))

    def record(self, path: str, kind: type[RecordT]) -> RecordT | None:
        if path not in self._contents:
            self.refuse(path, "it is not in the bundle")
            return None
        content = self._contents[path]
        if content is None:
            self.refuse(path, f"it has more than {MAX_DOCUMENT // 2**20} MiB")
            return None
        try:
            strict_json.parse(content)
            return kind.model_validate_json(content)
        except ContractError as error:
            self.refuse(path, error.message)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            self.refuse(path, clip(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 300))
        return None
