"""Arrays of numbers in JSON that are the bytes of a text, as journalctl writes a message that is no UTF-8."""

from collections.abc import Callable, Iterator

from sparkctl.redaction.edits import Edit, applied
from sparkctl.redaction.linear import Pattern

ARRAY = Pattern(r"\[\s{0,8}(?:[0-9]{1,3}\s{0,8},\s{0,8}){3,}[0-9]{1,3}\s{0,8}\]", groups=False)


def number_edits(data: bytes, start: int, inner: Callable[[bytes], list[Edit]]) -> Iterator[Edit]:
    """Each array that holds something to be replaced, written again between its brackets."""
    for first, last in ARRAY.spans(data, start):
        body = data[first + 1 : last - 1]
        values = [int(number) for number in body.split(b",")]
        if max(values) > 255:
            continue
        text = bytes(values)
        edits = inner(text)
        if edits:
            comma = b", " if b", " in body else b","
            made = comma.join(b"%d" % byte for byte in applied(text, edits))
            yield Edit(first + 1, last - 1, made, tuple(rule for edit in edits for rule in edit.rules))
