"""How a run that asked how boots ended is shown: the fleet on one screen, a single node as the whole proof."""

from typing import TextIO

from rich.text import Text

from sparkctl.errors import ExitCode
from sparkctl.inventory.ranges import natural_sorted
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_report import ResetReport
from sparkctl.model.run import RunRecord
from sparkctl.report.outputs import Report, Screen
from sparkctl.report.reset import ends_in_words, show_from_here, show_resets
from sparkctl.report.reset_one import show_node
from sparkctl.report.reset_timeline import show_timeline
from sparkctl.report.screen import headline, notes, screen_on


class ResetScreen(Screen):
    """A progress line while the run goes on; at its end proofs and pictures where they are wanted, then the summary.

    The proof is shown of a single node, and of all with `verbose`. The records that this takes are kept as text.
    """

    def __init__(self, stdout: TextIO, stderr: TextIO, *, verbose: bool, timeline: bool) -> None:
        super().__init__(stdout, stderr, verbose=verbose)
        self._timeline = timeline
        self._all = verbose or timeline
        self._kept: dict[str, str] = {}

    def begin(self, selected: int) -> None:
        """Start the progress line."""
        super().begin(selected)
        self._all |= selected == 1

    def outcome(self, outcome: NodeOutcome) -> None:
        """Count it, and keep it where it will be shown."""
        super().outcome(outcome)
        if self._all and outcome.reset is not None:
            self._kept[outcome.node_id] = outcome.record

    def end(self, report: Report) -> None:
        """Print what is wanted."""
        assert isinstance(report, ResetReport)  # noqa: S101 - a run of this kind ends with no other
        self._progress.clear()
        alone = report.selected == len(self._kept) == 1
        if alone:
            with screen_on(self._stdout) as console:
                console.print(headline(report, "reset-reason", ends_in_words(report.asked)))
                notes(console, report.warnings)
                console.print()
        for node_id in natural_sorted(self._kept):
            envelope = RunRecord.model_validate_json(self._kept[node_id]).envelope
            assert isinstance(envelope, ResetEnvelope)  # noqa: S101 - nothing else was kept
            show_answer(node_id, envelope, self._stdout, whole=alone or self._verbose, verbose=self._verbose,
                        timeline=self._timeline)  # fmt: skip
        if alone:
            with screen_on(self._stdout) as console:
                show_from_here(report, next(iter(self._kept)), console)
            show_exit(ExitCode(report.exit_code), self._stdout)
        else:
            show_resets(report, self._stdout, verbose=self._verbose)


def show_answer(
    title: str, envelope: ResetEnvelope, stream: TextIO, *, whole: bool, verbose: bool, timeline: bool
) -> None:
    """Print one node: the proof where it is wanted `whole`, and the picture."""
    if whole:
        show_node(title, envelope, stream, verbose=verbose)
        stream.write("\n")
    if timeline:
        show_timeline(title, envelope, stream)
        stream.write("\n")


def show_exit(code: ExitCode, stream: TextIO) -> None:
    """Print the last line, which says what the exit code will be."""
    with screen_on(stream) as console:
        console.print(Text(f"exit {code.value} {code.name.lower()}", style="dim"))
