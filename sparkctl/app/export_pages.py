"""The generated parts of docs/exports.md and docs/integrations/: every format, and what becomes of each field."""

from collections.abc import Iterable
from typing import Any

from sparkctl.export.catalogue import FORMATS
from sparkctl.export.events import EVENT_KINDS
from sparkctl.export.fields import Field, Section, Told
from sparkctl.export.format import Format
from sparkctl.export.severity import SCALE_ROWS, SCALES


def formats_table() -> str:
    """The formats, the events that some are made of, and how much those matter in each scale."""
    formats = _table("| `--as` | what | format | a node that was never visited |", map(_format_row, FORMATS.values()))
    kinds = _table("| code | when |", (f"| {codes} | {words} |" for codes, words in EVENT_KINDS))
    scales = _table(
        "| level | of what | syslog | CEF | LEEF | OCSF, ECS | OTLP |",
        (
            f"| {level.value} | {words} | {scale.syslog} | {scale.cef} | {scale.leef or 'absent'} "
            f"| {scale.ocsf} {scale.ocsf_caption} | {scale.otlp} |"
            for level, words in SCALE_ROWS
            for scale in (SCALES[level],)
        ),
    )
    return f"{formats}\n### Events\n\n{kinds}\n### Severities\n\n{scales}"


def mapping_table(name: str) -> str:
    """One table for each kind of record of a format."""
    return "\n".join(map(_section, FORMATS[name].sections))


def _table(heading: str, rows: Iterable[str]) -> str:
    columns = heading.count("|") - 1
    return "\n".join([heading, "|" + "---|" * columns, *rows]) + "\n"


def _format_row(form: Format) -> str:
    link = f"[`{form.name}`](integrations/{form.name}.md)"
    return f"| {link} | {form.title} | {form.target} | {'told as such' if form.of_unknown else 'left out'} |"


def _section(section: Section) -> str:
    rows = _table("| field | from | notes |", map(_row, section.fields))
    return f"### {section.title}\n\nOne for each {section.each}.\n\n{rows}"


def _row(field: Field[Any] | Told) -> str:
    return f"| `{field.target}` | {_quoted(field.source)} | {field.note} |"


def _quoted(source: str) -> str:
    """Where a value is from, fields of facets as code."""
    return ", ".join(part if part.startswith("(") else f"`{part}`" for part in source.split(", "))
