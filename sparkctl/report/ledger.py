"""The book of custody on the screen."""

from collections.abc import Iterable
from typing import TextIO

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.ledger import LedgerEntry
from sparkctl.model.ledger_report import LedgerReport, ProofFound
from sparkctl.report.screen import STYLES, screen_on
from sparkctl.report.words import SIMULATED, to_second

_MOST_SHOWN = 3


def show_entries(entries: Iterable[tuple[LedgerEntry, bool]], stream: TextIO) -> None:
    """A row for each entry, and whether it bears a signature; its facts and evidence below."""
    rows = Table.grid(padding=(0, 2))
    for column in ("seq", "at", "node", "what"):
        rows.add_column(justify="right" if column == "seq" else "left", overflow="fold", no_wrap=column == "at")
    number = 0
    for number, (entry, signed) in enumerate(entries, 1):  # noqa: B007 - the last one is how many there are
        rows.add_row(str(entry.seq), to_second(entry.at), Text(entry.node_id or "-", "bold"), _lines(entry, signed))
    with screen_on(stream) as console:
        console.print(rows if number else Text("nothing is entered"))


def _lines(entry: LedgerEntry, signed: bool) -> Text:
    head = Text.assemble((entry.kind, "bold"), f"  {entry.summary}")
    if entry.simulated:
        head.append(f"  {SIMULATED}", style="bold cyan")
    lines = [head]
    said = [f"by {entry.actor}", "signed" if signed else "not signed"]
    said += [f"serial {entry.serial}"] if entry.serial else []
    lines.append(Text(", ".join(said), style="dim"))
    lines += [Text(f"{key}: {_word(value)}") for key, value in entry.facts.items()]
    lines += [Text(f"on {one.name}, SHA-256 {one.sha256}", style="dim") for one in entry.evidence]
    return Text("\n").join(lines)


def _word(value: str | int | bool | None) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def show_report(report: LedgerReport, stream: TextIO) -> None:
    """Whether the ledger holds; what is wrong first, then how far somebody vouches for it, then what cannot be told."""
    with screen_on(stream) as console:
        if report.holds:
            words = f"the ledger holds: {'1 entry' if report.entries == 1 else f'{report.entries:,} entries'}"
            console.print(Text(words, style=STYLES["pass"]))
        else:
            console.print(Text("the ledger does not hold", style=STYLES["fail"]))
        for one in report.findings:
            line = Text.assemble((f"{one.what.value} at {one.seq}", STYLES["fail"]), f"  {one.words}")
            console.print(Padding(line, (0, 0, 0, 2)))
        if report.last:
            console.print(f"  last digest   {report.last}")
        signers = ", ".join(f"{number:,} by {name}" for name, number in report.signed.items())
        console.print(f"  signed        {signers or 'none'}; {report.unsigned:,} not signed")
        for found in report.checkpoints[-_MOST_SHOWN:]:
            whose = ", ".join(found.signed_by) or "nobody"
            where = "from a file" if found.from_file else "of this store"
            console.print(f"  checkpoint    over {found.size:,} entries, {where}, signed by {whose}")
        if len(report.checkpoints) > _MOST_SHOWN:
            console.print(f"                and {len(report.checkpoints) - _MOST_SHOWN:,} older ones, which hold")
        if report.vouched:
            console.print(f"  vouched for   entries 1 to {report.vouched:,}")
        for words in report.notes:
            console.print(Text.assemble(("note ", STYLES["warn"]), words))


def proof_lines(found: ProofFound) -> list[str]:
    """What a proof proves, in words."""
    lines = [
        f"entry {found.seq} is in the ledger {found.origin}: it leads to the root over {found.size:,} entries",
        f"  entry       {found.sha256}",
        f"  root        {found.root}",
    ]
    whose = ", ".join(found.checkpoint_signed_by) or "nobody"
    lines.append(f"  checkpoint  signed by {whose}")
    lines.append(f"  entry       signed by {found.entry_signed_by or found.entry_fingerprint or 'nobody'}")
    if not found.names_checked:
        lines.append("  anybody may have made it: name --allowed-signers FILE to learn who vouches for it")
    return lines
