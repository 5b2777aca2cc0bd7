"""Fold the outcomes of a collection into its report, and show it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_key, natural_sorted
from sparkctl.model.collection import CollectReport, FoldedGap
from sparkctl.model.facets.base import Gap
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.sweep import BastionCost, NodeWarning
from sparkctl.model.vocabulary import CUT_SHORT, REFUSALS, Cause, Stage, UnknownReason
from sparkctl.report.screen import STYLES, by_kind, screen_on, show_failures, table
from sparkctl.report.tally import Alike, folded_failure
from sparkctl.report.words import SIMULATED, count, duration, names, size

GapKey = tuple[str, str, UnknownReason]


@dataclass
class _SameGap:
    nodes: list[str] = field(default_factory=list)
    example_node: str = ""
    gap: Gap | None = None

    def add(self, node_id: str, gap: Gap) -> None:
        """Add a node; the example is the first of them by name."""
        if not self.nodes or natural_key(node_id) < natural_key(self.example_node):
            self.example_node, self.gap = node_id, gap
        self.nodes.append(node_id)


@dataclass
class CollectTally:
    """What has been seen of a collection so far."""

    facets: tuple[str, ...]
    reported: int = 0
    unreported: int = 0
    simulated: bool = False
    warnings: list[NodeWarning] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._gaps: defaultdict[GapKey, _SameGap] = defaultdict(_SameGap)
        self._unreported: defaultdict[tuple[Stage, Cause], Alike] = defaultdict(Alike)
        self._whole_facets_missing = False
        self._node_cpu_ms = self._received_bytes = 0

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""
        self.warnings += [NodeWarning(node_id=outcome.node_id, message=warning) for warning in outcome.warnings]
        self.simulated |= outcome.simulated
        self._received_bytes += outcome.received_bytes
        if outcome.failure is not None:
            self.unreported += 1
            self._unreported[outcome.failure.stage, outcome.failure.cause].add(outcome.node_id, outcome.failure)
            return
        self.reported += 1
        assert outcome.facts is not None  # noqa: S101 - decoding guarantees it
        self._node_cpu_ms += outcome.facts.cpu_ms
        for facet, gaps in outcome.facts.gaps.items():
            for gap in gaps:
                self._whole_facets_missing |= not gap.path
                self._gaps[facet, gap.path, gap.reason].add(outcome.node_id, gap)

    def exit_code(self) -> ExitCode:
        """Refusals before what could not be collected; a field that could not be read is no failure."""
        if any(cause in REFUSALS for _, cause in self._unreported):
            return ExitCode.REFUSED
        return ExitCode.UNJUDGED if self.unreported or self._whole_facets_missing else ExitCode.OK

    def report(
        self,
        *,
        tool: str,
        run_id: str,
        started_at: datetime,
        finished_at: datetime,
        duration_ms: int,
        program_sha256: str,
        selector: str,
        shard: str | None,
        resumes: str | None,
        selected: int,
        cost: BastionCost,
    ) -> CollectReport:
        """The report of the whole collection; raises ValueError when a selected node is not accounted for."""
        code = self.exit_code()
        failures = [folded_failure(alike) for alike in self._unreported.values()]
        return CollectReport(
            tool=tool,
            run_id=run_id,
            started_at=started_at,
            finished_at=finished_at,
            duration_ms=duration_ms,
            program_sha256=program_sha256,
            selector=selector,
            shard=shard,
            resumes=resumes,
            facets=list(self.facets),
            selected=selected,
            reported=self.reported,
            unreported=self.unreported,
            interrupted=any(cause in CUT_SHORT for _, cause in self._unreported),
            simulated=self.simulated,
            gaps=[_folded(key, same) for key, same in sorted(self._gaps.items())],
            failures=sorted(failures, key=lambda one: (-len(one.nodes), one.stage, one.cause)),
            warnings=sorted(self.warnings, key=lambda warning: warning.node_id),
            node_cpu_ms=self._node_cpu_ms,
            received_bytes=self._received_bytes,
            cost=cost,
            exit_code=code,
            exit_name=code.name.lower(),
        )


def _folded(key: GapKey, same: _SameGap) -> FoldedGap:
    assert same.gap is not None  # noqa: S101 - there is a gap where there is a node
    facet, path, reason = key
    return FoldedGap(
        facet=facet,
        path=path,
        reason=reason,
        nodes=natural_sorted(same.nodes),
        example=same.gap.summary,
        example_node=same.example_node,
    )


def show_collection(report: CollectReport, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the summary; `verbose` names every field that could not be read, and the costs."""
    with screen_on(stream) as console:
        console.print(_headline(report))
        done = Text.assemble((f"{count(report.selected, 'node')}: ", "bold"))
        done.append(f"{report.reported:,} collected", STYLES["pass"])
        if report.unreported:
            done.append(f", {report.unreported:,} without facts", STYLES["lost"])
        console.print(done)
        for title, failures in by_kind(report.failures).items():
            show_failures(console, title, failures)
        whole = [gap for gap in report.gaps if not gap.path]
        _show_gaps(console, "Facets that could not be collected", whole)
        rest = [gap for gap in report.gaps if gap.path]
        if verbose:
            _show_gaps(console, "Fields that could not be read", rest)
        elif rest:
            console.print()
            console.print(_gap_line(rest))
        for warning in report.warnings:
            console.print(Text.assemble(("note ", STYLES["warn"]), f"{warning.node_id}: {warning.message}"))
        console.print()
        console.print(Text(f"exit {report.exit_code} {report.exit_name}", style="dim"))
        if verbose:
            console.print(Text(_costs(report), style="dim"))


def _headline(report: CollectReport) -> Text:
    line = Text.assemble(("sparkctl collect", "bold"), f"  {report.selector}  {', '.join(report.facets)}")
    line.append(f"  run {report.run_id} in {duration(report.duration_ms)}", style="dim")
    if report.simulated:
        line.append(f"  {SIMULATED}", style="bold cyan")
    if report.interrupted:
        line.append("  INTERRUPTED", style=STYLES["lost"])
    return line


def _gap_line(gaps: list[FoldedGap]) -> Text:
    reasons = sorted({gap.reason.value for gap in gaps})
    nodes = {node for gap in gaps for node in gap.nodes}
    fields = len({(gap.facet, gap.path) for gap in gaps})
    words = f"{count(fields, 'field')} could not be read on {count(len(nodes), 'node')} ({', '.join(reasons)})"
    return Text(f"{words}; -v names them", style=STYLES["unknown"])


def _show_gaps(console: Console, title: str, gaps: list[FoldedGap]) -> None:
    if not gaps:
        return
    grid = table(console, title, "unknown")
    by_nodes: dict[tuple[str, ...], list[FoldedGap]] = {}
    for gap in gaps:
        by_nodes.setdefault(tuple(gap.nodes), []).append(gap)
    for nodes, found in by_nodes.items():
        lines = [
            Text.assemble((".".join(filter(None, (gap.facet, gap.path))), STYLES["unknown"]), f"  {gap.example}",
                          (f" ({gap.reason.value})", "dim"))
            for gap in found
        ]  # fmt: skip
        grid.add_row(Text(names(nodes), "bold"), Text("\n").join(lines))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _costs(report: CollectReport) -> str:
    per_node = report.node_cpu_ms / report.reported if report.reported else 0
    return (
        f"cost: {per_node:.0f} ms of CPU on each node, {size(report.received_bytes)} received; "
        f"on this machine {report.cost.cpu_s:.1f} s of CPU and {size(report.cost.peak_rss_bytes)} of memory"
    )
