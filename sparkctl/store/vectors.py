"""The vector of a visit: how it ended and, by digest, what held; short, and shared by all visits that were alike."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sparkctl.model.canonical import Json, canonical_json
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.vocabulary import Cause, Origin, Outcome, Stage, Status

HEALTH = "health"
"""The part of a node that a verdict tells of."""


@dataclass(frozen=True, slots=True)
class Vector:
    """`parts` maps `health` or the name of a facet to the digest of its document."""

    outcome: Outcome
    stage: Stage | None = None
    cause: Cause | None = None
    worst: Status | None = None
    completeness: float | None = None
    origin: Origin | None = None
    parts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Vector":
        """Read a stored vector."""
        found: dict[str, Any] = json.loads(text)
        return cls(
            outcome=Outcome(found["outcome"]),
            stage=Stage(found["stage"]) if "stage" in found else None,
            cause=Cause(found["cause"]) if "cause" in found else None,
            worst=Status(found["worst"]) if "worst" in found else None,
            completeness=found.get("completeness"),
            origin=Origin(found["origin"]) if "origin" in found else None,
            parts=found.get("parts", {}),
        )


def vector_of(outcome: NodeOutcome, parts: Mapping[str, str]) -> str:
    """The vector of an outcome as canonical JSON; `parts` are digests by name."""
    if outcome.failure is not None:
        failure = outcome.failure
        return canonical_json(
            {"outcome": Outcome.UNREPORTED.value, "stage": failure.stage.value, "cause": failure.cause.value}
        ).decode()
    substance = outcome.judgement or outcome.facts or outcome.reset or outcome.bundle
    assert substance is not None  # noqa: S101 - an outcome without a failure has one of them
    rollup = outcome.judgement.rollup if outcome.judgement else None
    seen: dict[str, Json] = {
        "outcome": Outcome.REPORTED.value,
        "origin": substance.origin.value,
        "worst": rollup.worst.value if rollup and rollup.worst else None,
        "completeness": rollup.completeness if rollup else None,
        "parts": {**parts},
    }
    return canonical_json({name: value for name, value in seen.items() if value is not None}).decode()
