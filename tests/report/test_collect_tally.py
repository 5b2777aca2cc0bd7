"""A collection ends well only when every node brought every facet; a field that could not be read is no failure."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sparkctl.errors import ExitCode
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.collection import CollectTally
from tests.support.envelopes import unreported
from tests.support.facts import facet, facts_record, identity


def brought(node_id: str, **facets: Any) -> RunRecord:
    return facts_record("day1", node_id, datetime(2026, 11, 1, tzinfo=UTC), **facets)


WHOLE = brought("spark01", identity=facet(identity()))
WITHOUT_A_FIELD = brought("spark02", identity=facet(identity(), {"serial": "not_permitted"}))
WITHOUT_A_FACET = brought("spark03", identity=facet(None, {"": "timeout"}))
SILENT = unreported("spark04")
REFUSED = unreported("spark05", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([WHOLE], ExitCode.OK),
        ([WHOLE, WITHOUT_A_FIELD], ExitCode.OK),
        ([WITHOUT_A_FACET, WHOLE], ExitCode.UNJUDGED),
        ([WHOLE, SILENT], ExitCode.UNJUDGED),
        ([WITHOUT_A_FACET, SILENT, REFUSED], ExitCode.REFUSED),
    ],
)
def test_exit_codes(records: list[RunRecord], code: ExitCode) -> None:
    tally = CollectTally(("identity",))
    for record in records:
        tally.add(NodeOutcome.of(record))
    assert tally.exit_code() is code
