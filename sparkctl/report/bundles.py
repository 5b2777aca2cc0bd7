"""Fold the outcomes of a collection of evidence into its report, and show it."""

from typing import TextIO

from rich.text import Text

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_key, natural_sorted
from sparkctl.model.bundle import Artefact
from sparkctl.model.bundle_report import BundleReport, FoldedLoss, NodeBundle
from sparkctl.model.fleet_report import RunEnd, RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import TakenStatus, UnknownReason
from sparkctl.report.answers import Alike, Answers
from sparkctl.report.screen import STYLES, by_kind, costs, headline, notes, screen_on, show_by_nodes, show_failures
from sparkctl.report.words import count

LossKey = tuple[str, TakenStatus, UnknownReason]


class BundleTally(Answers):
    """What has been seen of a collection of evidence so far."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, str] = {}
        self._losses: dict[LossKey, Alike[Artefact]] = {}
        self._node_cpu_ms = 0

    def add(self, outcome: NodeOutcome) -> None:
        """Count one outcome."""
        if not self.count(outcome):
            return
        assert outcome.bundle is not None  # noqa: S101 - decoding guarantees it
        self._node_cpu_ms += outcome.bundle.cpu_ms
        if outcome.bundle.file is not None:
            self._files[outcome.node_id] = outcome.bundle.file
        for artefact in outcome.bundle.gaps:
            key = (artefact.collector, artefact.status, artefact.reason or UnknownReason.IO_ERROR)
            known = self._losses.get(key)
            if known is None or outcome.node_id not in known.nodes:
                Alike.note(self._losses, key, outcome.node_id, artefact)

    def exit_code(self) -> ExitCode:
        """Refusals before nodes without a bundle; what a bundle lacks, it says itself."""
        if self.refused:
            return ExitCode.REFUSED
        return ExitCode.UNJUDGED if self.unreported else ExitCode.OK

    def report(self, start: RunStart, end: RunEnd) -> BundleReport:
        """The report of the whole collection; raises ValueError when a selected node is not accounted for."""
        files = sorted(self._files.items(), key=lambda item: natural_key(item[0]))
        return BundleReport(
            **self.told(start, end, self.exit_code()),
            bundles=[NodeBundle(node_id=node, file=file) for node, file in files],
            losses=[_folded(key, alike) for key, alike in sorted(self._losses.items(), key=lambda item: item[0])],
            node_cpu_ms=self._node_cpu_ms,
        )


def _folded(key: LossKey, alike: Alike[Artefact]) -> FoldedLoss:
    collector, status, reason = key
    return FoldedLoss(
        collector=collector,
        status=status,
        reason=reason,
        nodes=natural_sorted(alike.nodes),
        example=f"{alike.words.name}: {alike.words.words or reason.value}"[:1000],
        example_node=alike.example_node,
    )


def show_bundles(report: BundleReport, stream: TextIO, *, verbose: bool = False) -> None:
    """Print the summary; `verbose` names everything that could not be taken, and the costs."""
    with screen_on(stream) as console:
        console.print(headline(report, "bundle collect"))
        done = Text.assemble((f"{count(report.selected, 'node')}: ", "bold"))
        done.append(f"{report.reported:,} sealed", STYLES["pass"])
        if report.unreported:
            done.append(f", {report.unreported:,} without a bundle", STYLES["lost"])
        console.print(done)
        for bundle in report.bundles:
            console.print(Text.assemble("  ", (bundle.node_id, "bold"), f"  {bundle.file}"))
        for title, failures in by_kind(report.failures).items():
            show_failures(console, title, failures)
        if verbose:
            show_by_nodes(console, "Not whole", "unknown", report.losses, _loss_text)
        elif report.losses:
            console.print()
            console.print(_loss_line(report.losses))
        notes(console, report.warnings)
        console.print()
        console.print(Text(f"exit {report.exit_code} {report.exit_name}", style="dim"))
        if verbose:
            console.print(Text(costs(report), style="dim"))


def _loss_line(losses: list[FoldedLoss]) -> Text:
    nodes = {node for loss in losses for node in loss.nodes}
    reasons = sorted({loss.reason.value for loss in losses})
    kinds = len({loss.collector for loss in losses})
    words = f"{count(kinds, 'collector')} could not bring all on {count(len(nodes), 'node')} ({', '.join(reasons)})"
    return Text(f"{words}; -v names them, and each bundle says what it lacks", style=STYLES["unknown"])


def _loss_text(loss: FoldedLoss) -> Text:
    why = (f" ({loss.status.value}, {loss.reason.value})", "dim")
    return Text.assemble((loss.collector, STYLES["unknown"]), f"  {loss.example}", why)
