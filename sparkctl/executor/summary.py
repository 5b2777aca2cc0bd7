"""The small parts of a run record that are derived from the envelope."""

from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.vocabulary import Status

MOST_TELLING = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def summarise(envelope: HealthEnvelope | None) -> dict[str, str]:
    """The most telling status of each group of checks (`disk`, `gpu`), empty without findings."""
    groups: dict[str, Status] = {}
    for finding in envelope.data.findings if envelope and envelope.data else []:
        group = finding.check.partition(".")[0]
        groups[group] = min(finding.status, groups.get(group, finding.status), key=MOST_TELLING.index)
    return {group: groups[group].value for group in sorted(groups)}


def truncation_warnings(envelope: HealthEnvelope | None) -> list[str]:
    """What a document dropped to stay within its limit, in words."""
    dropped = envelope.meta.truncation if envelope else []
    return [f"dropped {cut.dropped} {cut.part} to stay within the limit" for cut in dropped]
