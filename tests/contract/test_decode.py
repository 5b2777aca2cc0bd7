"""Only whole, truthful documents of the program that was sent become envelopes."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sparkctl.contract.decode import Expected, decode_health
from sparkctl.errors import ContractError
from sparkctl.model.vocabulary import Cause, Elevation, Origin
from tests.support.envelopes import PROGRAM, envelope, finding

CHECKS = {"disk.space": True}
EXPECTED = Expected(262144, PROGRAM, Elevation.NONE, Origin.LIVE, CHECKS)


def decode(document: dict[str, Any] | bytes, expected: Expected = EXPECTED) -> None:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    decode_health(text, expected)


def changed(**parts: Any) -> dict[str, Any]:
    return {**envelope(), **parts}


def with_finding(**parts: Any) -> dict[str, Any]:
    document = envelope()
    document["data"]["findings"][0].update(parts)
    return document


def test_a_good_document_is_taken() -> None:
    decode(envelope())


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        (changed(extra=1), Cause.SCHEMA_VIOLATION),
        (changed(ok="yes"), Cause.SCHEMA_VIOLATION),
        (envelope(collected_at_utc="2026-11-25T08:00:00"), Cause.SCHEMA_VIOLATION),
        (envelope(collected_at_utc="2026-11-25T08:00:00+01:00"), Cause.SCHEMA_VIOLATION),
        (with_finding(summary="red \x1b[31malert"), Cause.SCHEMA_VIOLATION),
        (with_finding(summary="right \u202eto left"), Cause.SCHEMA_VIOLATION),
        (with_finding(summary="x" * 1001), Cause.SCHEMA_VIOLATION),
        (with_finding(status="great"), Cause.SCHEMA_VIOLATION),
        (with_finding(status="unknown"), Cause.SCHEMA_VIOLATION),
        (with_finding(status="fail"), Cause.SCHEMA_VIOLATION),
        (with_finding(value=[1]), Cause.SCHEMA_VIOLATION),
        (envelope(schema="sparkctl.other/1"), Cause.WRONG_PROGRAM),
        (envelope(program_sha256="b" * 64), Cause.WRONG_PROGRAM),
        (envelope(elevation="root"), Cause.WRONG_PROGRAM),
        (envelope(origin="simulated"), Cause.WRONG_PROGRAM),
        (envelope(origin="tree"), Cause.WRONG_PROGRAM),
        (changed(ok=False), Cause.PROGRAM_FAILED),
        (changed(data=None), Cause.PROGRAM_FAILED),
        (envelope(finding("disk.inodes")), Cause.INCOMPLETE),
        (envelope(finding(), finding("made.up")), Cause.INCOMPLETE),
        (envelope(finding(), finding()), Cause.INCOMPLETE),
        (envelope({**finding(status="unknown"), "required": False}), Cause.INCOMPLETE),
        (envelope(cost={"wall_ms": 1, "cpu_ms": 2**53 - 1, "children": 0, "bytes": 0}), Cause.SCHEMA_VIOLATION),
        (with_finding(summary="in\u200bvisible"), Cause.SCHEMA_VIOLATION),
        (b'{"ok":true,"ok":true}', Cause.DUPLICATE_KEY),
    ],
)
def test_refusals(document: dict[str, Any] | bytes, cause: Cause) -> None:
    with pytest.raises(ContractError) as refused:
        decode(document)
    assert refused.value.cause == cause


def test_a_roll_up_that_flatters_is_refused() -> None:
    document = envelope(finding(status="fail"))
    document["data"]["rollup"]["worst"] = "pass"
    with pytest.raises(ContractError, match="roll-up"):
        decode(document)


def test_a_document_over_its_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ContractError) as refused:
        decode(b"[" * 2000, replace(EXPECTED, limit=1000))
    assert refused.value.cause == Cause.TOO_LARGE


def test_the_programs_own_error_is_quoted() -> None:
    error = {"code": "document.too_large", "message": "it does not fit", "severity": "error"}
    with pytest.raises(ContractError, match=r"document\.too_large: it does not fit"):
        decode(changed(ok=False, errors=[error]))
