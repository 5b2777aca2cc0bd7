"""What became of an export, for people: a word on what is in the file, and what is missing in it."""

from typing import TextIO

from sparkctl.model.export_report import ExportReport
from sparkctl.report.words import count, names


def show_export(report: ExportReport, stream: TextIO) -> None:
    """Print it; nothing at all when the export was printed and nothing is missing."""
    if report.file is not None:
        simulated = f", {report.simulated} of them simulated" if report.simulated else ""
        stream.write(f"{report.file}: {count(report.selected, 'node')} as {report.target}{simulated}\n")
    elif report.selected == 0:
        stream.write("sparkctl: no node is selected\n")
    if unknown := [node for node in report.unknown if node not in report.stale]:
        stream.write(f"nothing is known of {names(unknown)}\n  → sparkctl health; sparkctl collect\n")
    if report.left_out:
        stream.write(f"never visited, and so not in the export: {names(report.left_out)}\n")
    if report.stale:
        stream.write(f"in part or wholly older than --max-age, and so far left out: {names(report.stale)}\n")
