"""The report counts everybody, folds what is alike, and derives the exit code."""

import pytest
from pydantic import ValidationError

from sparkctl.errors import ExitCode
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Stage, Status
from sparkctl.report.tally import Tally
from tests.support.envelopes import finding, report_for, reported, unreported

WELL = reported("spark01", finding())
OPTIONAL_UNKNOWN = reported("spark02", finding(), finding("nvme.wear", "unknown", required=False))
REQUIRED_UNKNOWN = reported("spark03", finding(status="unknown"))
NOTHING_APPLIES = reported("spark08", finding(status="not_applicable"))
WARNED = reported("spark04", finding(status="warn"))
FAILED = reported("spark05", finding(status="fail"))
SILENT = unreported("spark06")
REFUSED = unreported("spark07", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED)


def tally_of(*records: RunRecord) -> Tally:
    tally = Tally()
    for record in records:
        tally.add(NodeOutcome.of(record))
    return tally


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([WELL], ExitCode.OK),
        ([WELL, OPTIONAL_UNKNOWN], ExitCode.OK),
        ([WELL, WARNED], ExitCode.OK),
        ([WELL, REQUIRED_UNKNOWN], ExitCode.UNJUDGED),
        ([WELL, SILENT], ExitCode.UNJUDGED),
        ([WELL, NOTHING_APPLIES], ExitCode.UNJUDGED),
        ([WELL, SILENT, REFUSED], ExitCode.REFUSED),
        ([WELL, SILENT, REFUSED, FAILED], ExitCode.FINDINGS),
    ],
)
def test_exit_codes(records: list[RunRecord], code: ExitCode) -> None:
    assert tally_of(*records).exit_code() is code


def test_fail_on_warn_widens_the_findings() -> None:
    tally = Tally(Status.WARN)
    for record in (WELL, WARNED):
        tally.add(NodeOutcome.of(record))
    assert tally.exit_code() is ExitCode.FINDINGS


def test_like_findings_fold_and_the_most_pressing_come_first() -> None:
    tally = tally_of(
        reported("spark09", finding(status="warn")),
        reported("spark02", finding(status="fail"), finding("gpu.query", "warn")),
        reported("spark01", finding(status="fail")),
        WELL,
    )
    folded = [(one.check, one.status.value, one.nodes) for one in tally.findings()]
    assert folded == [
        ("disk.space", "fail", ["spark01", "spark02"]),
        ("disk.space", "warn", ["spark09"]),
        ("gpu.query", "warn", ["spark02"]),
    ]


def test_everybody_is_counted() -> None:
    report = report_for([WELL, FAILED, SILENT, REFUSED])
    assert (report.selected, report.reported, report.unreported) == (4, 2, 2)
    assert report.worst == {"fail": 1, "pass": 1}
    assert [(one.cause, one.nodes) for one in report.failures] == [
        (Cause.TIMEOUT, ["spark06"]),
        (Cause.HOST_KEY_CHANGED, ["spark07"]),
    ]


def test_a_lost_node_cannot_be_reported() -> None:
    with pytest.raises(ValidationError, match="selected must equal"):
        report_for([WELL], selected=2)


def test_completeness_counts_what_applied() -> None:
    record = reported(
        "spark01", finding(), finding("gpu.query", "unknown"), finding("network.connectx", "not_applicable")
    )
    assert tally_of(record).completeness == 0.5


def test_simulated_nodes_make_the_report_simulated() -> None:
    assert report_for([WELL]).simulated is False
    assert report_for([WELL, reported("sim-01", origin="simulated")]).simulated is True
