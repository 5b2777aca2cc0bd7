"""From the bytes of a document to an envelope that we can stand behind."""

from pydantic import ValidationError

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.health import roll_up

HEALTH_SCHEMA = "sparkctl.health/1"


def decode_health(document: bytes, *, limit: int, program_sha256: str, checks: frozenset[str]) -> HealthEnvelope:
    """Validate one health document.

    The document must be within `limit` bytes, come from the program that was sent, hold one finding for each of
    `checks`, and its roll-up must follow from its findings. Raises ContractError with a stable cause.
    """
    if len(document) > limit:
        raise ContractError("too_large", f"the document has {len(document)} bytes, more than the {limit} allowed")
    strict_json.parse(document)
    envelope = _validate(document)
    if envelope.meta.document_schema != HEALTH_SCHEMA:
        raise ContractError("wrong_program", f"the document has the schema {envelope.meta.document_schema}")
    if envelope.meta.program_sha256 != program_sha256:
        raise ContractError("wrong_program", "the document names another program than the one that was sent")
    if not envelope.ok or envelope.data is None:
        raise ContractError("program_failed", _first_error(envelope))
    _refuse_gaps(envelope, checks)
    return envelope


def _validate(document: bytes) -> HealthEnvelope:
    try:
        return HealthEnvelope.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ContractError("schema_violation", f"{where[:200]}: {first['msg'][:200]}") from error


def _first_error(envelope: HealthEnvelope) -> str:
    errors = [item for item in envelope.errors if item.severity == "error"]
    return f"{errors[0].code}: {errors[0].message}" if errors else "the program says that it failed, without a reason"


def _refuse_gaps(envelope: HealthEnvelope, checks: frozenset[str]) -> None:
    assert envelope.data is not None  # noqa: S101 - checked by the caller; this tells the type checker
    found = [finding.check for finding in envelope.data.findings]
    missing, surplus = sorted(checks - set(found)), sorted(set(found) - checks)
    if missing or surplus or len(found) != len(set(found)):
        named = ", ".join([*(f"no {name}" for name in missing), *(f"unplanned {name}" for name in surplus)][:5])
        raise ContractError(
            "incomplete", f"the findings are not those that were planned: {named or 'one stands twice'}"
        )
    if roll_up(envelope.data.findings) != envelope.data.rollup:
        raise ContractError("incomplete", "the roll-up does not follow from the findings")
