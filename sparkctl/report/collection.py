"""Fold the outcomes of a collection into its report, and show it."""

from typing import TextIO

from rich.text import Text

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_sorted
from sparkctl.model.collection import CollectReport, FoldedGap
from sparkctl.model.facets.base import Gap
from sparkctl.model.fleet_report import RunEnd, RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import UnknownReason
from sparkctl.report.answers import Alike, Answers
from sparkctl.report.screen import STYLES, by_kind, costs, headline, notes, screen_on, show_by_nodes, show_failures
from sparkctl.report.words import count

GapKey = tuple[str, str, UnknownReason]


class CollectTally(Answers):
    """What has been seen of a collection so far."""

    def __init__(self, facets: tuple[str, ...]) -> None:
        super().__init__()
        self._facets = facets
        self._gaps: dict[GapKey, Alike[Gap]] = {}
        self._whole_facets_missing = False
        self._node_cpu_ms = 0

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""
        if not self.count(outcome):
            return
        assert outcome.facts is not None  # noqa: S101 - decoding guarantees it
        self._node_cpu_ms += outcome.facts.cpu_ms
        for facet, gaps in outcome.facts.gaps.items():
            for gap in gaps:
                self._whole_facets_missing |= not gap.path
                Alike.note(self._gaps, (facet, gap.path, gap.reason), outcome.node_id, gap)

    def exit_code(self) -> ExitCode:
        """Refusals before what could not be collected; a field that could not be read is no failure."""
        if self.refused:
            return ExitCode.REFUSED
        return ExitCode.UNJUDGED if self.unreported or self._whole_facets_missing else ExitCode.OK

    def report(self, start: RunStart, end: RunEnd) -> CollectReport:
        """The report of the whole collection; raises ValueError when a selected node is not accounted for."""
        return CollectReport(
            **self.told(start, end, self.exit_code()),
            facets=list(self._facets),
            gaps=[_folded(key, alike) for key, alike in sorted(self._gaps.items(), key=lambda item: item[0])],
            node_cpu_ms=self._node_cpu_ms,
        )


def _folded(key: GapKey, alike: Alike[Gap]) -> FoldedGap:
    facet, path, reason = key
    return FoldedGap(
        facet=facet,
        path=path,
        reason=reason,
        nodes=natural_sorted(alike.nodes),
        example=alike.words.summary,
        example_node=alike.example_node,
    )


def show_collection(report: CollectReport, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the summary; `verbose` names every field that could not be read, and the costs."""
    with screen_on(stream) as console:
        console.print(headline(report, "collect", ", ".join(report.facets)))
        done = Text.assemble((f"{count(report.selected, 'node')}: ", "bold"))
        done.append(f"{report.reported:,} collected", STYLES["pass"])
        if report.unreported:
            done.append(f", {report.unreported:,} without facts", STYLES["lost"])
        console.print(done)
        for title, failures in by_kind(report.failures).items():
            show_failures(console, title, failures)
        whole = [gap for gap in report.gaps if not gap.path]
        show_by_nodes(console, "Facets that could not be collected", "unknown", whole, _gap_text)
        rest = [gap for gap in report.gaps if gap.path]
        if verbose:
            show_by_nodes(console, "Fields that could not be read", "unknown", rest, _gap_text)
        elif rest:
            console.print()
            console.print(_gap_line(rest))
        notes(console, report.warnings)
        console.print()
        console.print(Text(f"exit {report.exit_code} {report.exit_name}", style="dim"))
        if verbose:
            console.print(Text(costs(report), style="dim"))


def _gap_line(gaps: list[FoldedGap]) -> Text:
    reasons = sorted({gap.reason.value for gap in gaps})
    nodes = {node for gap in gaps for node in gap.nodes}
    fields = len({(gap.facet, gap.path) for gap in gaps})
    words = f"{count(fields, 'field')} could not be read on {count(len(nodes), 'node')} ({', '.join(reasons)})"
    return Text(f"{words}; -v names them", style=STYLES["unknown"])


def _gap_text(gap: FoldedGap) -> Text:
    field = ".".join(filter(None, (gap.facet, gap.path)))
    return Text.assemble((field, STYLES["unknown"]), f"  {gap.example}", (f" ({gap.reason.value})", "dim"))
