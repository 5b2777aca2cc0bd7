"""Prometheus' text format, for the textfile collector of node_exporter, which takes no time stamps beside values.

A value is there only where it may be taken for the present: of a node that did not answer its newest visit, what was
measured before is left out, and the moments say since when.
"""

from collections.abc import Iterable, Iterator

from sparkctl.export.fields import Section, Told
from sparkctl.export.format import Format
from sparkctl.export.measures import CHECK, COMPLETENESS, FAMILIES, VALUE, Family, Measure, measures
from sparkctl.export.subject import Subject

_OF_THE_PRESENT = (CHECK, VALUE, COMPLETENESS)
EXPORT = Family("sparkctl_export_timestamp_seconds", "When this file was written.", "(export)", "s")


def label_value(text: str) -> str:
    """A label's value: backslash, quote and end of line are escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """A value as the format writes it."""
    return repr(value) if isinstance(value, float) and not value.is_integer() else str(int(value))


def sample(node: str, measure: Measure) -> str:
    """One line."""
    labels = ",".join(f'{name}="{label_value(text)}"' for name, text in (("node", node), *measure.labels))
    return f"{measure.family.name}{{{labels}}} {number(measure.value)}\n"


def _may_be_shown(subject: Subject, measure: Measure) -> bool:
    return subject.reported is not False or measure.family not in _OF_THE_PRESENT


def _pieces(nodes: Iterable[Subject]) -> Iterator[str]:
    """Lines of one metric have to stand together, so that every node is read before the first line is written."""
    lines: dict[str, list[str]] = {family.name: [] for family in FAMILIES}
    exported_at = None
    for subject in nodes:
        exported_at = subject.at
        for measure in measures(subject):
            if _may_be_shown(subject, measure):
                lines[measure.family.name].append(sample(subject.name, measure))
    if exported_at is not None:
        yield f"{_head(EXPORT)}{EXPORT.name} {number(round(exported_at.timestamp(), 3))}\n"
    for family in FAMILIES:
        if lines[family.name]:
            yield _head(family) + "".join(lines[family.name])


def _head(family: Family) -> str:
    return f"# HELP {family.name} {family.help}\n# TYPE {family.name} gauge\n"


def _row(family: Family) -> Told:
    absent = " Absent of a node that did not answer its newest visit." if family in _OF_THE_PRESENT else ""
    return Told(family.name, family.source, family.help + absent)


PROMETHEUS = Format(
    name="prometheus",
    title="metrics in Prometheus' text format",
    target="text format 0.0.4",
    sections=(Section("Metrics", "node (label `node`)", tuple(map(_row, (EXPORT, *FAMILIES)))),),
    pieces=_pieces,
    streams=False,
)
