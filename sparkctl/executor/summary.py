"""The small parts of a run record that are derived from the envelope."""

from collections import Counter

from sparkctl.model.bundle import BundleEnvelope
from sparkctl.model.control import ControlEnvelope
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.run import AnyEnvelope
from sparkctl.model.vocabulary import Status, TakenStatus

MOST_TELLING = (Status.FAIL, Status.WARN, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def summarise(envelope: AnyEnvelope | None) -> dict[str, str]:
    """A word for each part of the answer.

    The most telling status of each group of checks, how a facet was read, what is claimed of the newest end, or how
    many artefacts came how whole.
    """
    if isinstance(envelope, HealthEnvelope):
        return _statuses(envelope)
    if isinstance(envelope, ResetEnvelope):
        return _claims(envelope)
    if isinstance(envelope, BundleEnvelope):
        return _counts(envelope)
    if isinstance(envelope, ControlEnvelope):
        return {envelope.data.controller: envelope.data.result.value} if envelope.data else {}
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


def _claims(envelope: ResetEnvelope) -> dict[str, str]:
    newest = envelope.data.transitions[0].claims if envelope.data else None
    return {axis: str(claim) for axis, claim in newest} if newest else {}


def _counts(envelope: BundleEnvelope) -> dict[str, str]:
    taken = Counter(artefact.status for artefact in envelope.data.artefacts) if envelope.data else Counter()
    return {status.value: str(taken[status]) for status in TakenStatus if taken[status]}


def truncation_warnings(envelope: AnyEnvelope | None) -> list[str]:
    """What a document dropped to stay within its limit, in words."""
    dropped = envelope.meta.truncation if envelope else []
    return [f"dropped {cut.dropped} {cut.part} to stay within the limit" for cut in dropped]
