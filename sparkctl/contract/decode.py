"""From the bytes of a document to an envelope that we can stand behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError
from sparkctl.model.bundle import BundleEnvelope
from sparkctl.model.control import ANSWERS, ControlEnvelope, ControlResult
from sparkctl.model.envelope import ErrorItem, HealthEnvelope, Meta
from sparkctl.model.facts import FactsEnvelope
from sparkctl.model.health import HealthData, roll_up
from sparkctl.model.reset import ResetEnvelope
from sparkctl.model.reset_tree import contradictions
from sparkctl.model.vocabulary import Elevation, Origin

HEALTH_SCHEMA = "sparkctl.health/1"
FACTS_SCHEMA = "sparkctl.facts/1"
RESET_SCHEMA = "sparkctl.reset/1"
BUNDLE_SCHEMA = "sparkctl.bundle/1"
CONTROL_SCHEMA = "sparkctl.control/1"
EnvelopeT = TypeVar("EnvelopeT", HealthEnvelope, FactsEnvelope, ResetEnvelope, BundleEnvelope, ControlEnvelope)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a document must agree with: the limit it was given, the program that was sent, and what was asked of it.

    `checks` maps the planned checks to whether each is required, `facets` names those that were asked for, `back` is
    the end of a boot that was asked for: 0 for the newest, None for all. `control` is a controller, a phase and an act.
    """

    limit: int
    program_sha256: str
    elevation: Elevation
    origin: Origin
    checks: Mapping[str, bool] = field(default_factory=dict)
    facets: tuple[str, ...] = ()
    back: int | None = 0
    control: tuple[str, str, str] | None = None


def decode_health(document: bytes, expected: Expected) -> HealthEnvelope:
    """Validate one health document.

    It must be within its limit, come from the program that was sent and from where it was sent to, hold one finding for
    each planned check, and its roll-up must follow from its findings. Raises ContractError with a stable cause.
    """
    envelope = _decode(document, expected, HealthEnvelope, HEALTH_SCHEMA)
    assert envelope.data is not None  # noqa: S101 - `_decode` refuses a document without
    _refuse_gaps(envelope.data, expected.checks)
    return envelope


def decode_facts(document: bytes, expected: Expected) -> FactsEnvelope:
    """Validate one facts document, which must hold exactly the facets that were asked for; raises ContractError."""
    envelope = _decode(document, expected, FactsEnvelope, FACTS_SCHEMA)
    assert envelope.data is not None  # noqa: S101 - `_decode` refuses a document without
    found = {name for name, facet in envelope.data.facets if facet is not None}
    if found != set(expected.facets):
        named = ", ".join(sorted(found ^ set(expected.facets))[:5])
        raise ContractError("incomplete", f"the facets are not those that were asked for: {named}")
    return envelope


def decode_reset(document: bytes, expected: Expected) -> ResetEnvelope:
    """Validate one reset document: the ends of boots that were asked for, each claim as its own proof has it.

    Parts that contradict each other are found; a lie that all of them tell alike is not. Raises ContractError.
    """
    envelope = _decode(document, expected, ResetEnvelope, RESET_SCHEMA)
    assert envelope.data is not None  # noqa: S101 - `_decode` refuses a document without
    running = envelope.meta.node.boot_id
    found = next(contradictions(envelope.data, back=expected.back, running=running), None)
    if found is not None:
        raise ContractError("incomplete", found)
    return envelope


def decode_bundle(document: bytes, expected: Expected) -> BundleEnvelope:
    """Validate the document of one collection; raises ContractError."""
    return _decode(document, expected, BundleEnvelope, BUNDLE_SCHEMA)


def decode_control(document: bytes, expected: Expected) -> ControlEnvelope:
    """Validate what a controller answers, of the act and the phase that were asked for; raises ContractError."""
    envelope = _decode(document, expected, ControlEnvelope, CONTROL_SCHEMA)
    assert envelope.data is not None  # noqa: S101 - `_decode` refuses a document without
    asked = expected.control
    if asked is None or (envelope.data.controller, envelope.data.phase, envelope.data.act) != asked:
        raise ContractError("wrong_program", "the document answers for another act or phase than was asked for")
    may = {*ANSWERS[envelope.data.phase], ControlResult.REFUSED, ControlResult.UNKNOWN}
    if envelope.data.result not in may:
        words = f"the document answers {envelope.data.result.value}, which {envelope.data.phase.value} cannot"
        raise ContractError("wrong_program", words)
    return envelope


def _decode(document: bytes, expected: Expected, model: type[EnvelopeT], schema: str) -> EnvelopeT:
    if len(document) > expected.limit:
        raise ContractError("too_large", f"the document has {len(document)} bytes, more than {expected.limit}")
    strict_json.parse(document)
    envelope = _validate(document, model)
    _refuse_another_program(envelope.meta, expected, schema)
    if not envelope.ok or envelope.data is None:
        raise ContractError("program_failed", _first_error(envelope.errors))
    return envelope


def _refuse_another_program(meta: Meta, expected: Expected, schema: str) -> None:
    if meta.document_schema != schema:
        raise ContractError("wrong_program", f"the document has the schema {meta.document_schema}")
    if meta.program_sha256 != expected.program_sha256:
        raise ContractError("wrong_program", "the document names another program than the one that was sent")
    if meta.elevation is not expected.elevation:
        raise ContractError("wrong_program", f"the program ran with elevation {meta.elevation.value}, unasked")
    if meta.origin is not expected.origin:
        raise ContractError(
            "wrong_program",
            f"the document is {meta.origin.value}, the inventory says {expected.origin.value}: mark the nodes of a lab,"
            " and no others, with `simulated: true`",
        )


def _validate(document: bytes, model: type[EnvelopeT]) -> EnvelopeT:
    try:
        return model.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:200] or "the document"
        raise ContractError(
            "schema_violation",
            _VIOLATIONS.get(first["type"], "{where}: {what}").format(where=where, what=first["msg"][:200]),
        ) from error


_VIOLATIONS = {
    "extra_forbidden": "the document has a field that is not in its schema: {where}",
    "missing": "the document lacks the field {where}",
    "string_pattern_mismatch": "{where} holds characters that it may not",
}


def _first_error(items: Sequence[ErrorItem]) -> str:
    errors = [item for item in items if item.severity == "error"]
    return f"{errors[0].code}: {errors[0].message}" if errors else "the program says that it failed, without a reason"


def _refuse_gaps(data: HealthData, checks: Mapping[str, bool]) -> None:
    found = {finding.check: finding.required for finding in data.findings}
    missing, surplus = sorted(checks.keys() - found.keys()), sorted(found.keys() - checks.keys())
    if missing or surplus or len(found) != len(data.findings):
        named = ", ".join([*(f"no {name}" for name in missing), *(f"unplanned {name}" for name in surplus)][:5])
        raise ContractError("incomplete", f"the findings are not the planned ones: {named or 'one stands twice'}")
    if found != dict(checks):
        raise ContractError("incomplete", "the document says otherwise which checks are required")
    if roll_up(data.findings) != data.rollup:
        raise ContractError("incomplete", "the roll-up does not follow from the findings")
