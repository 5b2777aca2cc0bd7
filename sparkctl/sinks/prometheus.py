"""The last run of each kind as Prometheus text, for the textfile collector of node_exporter.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparkctl.atomic_file import replace_file
from sparkctl.model.event import EventKind
from sparkctl.model.reports import COMMAND_OF
from sparkctl.model.sink import Answer, Parcel, Result, SinkSettings
from sparkctl.sinks.seam import SinkTrouble, accepted, reason, refused

PREFIX = "sparkctl_last_run_"
_FINISHED = re.compile(rf"^{PREFIX}finished_timestamp_seconds\{{[^}}]*\}} ([0-9]+(?:\.[0-9]+)?)$", re.MULTILINE)
_GAUGES = (
    ("nodes_selected", "selected", "Nodes that the run selected."),
    ("nodes_reported", "reported", "Nodes that reported."),
    ("nodes_unreported", "unreported", "Nodes that did not report."),
    ("exit_code", "exit_code", "Exit code of the run."),
    ("completeness_ratio", "completeness", "Checks evaluated of those that apply."),
)


class PrometheusSink:
    """A file for each kind of run in a folder; each is replaced as a whole, and never by an older run."""

    def __init__(self, settings: SinkSettings) -> None:
        self._folder = Path(settings.address.path)

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:  # noqa: ARG002 - a disk has no time limits
        """Write what the runs of a batch came to."""
        results: list[Result] = []
        for parcel in batch:
            try:
                results.append(self._write(parcel))
            except OSError as error:
                return Answer(results, SinkTrouble(f"{self._folder}: {reason(error)}").down, 1)
        return Answer(results)

    def _write(self, parcel: Parcel) -> Result:
        told = parcel.told
        if told.kind is EventKind.TEST:
            with tempfile.TemporaryFile(dir=self._folder):
                return accepted(f"{self._folder} can be written to")
        command = COMMAND_OF.get(told.body_schema)
        if command is None:
            return refused(f"there are no metrics of a {told.kind}")
        path = self._folder / f"sparkctl_last_run_{command.replace(' ', '-')}.prom"
        finished = told.at.timestamp()
        if (before := _finished(path)) is not None and before > finished:
            return accepted("a newer run is there")
        text = metrics(command, finished, json.loads(told.body), simulated=told.simulated)
        replace_file(path, text.encode(), 0o644)  # who collects metrics is somebody else, and may read them
        return accepted(f"written to {path}")

    def close(self) -> None:
        """Nothing stays open."""


def metrics(kind: str, finished: float, report: dict[str, Any], *, simulated: bool) -> str:
    """The file of one kind of run. Its help texts are the same for all, as the collector demands."""
    label = f'{{run="{kind}",simulated="{"true" if simulated else "false"}"}}'
    values = [(name, words, report[key]) for name, key, words in _GAUGES if key in report]
    values.append(("duration_seconds", "How long the run took.", report["duration_ms"] / 1000))
    values.append(("finished_timestamp_seconds", "When the run ended.", round(finished, 3)))
    lines = []
    for name, words, value in values:
        lines += [f"# HELP {PREFIX}{name} {words}", f"# TYPE {PREFIX}{name} gauge", f"{PREFIX}{name}{label} {value}"]
    return "\n".join(lines) + "\n"


def _finished(path: Path) -> float | None:
    try:
        found = _FINISHED.search(path.read_text("utf-8", "replace"))
    except FileNotFoundError:
        return None
    return float(found[1]) if found else None
