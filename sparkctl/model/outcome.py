"""What the bastion keeps at hand of one visit, once its record is text: enough to count it, show it and store it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sparkctl.model.bundle import Artefact, BundleEnvelope
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.facets.base import Gap
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.health import Finding, Rollup
from sparkctl.model.reset import Claims, ResetEnvelope, UnknownReason
from sparkctl.model.reset_report import Certainty
from sparkctl.model.reset_words import Antecedent
from sparkctl.model.run import Failure, RunRecord
from sparkctl.model.vocabulary import Origin, Status, TakenStatus
from sparkctl.model.witnesses import BOOT_ID

NOTABLE = (Status.FAIL, Status.WARN, Status.UNKNOWN)
"""The statuses that a sweep names nodes for, the most pressing first."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The substance of a report.

    `verdict` is one line `CHECK STATUS` for each check, sorted; nodes that are alike have the same. `notable` are the
    findings that failed, warned or stayed unknown. `cpu_ms` is what the node spent.
    """

    rollup: Rollup
    verdict: str
    notable: tuple[Finding, ...]
    origin: Origin
    cpu_ms: int

    @classmethod
    def of(cls, envelope: HealthEnvelope) -> Self | None:
        """The judgement in an envelope, None when it has none."""
        if envelope.data is None:
            return None
        found = envelope.data.findings
        return cls(
            rollup=envelope.data.rollup,
            verdict="\n".join(sorted(f"{finding.check} {finding.status}" for finding in found)),
            notable=tuple(finding for finding in found if finding.status in NOTABLE),
            origin=envelope.meta.origin,
            cpu_ms=envelope.meta.cost.cpu_ms,
        )


def statuses(verdict: str) -> dict[str, Status]:
    """The status of each check in a verdict."""
    pairs = (line.split(" ", 1) for line in verdict.splitlines())
    return {check: Status(status) for check, status in pairs}


@dataclass(frozen=True, slots=True)
class Facts:
    """The substance of a facts document: canonical JSON of each facet, without what changes by itself.

    A facet of which nothing could be read has no data and a gap that covers it. `gaps` are all gaps by facet. `cpu_ms`
    is what the node spent.
    """

    facets: Mapping[str, str]
    gaps: Mapping[str, tuple[Gap, ...]]
    origin: Origin
    cpu_ms: int

    @classmethod
    def of(cls, envelope: FactsEnvelope) -> Self | None:
        """The facts in an envelope, None when it has none."""
        if envelope.data is None:
            return None
        found = {name: facet for name, facet in envelope.data.facets if facet is not None}
        return cls(
            facets={name: facet.text for name, facet in found.items()},
            gaps={name: tuple(facet.gaps) for name, facet in found.items()},
            origin=envelope.meta.origin,
            cpu_ms=envelope.meta.cost.cpu_ms,
        )


@dataclass(frozen=True, slots=True)
class BootEnd:
    """How one boot ended, in few words, with what is claimed, why no more is, and what was seen of it before.

    What belongs to no boot that is known is not among `antecedents`.
    """

    from_boot_id: str | None
    to_boot_id: str | None
    words: str
    claims: Claims
    expected: Certainty
    data_at_risk: Certainty
    antecedents: tuple[Antecedent, ...]
    unknown: tuple[UnknownReason, ...]


@dataclass(frozen=True, slots=True)
class BundleSeen:
    """The substance of a collection: where its bundle lies, what could not be taken, and what it cost the node."""

    file: str | None
    gaps: tuple[Artefact, ...]
    origin: Origin
    cpu_ms: int

    @classmethod
    def of(cls, envelope: BundleEnvelope, artifacts: Sequence[str]) -> Self | None:
        """The substance of an envelope, None when it has no data."""
        if envelope.data is None:
            return None
        gaps = (one for one in envelope.data.artefacts if one.status in (TakenStatus.MISSING, TakenStatus.PARTIAL))
        return cls(next(iter(artifacts), None), tuple(gaps), envelope.meta.origin, envelope.meta.cost.cpu_ms)


@dataclass(frozen=True, slots=True)
class ResetSeen:
    """The substance of a reset document: the ends that were asked for, newest first, and what to arm on the node.

    `cpu_ms` is what the node spent.
    """

    ends: tuple[BootEnd, ...]
    arm_now: tuple[str, ...]
    origin: Origin
    cpu_ms: int

    @classmethod
    def of(cls, envelope: ResetEnvelope) -> Self | None:
        """What an envelope says, None when it has no data."""
        if envelope.data is None:
            return None
        transitions = envelope.data.transitions
        bound = {one.id for one in envelope.data.observations if one.boot_id is not None}
        return cls(
            ends=tuple(
                BootEnd(
                    from_boot_id=one.from_boot_id,
                    to_boot_id=one.to_boot_id,
                    words=one.flat.words,
                    claims=one.claims,
                    expected=one.flat.expected,
                    data_at_risk=one.flat.data_at_risk,
                    antecedents=tuple(
                        dict.fromkeys(seen.kind for seen in one.antecedents if bound.intersection(seen.observations))
                    ),
                    unknown=tuple(one.unknown_reasons),
                )
                for one in transitions
            ),
            arm_now=tuple(dict.fromkeys(advice for one in transitions for advice in one.arm_now)),
            origin=envelope.meta.origin,
            cpu_ms=envelope.meta.cost.cpu_ms,
        )


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """One visit as the run goes on with it: a judgement, facts, ends of boots or a failure, and its record as JSON.

    The record's objects weigh ten times its text, so they end with the visit, and the text is made only once: what is
    printed, stored and hashed are the same bytes. `boot_id` is that of the boot that answered, None where it is none;
    `witnesses` is what it has armed, as JSON, where the visit brought that.
    """

    run_id: str
    node_id: str
    ts: datetime
    simulated: bool
    warnings: tuple[str, ...]
    received_bytes: int
    judgement: Judgement | None
    facts: Facts | None
    reset: ResetSeen | None
    bundle: BundleSeen | None
    failure: Failure | None
    boot_id: str | None
    witnesses: str | None
    record: str

    @classmethod
    def of(cls, record: RunRecord) -> Self:
        """The outcome that a record tells of."""
        return cls(
            run_id=record.run_id,
            node_id=record.node_id,
            ts=record.ts,
            simulated=record.simulated,
            warnings=tuple(record.warnings),
            received_bytes=record.visit.received_bytes if record.visit else 0,
            judgement=Judgement.of(record.envelope) if isinstance(record.envelope, HealthEnvelope) else None,
            facts=Facts.of(record.envelope) if isinstance(record.envelope, FactsEnvelope) else None,
            reset=ResetSeen.of(record.envelope) if isinstance(record.envelope, ResetEnvelope) else None,
            bundle=_bundle(record),
            failure=record.failure,
            boot_id=_boot_id(record),
            witnesses=_witnesses(record),
            record=record.model_dump_json(),
        )


def _bundle(record: RunRecord) -> BundleSeen | None:
    envelope = record.envelope
    return BundleSeen.of(envelope, record.artifacts) if isinstance(envelope, BundleEnvelope) else None


def _boot_id(record: RunRecord) -> str | None:
    """The boot that answered, if what it says of itself is a boot id."""
    said = record.envelope.meta.node.boot_id if record.envelope else None
    return said if said is not None and BOOT_ID.fullmatch(said) else None


def _witnesses(record: RunRecord) -> str | None:
    """What the boot that answered has armed, where it is that boot that says so."""
    data = record.envelope.data if isinstance(record.envelope, HealthEnvelope | ResetEnvelope) else None
    said = data.witnesses if data else None
    return said.model_dump_json() if said is not None and said.boot_id == _boot_id(record) else None
