"""Findings as they go over the wire, whatever a check put into them."""

import pytest

from diag.nodekit.check import Check, LoadedCheck
from diag.nodekit.document import encode
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.judge import as_document
from diag.nodekit.vocabulary import Status
from sparkctl.model import health


def over_the_wire(finding: Finding) -> health.Finding:
    loaded = LoadedCheck("disk.space", Check(title="Space"), lambda machine: machine, lambda seen: seen)
    return health.Finding.model_validate_json(encode(as_document(loaded, finding)))


def test_a_reading_without_a_value_stays_a_reading() -> None:
    found = over_the_wire(Finding(Status.PASS, "words", readings=(Reading("present", None),)))
    assert [(reading.name, reading.value) for reading in found.readings] == [("present", None)]


def test_names_of_readings_fit_the_schema() -> None:
    found = over_the_wire(Finding(Status.PASS, "words", readings=(Reading("/srv/" + "x" * 4000, 1), Reading("", 2))))
    assert [len(reading.name) for reading in found.readings] == [120, len("unnamed")]


def test_readings_fit_the_schema_in_number() -> None:
    found = over_the_wire(Finding(Status.PASS, "words", readings=(Reading("r", 1),) * 5000))
    assert len(found.readings) == 200


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_not_judged(value: float) -> None:
    found = over_the_wire(Finding(Status.PASS, "words", value=value))
    assert (found.status, found.reason) == ("unknown", "parse_error")
    found = over_the_wire(Finding(Status.PASS, "words", readings=(Reading("r", value),)))
    assert found.readings[0].value is None
