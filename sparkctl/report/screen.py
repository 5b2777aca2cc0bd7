"""The summary of a sweep as an operator reads it: what needs hands, what could not be seen, what is well."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.sweep import FoldedFailure, FoldedFinding, SweepReport
from sparkctl.model.vocabulary import REFUSALS, Status
from sparkctl.report.words import SIMULATED, count, duration, names, size

STYLES = {"fail": "bold red", "warn": "yellow", "unknown": "magenta", "pass": "green", "lost": "bold magenta"}
PLAIN_WIDTH = 120
_PADDING = re.compile(r" +((\x1b\[[0-9;]*m)*)$")


def console_for(stream: TextIO) -> Console:
    """A console that colours only terminals, respects NO_COLOR, and keeps one width everywhere else."""
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


@contextmanager
def screen_on(stream: TextIO) -> Iterator[Console]:
    """A console whose text goes to `stream` when the block ends, without the blanks that pad tables to their width."""
    console = console_for(stream)
    with console.capture() as capture:
        yield console
    for line in capture.get().splitlines():
        stream.write(_PADDING.sub(r"\1", line) + "\n")
    stream.flush()


def show_sweep(report: SweepReport, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the summary; `verbose` adds optional checks that could not be evaluated."""
    with screen_on(stream) as console:
        _show_sweep(report, console, verbose=verbose)


def _show_sweep(report: SweepReport, console: Console, *, verbose: bool) -> None:
    console.print(_headline(report))
    failed = [finding for finding in report.findings if finding.status is Status.FAIL]
    warned = [finding for finding in report.findings if finding.status is Status.WARN]
    unknown = [finding for finding in report.findings if finding.status is Status.UNKNOWN]
    _show_findings(console, "Needs hands", failed, "fail")
    _show_failures(console, report.failures)
    _show_findings(console, "Watch", warned, "warn")
    required = [finding for finding in unknown if finding.required]
    _show_findings(console, "Required, but could not be evaluated", required, "unknown")
    if verbose:
        _show_findings(
            console, "Could not be evaluated", [finding for finding in unknown if not finding.required], "unknown"
        )
    for warning in report.warnings:
        console.print(Text.assemble(("note ", STYLES["warn"]), f"{warning.node_id}: {warning.message}"))
    console.print()
    console.print(_bottom_line(report))
    console.print(Text(_costs(report), style="dim"))


def _headline(report: SweepReport) -> Text:
    line = Text.assemble(
        ("sparkctl health", "bold"), f"  {report.selector}  ", count(report.selected, "node"),
        f" in {duration(report.duration_ms)}", f"  run {report.run_id}",
    )  # fmt: skip
    if report.simulated:
        line.append(f"  {SIMULATED}", style="bold cyan")
    if report.interrupted:
        line.append("  INTERRUPTED", style=STYLES["lost"])
    return line


def _show_findings(console: Console, title: str, findings: list[FoldedFinding], look: str) -> None:
    if not findings:
        return
    table = _table(console, title, look)
    for finding in findings:
        what = Text(finding.example)
        if len(finding.nodes) > 1:
            what = Text.assemble((f"{finding.nodes[0]}: ", "dim"), finding.example)
        if finding.reason is not None:
            what.append(f" ({finding.reason.value})", style="dim")
        table.add_row(Text(finding.check, STYLES[look]), Text(names(finding.nodes)), _with_action(what, finding.action))
    console.print(Padding(table, (0, 0, 0, 2)))


def _show_failures(console: Console, failures: list[FoldedFailure]) -> None:
    if not failures:
        return
    table = _table(console, "Not heard from", "lost")
    for failure in failures:
        label = Text(f"{failure.stage.value}.{failure.cause.value}", STYLES["lost"])
        if failure.cause in REFUSALS:
            label.append(" refused", style=STYLES["fail"])
        table.add_row(label, Text(names(failure.nodes)), _with_action(Text(failure.example), failure.hint))
    console.print(Padding(table, (0, 0, 0, 2)))


def _table(console: Console, title: str, look: str) -> Table:
    console.print()
    console.print(Text(title, style=STYLES[look]))
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=16, max_width=34, overflow="fold")
    table.add_column(min_width=10, max_width=30, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    return table


def _with_action(what: Text, action: str | None) -> Text:
    return Text.assemble(what, "\n", ("→ ", "bold"), action) if action else what


def _bottom_line(report: SweepReport) -> Text:
    parts = [
        (report.worst.get("fail", 0), "failed", STYLES["fail"]),
        (report.worst.get("warn", 0), "to watch", STYLES["warn"]),
        (report.unreported, "not heard from", STYLES["lost"]),
        (report.worst.get("none", 0), "without any evaluated check", STYLES["unknown"]),
        (report.worst.get("pass", 0), "passed", STYLES["pass"]),
    ]
    shown = [Text(f"{number} {words}", style=style) for number, words, style in parts if number]
    line = Text("  ").join(shown or [Text("no nodes")])
    line.append(f"   {report.completeness:.1%} of applicable checks evaluated")
    line.append(f"   exit {report.exit_code} {report.exit_name}", style="dim")
    return line


def _costs(report: SweepReport) -> str:
    per_node = report.node_cpu_ms / report.reported if report.reported else 0
    return (
        f"cost: {per_node:.0f} ms of CPU per node, {size(report.received_bytes)} received; "
        f"here {report.cost.cpu_s:.1f} s of CPU, {size(report.cost.peak_rss_bytes)} peak"
    )
