"""The JSON documents of a bundle: canonical, so that a value has one writing, and bounded before they are parsed."""

from typing import TypeVar

from pydantic import ValidationError

from sparkctl.errors import UsageError
from sparkctl.model.base import Record
from sparkctl.model.canonical import canonical_json
from sparkctl.model.printable import printable

MAX_DOCUMENT = 16 * 2**20
MAX_NESTED = 130_000  # brackets and braces: six of each entry
MAX_KEYS = 400_000  # twenty of each entry
MAX_VALUES = 1_000_000  # commas: fifty of each entry

RecordT = TypeVar("RecordT", bound=Record)


def written(document: Record) -> bytes:
    """A document as it stands in a bundle; raises UsageError over the limits that readers hold it to."""
    content = canonical_json(document.model_dump(mode="json"))
    if excess := _excess(content):
        raise UsageError(f"the bundle would be too large: {excess}", hint="collect or choose fewer entries")
    return content


def parsed(kind: type[RecordT], content: bytes, named: str) -> RecordT:
    """A document of a bundle; raises UsageError unless it is one, written canonically (RFC 8785)."""
    if excess := _excess(content):
        raise UsageError(f"{named} is not read: {excess}", hint="no bundle of ours is like this")
    try:
        # What is ignored here is not written again below. One error for each unknown key would take gigabytes.
        document = kind.model_validate_json(content, extra="ignore")
        canonical = canonical_json(document.model_dump(mode="json")) == content
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        words = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise UsageError(
            f"{named} is not what the format wants: {printable(words, 300)}",
            hint="it was changed after it was sealed, or another program made it",
        ) from error
    if not canonical:
        raise UsageError(
            f"{named} is not canonical JSON", hint="it was changed after it was sealed, or another program made it"
        )
    return document


def _excess(content: bytes) -> str | None:
    """What of a document is over a limit: a parser makes some hundred bytes of one bracket, key or comma."""
    if len(content) > MAX_DOCUMENT:
        return f"more than {MAX_DOCUMENT // 2**20} MiB of JSON"
    nested = content.count(b"[") + content.count(b"{")
    if nested > MAX_NESTED or content.count(b'":') > MAX_KEYS or content.count(b",") > MAX_VALUES:
        return "more values than a list of its entries can have"
    return None
