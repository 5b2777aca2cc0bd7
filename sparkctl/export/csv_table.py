"""CSV (RFC 4180): a header, and one row for each node. A cell without a value says that nothing is known."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from sparkctl.export.fields import Section, flat
from sparkctl.export.format import Format
from sparkctl.export.node_fields import NODE_FIELDS
from sparkctl.export.subject import Subject

# What spreadsheets take for the beginning of a formula, with the wide forms that some of them take for the same.
_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")


def cell(value: Any) -> str:
    """A value as text that no spreadsheet calculates: an apostrophe stands before what might begin a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _row(values: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()


def _pieces(nodes: Iterable[Subject]) -> Iterator[str]:
    yield _row(field.target for field in NODE_FIELDS)
    for subject in nodes:
        known = flat(NODE_FIELDS, subject)
        yield _row(cell(known[field.target]) if field.target in known else "" for field in NODE_FIELDS)


CSV = Format(
    name="csv",
    title="CSV, one row for each node",
    target="RFC 4180",
    sections=(Section("A row", "node", NODE_FIELDS),),
    pieces=_pieces,
)
