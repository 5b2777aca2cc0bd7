"""A schedule's last run as Prometheus text, for the textfile collector of node_exporter.

https://prometheus.io/docs/instrumenting/exposition_formats/; that collector takes no time stamps beside values.
"""

from collections.abc import Iterator
from datetime import datetime

from sparkctl.model.schedule import Heartbeat, Schedule, ScheduleOutcome, Skips

_PREFIX = "sparkctl_schedule_"


def metrics(schedule: Schedule, heartbeat: Heartbeat | None, skips: Skips) -> str:
    """The file of one schedule. Its help texts are the same for all, as the collector demands."""
    label = f'{{schedule="{schedule.name}"}}'
    lines = []
    for name, kind, words, value in _values(schedule, heartbeat, skips):
        lines += [f"# HELP {_PREFIX}{name} {words}", f"# TYPE {_PREFIX}{name} {kind}"]
        lines.append(f"{_PREFIX}{name}{label} {value}")
    return "\n".join(lines) + "\n"


def _values(
    schedule: Schedule, heartbeat: Heartbeat | None, skips: Skips
) -> Iterator[tuple[str, str, str, int | float | str]]:
    yield "max_age_seconds", "gauge", "Age of the last done run from which something is wrong.", schedule.max_age_s
    yield "skips_total", "counter", "Starts at which another run held the lock.", skips.total
    yield "skips_in_a_row", "gauge", "Skips since the last run.", skips.in_a_row
    if heartbeat is None:
        return
    done = int(heartbeat.outcome is ScheduleOutcome.DONE)
    yield "last_run_done", "gauge", "Whether the last run did its work, whatever it found.", done
    yield "last_run_end_timestamp_seconds", "gauge", "When the last run ended.", _stamp(heartbeat.finished_at)
    seconds = (heartbeat.finished_at - heartbeat.started_at).total_seconds()
    yield "last_run_duration_seconds", "gauge", "How long the last run took.", round(max(seconds, 0), 3)
    if heartbeat.exit_code is not None:
        yield "last_run_exit_code", "gauge", "Exit code of the last run.", heartbeat.exit_code
    if heartbeat.last_done_at is not None:
        yield "last_done_timestamp_seconds", "gauge", "When a run last did its work.", _stamp(heartbeat.last_done_at)
    if heartbeat.coverage is not None:
        yield "nodes_selected", "gauge", "Nodes that the last run selected.", heartbeat.coverage.selected
        yield "nodes_reported", "gauge", "Nodes that reported in the last run.", heartbeat.coverage.reported
    if heartbeat.completeness is not None:
        yield "completeness_ratio", "gauge", "Checks evaluated of those that apply.", heartbeat.completeness


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())
