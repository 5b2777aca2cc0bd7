"""Documents of the vendor's on a screen: what each is, what was taken of it, what was not, and what differs."""

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.facets.difference import Kind
from sparkctl.model.facets.paths import from_text, to_text
from sparkctl.model.ingest import About, Comparison, IngestRecord, Refusal, Said
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, brief, count, to_minute

SHAPES = {
    "tool": "a tool's output", "orchestrator": "an orchestrator's record", "script": "a script's line",
    "fork": "output of the fork",
}  # fmt: skip
Rows = Sequence[tuple[str, int, str]]


def show_document(record: IngestRecord, stream: TextIO, *, verbose: bool = False) -> None:
    """Print one document; `verbose` names every field that was mapped or known and not taken."""
    with screen_on(stream) as console:
        place = record.source if record.line == 1 else f"{record.source}:{record.line}"
        console.print(Text(place, "bold"))
        if record.refusal is not None:
            _indent(console, _refusal(record.refusal))
        if record.said is not None and record.about is not None:
            _indent(console, [_said(record.said), *_errors(record.said), _about(record.about), _facets(record)])
            _fates(console, record, verbose=verbose)
        if record.comparison is not None:
            _comparison(console, record.comparison)
        console.print()


def show_totals(records: Sequence[tuple[bool, bool]], exit_code: int, exit_name: str, stream: TextIO) -> None:
    """Print the last line; each record is whether it was refused and whether its node is known."""
    refused, homeless = sum(one for one, _ in records), sum(not refused and not known for refused, known in records)
    with screen_on(stream) as console:
        words = [count(len(records), "document")]
        words += [f"{refused} refused"] if refused else []
        words += [f"{homeless} of no known node"] if homeless else []
        console.print(Text(f"exit {exit_code} {exit_name}   {', '.join(words)}", style="dim"))


def _refusal(refusal: Refusal) -> list[Text]:
    lines = [Text.assemble(("refused", STYLES["fail"]), f"  {refusal.message}")]
    return lines + [Text.assemble((f"not {SHAPES[shape]}", "dim"), f"  {why}") for shape, why in refusal.shapes.items()]


def _said(said: Said) -> Text:
    line = Text(f"{SHAPES[said.shape]}: {said.tool or 'of an unknown script'}")
    line.append(f" {said.version}" if said.version else "")
    line.append(f"  {to_minute(said.at)}" if said.at else "  at no time that it tells", style="dim")
    line.append(f"  {said.status}", style=STYLES["fail" if said.failed else "pass"])
    if said.payload_bytes is not None:
        line.append(f"  and {said.payload_bytes:,} bytes of payload, not looked into", style="dim")
    return line


def _errors(said: Said) -> list[Text]:
    return [Text.assemble((error.severity or "error", STYLES["warn"]), f"  {error.message}") for error in said.errors]


def _about(about: About) -> Text:
    if about.node_id is None:
        return Text.assemble(("of no known node", STYLES["lost"]), f"  {about.why}")
    line = Text.assemble("of ", (about.node_id, "bold"), (f"  {about.why}", "dim"))
    return line.append(f"  {SIMULATED}", style="bold cyan") if about.simulated else line


def _facets(record: IngestRecord) -> Text:
    taken = sum(one.count for one in record.mapped)
    aside, unknown = (sum(one.count for one in fates) for fates in (record.not_taken, record.unknown))
    line = Text(f"{count(taken, 'field')} taken")
    line.append(f" into {', '.join(record.facets)}" if record.facets else "")
    line.append(f", {aside:,} known and not taken", style="dim")
    if unknown:
        line.append(f", {unknown:,} unknown", style=STYLES["unknown"])
    return line.append(f"; {record.unlisted:,} more places are not listed") if record.unlisted else line


def _fates(console: Console, record: IngestRecord, *, verbose: bool) -> None:
    if verbose:
        _table(console, "Taken", "pass", [(one.source, one.count, ", ".join(one.fields)) for one in record.mapped])
        _table(console, "Known and not taken", "dim", [(one.source, one.count, one.reason) for one in record.not_taken])
    _table(
        console, "Unknown: nobody told us of these", "unknown", [(one.source, one.count, "") for one in record.unknown]
    )


def _table(console: Console, title: str, look: str, rows: Rows) -> None:
    if not rows:
        return
    _indent(console, [Text(title, style=STYLES.get(look, look))])
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=60, overflow="fold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for source, number, words in rows:
        table.add_row(Text(source), Text(f"{number:,}" if number > 1 else "", "dim"), Text(words))
    console.print(Padding(table, (0, 0, 0, 4)))


def _comparison(console: Console, comparison: Comparison) -> None:
    at = to_minute(comparison.collected_at) if comparison.collected_at else "never"
    line = Text(f"{count(comparison.compared, 'field')} compared with what was collected ({at}): ")
    if comparison.differences:
        line.append(f"{len(comparison.differences):,} otherwise", style=STYLES["fail"])
    else:
        line.append("no difference", style=STYLES["pass"] if comparison.compared else STYLES["unknown"])
    lines = [line]
    for one in comparison.differences:
        seen = "nothing" if one.kind is Kind.APPEARED else brief(one.collected)
        words = f"  collected {seen}, the document says {brief(one.document)}"
        lines.append(Text.assemble("  ", (_name(one.facet, one.field), STYLES["fail"]), words))
    for hidden in comparison.not_compared:
        name = _name(hidden.facet, hidden.field)
        lines.append(Text.assemble("  ", (name, STYLES["unknown"]), f"  not compared: {hidden.reason}"))
    _indent(console, lines)


def _name(facet: str, field: str) -> str:
    return to_text((facet, *from_text(field)))


def _indent(console: Console, lines: Sequence[Text]) -> None:
    console.print(Padding(Text("\n").join(lines), (0, 0, 0, 2)))
