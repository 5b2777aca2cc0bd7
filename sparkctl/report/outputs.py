"""How a sweep is shown while it runs and when it ends: a screen for people, JSON for everything else."""

import sys
from collections.abc import Collection
from typing import Protocol, TextIO

from sparkctl.model.alert import AlertNews
from sparkctl.model.bundle_report import BundleReport
from sparkctl.model.collection import CollectReport
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reports import RunReport
from sparkctl.model.sweep import SweepReport

Report = RunReport
"""What a run ends with."""


class SweepOutput(Protocol):
    """Takes the outcomes of a sweep as they come, then its report."""

    def begin(self, selected: int) -> None:
        """The sweep begins with this many nodes."""

    def outcome(self, outcome: NodeOutcome) -> None:
        """One node is done."""

    def tick(self, awaited: Collection[str]) -> None:
        """Time has passed; these nodes are being visited."""

    def end(self, report: Report) -> None:
        """All are done."""

    def alerts(self, news: AlertNews) -> None:
        """Alerts were brought up to date, after the end."""


class JsonLines:
    """One record per node as it finishes, the report as the last line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, selected: int) -> None:
        """Nothing is printed before the first record."""

    def outcome(self, outcome: NodeOutcome) -> None:
        """Print the record as one line."""
        self._stream.write(outcome.record + "\n")
        self._stream.flush()

    def tick(self, awaited: Collection[str]) -> None:
        """Nothing is printed between records."""

    def end(self, report: Report) -> None:
        """Print the report as one line."""
        self._stream.write(report.model_dump_json() + "\n")
        self._stream.flush()

    def alerts(self, news: AlertNews) -> None:
        """Whoever reads records asks for alerts by themselves; what is wrong with these is said."""
        _say_troubles(news, sys.stderr)


class JsonDocument:
    """One JSON object, `{"records": [...], "report": {...}}`, written as the records come."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._first = True

    def begin(self, selected: int) -> None:  # noqa: ARG002 - only a screen counts down
        """Open the object."""
        self._stream.write('{"records":[')

    def outcome(self, outcome: NodeOutcome) -> None:
        """Add a record."""
        self._stream.write(("\n" if self._first else ",\n") + outcome.record)
        self._first = False

    def tick(self, awaited: Collection[str]) -> None:
        """Nothing is printed between records."""

    def end(self, report: Report) -> None:
        """Add the report and close the object."""
        self._stream.write('\n],"report":' + report.model_dump_json() + "}\n")
        self._stream.flush()

    def alerts(self, news: AlertNews) -> None:
        """Whoever reads records asks for alerts by themselves; what is wrong with these is said."""
        _say_troubles(news, sys.stderr)


class Screen:
    """A progress line while the sweep runs, the summary when it ends."""

    def __init__(self, stdout: TextIO, stderr: TextIO, *, verbose: bool) -> None:
        self._stdout, self._stderr, self._verbose = stdout, stderr, verbose
        self._done = 0

    def begin(self, selected: int) -> None:
        """Start the progress line."""
        # rich is only paid for by those who look at a screen.
        from sparkctl.report.progress import ProgressLine  # noqa: PLC0415

        self._progress = ProgressLine(self._stderr, selected)

    def outcome(self, outcome: NodeOutcome) -> None:  # noqa: ARG002 - the summary comes from the report
        """Count it."""
        self._done += 1

    def tick(self, awaited: Collection[str]) -> None:
        """Draw the progress line."""
        self._progress.draw(self._done, awaited)

    def end(self, report: Report) -> None:
        """Print the summary."""
        self._progress.clear()
        if isinstance(report, SweepReport):
            from sparkctl.report.screen import show_sweep  # noqa: PLC0415

            show_sweep(report, self._stdout, verbose=self._verbose)
        elif isinstance(report, CollectReport):
            from sparkctl.report.collection import show_collection  # noqa: PLC0415

            show_collection(report, self._stdout, verbose=self._verbose)
        elif isinstance(report, BundleReport):
            from sparkctl.report.bundles import show_bundles  # noqa: PLC0415

            show_bundles(report, self._stdout, verbose=self._verbose)
        else:
            from sparkctl.report.reset import show_resets  # noqa: PLC0415

            show_resets(report, self._stdout, verbose=self._verbose)

    def alerts(self, news: AlertNews) -> None:
        """One line where something is new; what is wrong with alerts is said."""
        if news.words:
            self._stdout.write(f"{news.words}: sparkctl alerts list\n")
            self._stdout.flush()
        _say_troubles(news, self._stderr)


def _say_troubles(news: AlertNews, stderr: TextIO) -> None:
    for words in news.troubles:
        stderr.write(f"sparkctl: {words}\n")
    stderr.flush()


class Forgiving:
    """An output whose reader may leave: what it prints is lost then, the sweep and its exit code are not."""

    def __init__(self, output: SweepOutput) -> None:
        self._output: SweepOutput | None = output

    def begin(self, selected: int) -> None:
        """Pass it on while somebody reads."""
        self._pass_on("begin", selected)

    def outcome(self, outcome: NodeOutcome) -> None:
        """Pass it on while somebody reads."""
        self._pass_on("outcome", outcome)

    def tick(self, awaited: Collection[str]) -> None:
        """Pass it on while somebody reads."""
        self._pass_on("tick", awaited)

    def end(self, report: Report) -> None:
        """Pass it on while somebody reads."""
        self._pass_on("end", report)

    def alerts(self, news: AlertNews) -> None:
        """Pass it on while somebody reads."""
        self._pass_on("alerts", news)

    def _pass_on(self, method: str, content: object) -> None:
        if self._output is None:
            return
        try:
            getattr(self._output, method)(content)
        except BrokenPipeError:
            self._output = None
