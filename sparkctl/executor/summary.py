"""The small parts of a run record that are derived from the envelope."""

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.vocabulary import Status

MOST_TELLING = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def summarise(envelope: HealthEnvelope | FactsEnvelope | None) -> dict[str, str]:
    """A word for each part of the answer: the most telling status of each group of checks, or how a facet was read."""
    if isinstance(envelope, HealthEnvelope):
        return _statuses(envelope)
    return _readings(envelope) if envelope else {}


def _statuses(envelope: HealthEnvelope) -> dict[str, str]:
    groups: dict[str, Status] = {}
    for finding in envelope.data.findings if envelope.data else []:
        group = finding.check.partition(".")[0]
        groups[group] = min(finding.status, groups.get(group, finding.status), key=MOST_TELLING.index)
    return {group: groups[group].value for group in sorted(groups)}


def _readings(envelope: FactsEnvelope) -> dict[str, str]:
    facets = {name: facet for name, facet in envelope.data.facets if facet is not None} if envelope.data else {}
    return {
        name: "unknown" if facet.data is None else "partial" if facet.gaps else "read" for name, facet in facets.items()
    }


def truncation_warnings(envelope: HealthEnvelope | FactsEnvelope | None) -> list[str]:
    """What a document dropped to stay within its limit, in words."""
    dropped = envelope.meta.truncation if envelope else []
    return [f"dropped {cut.dropped} {cut.part} to stay within the limit" for cut in dropped]
