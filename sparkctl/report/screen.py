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
    """Print the summary; `verbose` adds every action, and optional checks that could not be evaluated."""
    with screen_on(stream) as console:
        _show_sweep(report, console, verbose=verbose)


def _show_sweep(report: SweepReport, console: Console, *, verbose: bool) -> None:
    console.print(_headline(report))
    failed = [finding for finding in report.findings if finding.status is Status.FAIL]
    warned = [finding for finding in report.findings if finding.status is Status.WARN]
    unknown = [finding for finding in report.findings if finding.status is Status.UNKNOWN]
    required = [finding for finding in unknown if finding.required]
    optional = [finding for finding in unknown if not finding.required]
    _show_findings(console, "Needs hands", failed, "fail", verbose=verbose)
    _show_failures(console, report.failures)
    _show_findings(console, "Watch", warned, "warn", verbose=verbose)
    _show_findings(console, "Required, but could not be evaluated", required, "unknown", verbose=verbose)
    if verbose:
        _show_findings(console, "Could not be evaluated", optional, "unknown", verbose=verbose)
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


def _show_findings(console: Console, title: str, findings: list[FoldedFinding], look: str, *, verbose: bool) -> None:
    """One row for each set of nodes: what was found on it, and what to do about the most pressing of it."""
    if not findings:
        return
    groups: dict[tuple[str, ...], list[FoldedFinding]] = {}
    for finding in findings:
        groups.setdefault(tuple(finding.nodes), []).append(finding)
    table = _table(console, title, look)
    for nodes, group in groups.items():
        advised = group if verbose else group[:1]
        lines = [_finding_line(finding, look, several=len(nodes) > 1) for finding in group]
        actions = [_action_line(finding.action) for finding in advised if finding.action]
        table.add_row(Text(names(nodes), "bold"), Text("\n").join([*lines, *actions]))
    console.print(Padding(table, (0, 0, 0, 2)))


def _finding_line(finding: FoldedFinding, look: str, *, several: bool) -> Text:
    line = Text.assemble((finding.check, STYLES[look]), "  ")
    if several:
        line.append(f"{finding.nodes[0]}: ", style="dim")
    line.append(finding.example)
    if finding.reason is not None:
        line.append(f" ({finding.reason.value})", style="dim")
    return line


def _show_failures(console: Console, failures: list[FoldedFailure]) -> None:
    if not failures:
        return
    table = _table(console, "Not heard from", "lost")
    for failure in failures:
        line = Text.assemble((f"{failure.stage.value}.{failure.cause.value}", STYLES["lost"]), "  ")
        if failure.cause in REFUSALS:
            line.append("refused  ", style=STYLES["fail"])
        line.append(failure.example)
        lines = [line, _action_line(failure.hint)] if failure.hint else [line]
        table.add_row(Text(names(failure.nodes), "bold"), Text("\n").join(lines))
    console.print(Padding(table, (0, 0, 0, 2)))


def _table(console: Console, title: str, look: str) -> Table:
    console.print()
    console.print(Text(title, style=STYLES[look]))
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=10, max_width=30, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    return table


def _action_line(action: str) -> Text:
    return Text.assemble(("→ ", "bold"), action)


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
