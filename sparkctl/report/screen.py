"""The summary of a sweep as an operator reads it: what needs hands, what could not be seen, what is well."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparkctl.model.fleet_report import FoldedFailure, NodeWarning
from sparkctl.model.outcome import NOTABLE
from sparkctl.model.reports import RunReport
from sparkctl.model.sweep import FoldedFinding, SweepReport
from sparkctl.model.vocabulary import REFUSALS, Stage, Status
from sparkctl.report.words import SIMULATED, count, duration, names, size


class _OnNodes(Protocol):
    """Something that was so on some nodes."""

    @property
    def nodes(self) -> list[str]:
        """Their names."""


Folded = TypeVar("Folded", bound=_OnNodes)

STYLES = {"fail": "bold red", "warn": "yellow", "unknown": "magenta", "pass": "green", "lost": "bold magenta"}
PLAIN_WIDTH = 120
REFUSED = "Refused: trust nothing there until you know why"
NOT_REACHED = "Not reached"
NO_USABLE_ANSWER = "Reached, but without a usable answer"
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
    """Print the summary; `verbose` adds warnings on nodes that need hands anyway, optional unknowns, and costs."""
    with screen_on(stream) as console:
        _show_sweep(report, console, verbose=verbose)


def _show_sweep(report: SweepReport, console: Console, *, verbose: bool) -> None:
    console.print(headline(report, "health"))
    console.print(_totals(report))
    by_status = {status: [one for one in report.findings if one.status is status] for status in NOTABLE}
    failed, unknown = by_status[Status.FAIL], by_status[Status.UNKNOWN]
    _show_findings(console, "Needs hands", failed, "fail")
    for title, failures in by_kind(report.failures).items():
        show_failures(console, title, failures)
    warned = by_status[Status.WARN]
    _show_findings(console, "Watch", warned if verbose else _elsewhere(warned, failed), "warn")
    required = [one for one in unknown if one.required]
    optional = [one for one in unknown if not one.required]
    _show_findings(console, "Required, but could not be evaluated", required, "unknown")
    if verbose:
        _show_findings(console, "Could not be evaluated", optional, "unknown")
    notes(console, report.warnings)
    console.print()
    console.print(_last_line(report, optional, verbose=verbose))
    if verbose:
        console.print(Text(costs(report), style="dim"))


def headline(report: RunReport, command: str, *words: str) -> Text:
    """What was run on whom, and whether it was real and came to its end."""
    line = Text.assemble((f"sparkctl {command}", "bold"), *(f"  {each}" for each in (report.selector, *words)))
    if report.shard:
        line.append(f"  shard {report.shard}")
    line.append(f"  run {report.run_id} in {duration(report.duration_ms)}", style="dim")
    if report.simulated:
        line.append(f"  {SIMULATED}", style="bold cyan")
    if report.interrupted:
        line.append("  INTERRUPTED", style=STYLES["lost"])
    return line


def _totals(report: SweepReport) -> Text:
    """Everybody, in one line that can be read at a glance."""
    kinds = {title: sum(len(one.nodes) for one in failures) for title, failures in by_kind(report.failures).items()}
    worst = report.worst
    parts = [
        (worst.get("fail", 0), "need hands", "fail"),
        (kinds[REFUSED], "refused", "fail"),
        (kinds[NOT_REACHED], "not reached", "lost"),
        (kinds[NO_USABLE_ANSWER], "without usable answer", "lost"),
        (worst.get("warn", 0), "to watch", "warn"),
        (report.not_fully_judged, "not fully judged", "unknown"),
        (worst.get("pass", 0) + worst.get("none", 0) - report.not_fully_judged, "passed", "pass"),
    ]
    shown = [Text(f"{number:,} {words}", style=STYLES[look]) for number, words, look in parts if number]
    return Text.assemble((f"{count(report.selected, 'node')}: ", "bold"), Text(", ").join(shown))


def by_kind(failures: list[FoldedFailure]) -> dict[str, list[FoldedFailure]]:
    """Failures by what they mean to an operator."""
    kinds: dict[str, list[FoldedFailure]] = {REFUSED: [], NOT_REACHED: [], NO_USABLE_ANSWER: []}
    for failure in failures:
        if failure.cause in REFUSALS:
            kinds[REFUSED].append(failure)
        elif failure.stage in (Stage.RUN, Stage.DECODE, Stage.SEAL):
            kinds[NO_USABLE_ANSWER].append(failure)
        else:
            kinds[NOT_REACHED].append(failure)
    return kinds


def _elsewhere(findings: list[FoldedFinding], failed: list[FoldedFinding]) -> list[FoldedFinding]:
    """What is to be watched on nodes that do not need hands anyway."""
    named = {node for finding in failed for node in finding.nodes}
    left = [(one, [node for node in one.nodes if node not in named]) for one in findings]
    return [_only_on(one, nodes) for one, nodes in left if nodes]


def _only_on(finding: FoldedFinding, nodes: list[str]) -> FoldedFinding:
    example = finding.example_node if finding.example_node in nodes else nodes[0]
    return finding.model_copy(update={"nodes": nodes, "example_node": example})


def _show_findings(console: Console, title: str, findings: list[FoldedFinding], look: str) -> None:
    """One row for each set of nodes: what was found on it, and what to do."""
    if not findings:
        return
    groups: dict[tuple[str, ...], list[FoldedFinding]] = {}
    for finding in findings:
        groups.setdefault(tuple(finding.nodes), []).append(finding)
    rows = table(console, title, look)
    for nodes, group in groups.items():
        lines = [_finding_line(finding, look, several=len(nodes) > 1) for finding in group]
        actions = dict.fromkeys(finding.action for finding in group if finding.action)
        rows.add_row(Text(names(nodes), "bold"), Text("\n").join([*lines, *map(_action_line, actions)]))
    console.print(Padding(rows, (0, 0, 0, 2)))


def _finding_line(finding: FoldedFinding, look: str, *, several: bool) -> Text:
    line = Text.assemble((finding.check, STYLES[look]), "  ")
    if several:
        line.append(f"{finding.example_node}: ", style="dim")
    line.append(finding.example)
    if finding.reason is not None:
        line.append(f" ({finding.reason.value})", style="dim")
    return line


def show_failures(console: Console, title: str, failures: list[FoldedFailure]) -> None:
    """One row for each set of nodes that failed alike."""
    if not failures:
        return
    look = "fail" if title == REFUSED else "lost"
    rows = table(console, title, look)
    for failure in failures:
        line = Text.assemble((failure.cause.value.replace("_", " "), STYLES[look]), "  ")
        if len(failure.nodes) > 1:
            line.append(f"{failure.example_node}: ", style="dim")
        line.append(failure.example)
        lines = [line, _action_line(failure.hint)] if failure.hint else [line]
        rows.add_row(Text(names(failure.nodes), "bold"), Text("\n").join(lines))
    console.print(Padding(rows, (0, 0, 0, 2)))


def table(console: Console, title: str, look: str) -> Table:
    """A titled table of nodes and what is to be said of them."""
    console.print()
    console.print(Text(title, style=STYLES[look]))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(min_width=10, max_width=30, overflow="fold")
    rows.add_column(ratio=1, overflow="fold")
    return rows


def show_by_nodes(
    console: Console, title: str, look: str, found: Sequence[Folded], line: Callable[[Folded], Text]
) -> None:
    """One row for each set of nodes, with a line for each thing that was so on all of them; nothing where none was."""
    if not found:
        return
    by_nodes: dict[tuple[str, ...], list[Folded]] = {}
    for one in found:
        by_nodes.setdefault(tuple(one.nodes), []).append(one)
    rows = table(console, title, look)
    for nodes, alike in by_nodes.items():
        rows.add_row(Text(names(nodes), "bold"), Text("\n").join(map(line, alike)))
    console.print(Padding(rows, (0, 0, 0, 2)))


def _action_line(action: str) -> Text:
    return Text.assemble(("→ ", "bold"), action)


def _last_line(report: SweepReport, optional: list[FoldedFinding], *, verbose: bool) -> Text:
    line = Text(f"exit {report.exit_code} {report.exit_name}", style="dim")
    if report.reported and report.completeness < 1:
        line.append(f"   {report.completeness:.1%} of the checks that apply were evaluated")
    if optional and not verbose:
        nodes = {node for finding in optional for node in finding.nodes}
        line.append(f"; -v names the optional ones that were not, on {count(len(nodes), 'node')}")
    return line


def notes(console: Console, warnings: list[NodeWarning]) -> None:
    """What is to be said of single nodes beside what was found there."""
    for warning in warnings:
        console.print(Text.assemble(("note ", STYLES["warn"]), f"{warning.node_id}: {warning.message}"))


def costs(report: RunReport) -> str:
    """What the run took on the nodes and here."""
    per_node = report.node_cpu_ms / report.reported if report.reported else 0
    return (
        f"cost: {per_node:.0f} ms of CPU on each node, {size(report.received_bytes)} received; "
        f"on this machine {report.cost.cpu_s:.1f} s of CPU and {size(report.cost.peak_rss_bytes)} of memory"
    )
