"""What a run that asked how boots ended tells an operator: who went down how, who cannot be told, what to arm."""

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from sparkctl.contract.generated import json_schema
from sparkctl.errors import ExitCode
from sparkctl.model.fleet_report import BastionCost, RunEnd, RunStart
from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.reset_report import EndKind, ResetReport
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.reset import ResetTally
from sparkctl.report.reset_screen import ResetScreen
from tests.support.envelopes import PROGRAM, unreported
from tests.support.resets import observation, reset_record, transition

PLANNED: dict[str, Any] = {
    "termination": "orderly.reboot", "initiator": "os.operator", "expected": "yes", "words": "Restarted in good order",
}  # fmt: skip
PANIC: dict[str, Any] = {"termination": "disorderly.panic", "expected": "no"}
CUT_OFF: dict[str, Any] = {"termination": "disorderly", "words": "Ended without a shutdown"}
UNTOLD: dict[str, Any] = {"words": "How it ended cannot be told"}


def ended(node_id: str, *ends: dict[str, Any], **parts: Any) -> RunRecord:
    return reset_record(node_id, *(transition(-number, **end) for number, end in enumerate(ends)), **parts)


def report_of(records: Sequence[RunRecord], asked: str = "boot=0") -> ResetReport:
    tally, moment = ResetTally(asked), datetime(2026, 11, 25, tzinfo=UTC)
    for record in records:
        tally.add(NodeOutcome.of(record))
    start = RunStart(
        run_id="r", tool="sparkctl test", started_at=moment, selector="all", program_sha256=PROGRAM,
        selected=len(records),
    )  # fmt: skip
    cost = BastionCost(cpu_s=0.1, peak_rss_bytes=1)
    return tally.report(start, RunEnd(finished_at=moment, duration_ms=6300, cost=cost))


def shown(records: Sequence[RunRecord], *, verbose: bool = False, timeline: bool = False, asked: str = "boot=0") -> str:
    stream = io.StringIO()
    screen = ResetScreen(stream, io.StringIO(), verbose=verbose, timeline=timeline)
    screen.begin(len(records))
    for record in records:
        screen.outcome(NodeOutcome.of(record))
        screen.tick([])
    screen.end(report_of(records, asked))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([ended("spark01", PLANNED)], ExitCode.OK),
        ([ended("spark01", PANIC), ended("spark02", CUT_OFF)], ExitCode.OK),
        ([ended("spark01", PLANNED), ended("spark02", UNTOLD)], ExitCode.UNJUDGED),
        ([ended("spark01", PLANNED, UNTOLD)], ExitCode.UNJUDGED),
        ([ended("spark01", PLANNED), unreported("spark02")], ExitCode.UNJUDGED),
        ([ended("spark01", UNTOLD), unreported("spark02", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED)], ExitCode.REFUSED),
        ([unreported("spark01", Stage.DECODE, Cause.IDENTITY_MISMATCH)], ExitCode.REFUSED),
    ],
)
def test_exit_codes(records: list[RunRecord], code: ExitCode) -> None:
    assert report_of(records).exit_code == code


def test_answers_are_folded_over_nodes() -> None:
    report = report_of(
        [
            ended("spark12", PLANNED),
            ended("spark10", PANIC),
            ended("spark9", PANIC),
            ended("spark11", {**PANIC, "reset_domain": "platform_reset"}),
        ]
    )
    assert [(one.kind, one.nodes, one.example_node) for one in report.answers] == [
        (EndKind.UNEXPECTED, ["spark9", "spark10"], "spark9"),
        (EndKind.UNEXPECTED, ["spark11"], "spark11"),
        (EndKind.PLANNED, ["spark12"], "spark12"),
    ]


def test_answers_that_differ_in_figures_are_alike() -> None:
    report = report_of([ended(f"spark{n:02d}", {**PANIC, "words": f"panic at {n} s"}) for n in (3, 1, 2)])
    (answer,) = report.answers
    assert (answer.nodes, answer.words, answer.example_node) == (
        ["spark01", "spark02", "spark03"], "panic at 1 s", "spark01",
    )  # fmt: skip
    assert answer.claims.termination == "disorderly.panic"


def test_several_ends_of_one_node() -> None:
    report = report_of([ended("spark01", PLANNED, CUT_OFF, CUT_OFF), ended("spark02", PLANNED)], "all")
    assert {one.kind: (one.nodes, one.ends) for one in report.answers} == {
        EndKind.CUT_OFF: (["spark01"], 2),
        EndKind.PLANNED: (["spark01", "spark02"], 2),
    }
    assert report.worst == {EndKind.CUT_OFF: 1, EndKind.PLANNED: 1}


def seen_before(kind: str, observation_id: str, at: float | None) -> dict[str, Any]:
    return {"kind": kind, "summary": kind, "count": 2, "before_end_s": at, "observations": [observation_id]}


def test_what_is_of_no_known_boot_is_not_counted_as_seen_before() -> None:
    end = transition(**CUT_OFF, antecedents=[seen_before("xid", "o1", 3.0), seen_before("panic", "o2", None)])
    loose = observation(2, boot_id=None, kind="panic_record")
    report = report_of([reset_record("spark01", end, observations=[observation(1), loose])])
    assert report.answers[0].antecedents == {"xid": 1}


def test_reasons_and_advice_are_folded() -> None:
    report = report_of([ended("spark01", UNTOLD), ended("spark02", UNTOLD), ended("spark03", PANIC)])
    assert {(one.axis, one.cause, len(one.nodes)) for one in report.unknown} == {
        ("termination", "no_witness", 2), ("reset_domain", "no_witness", 3), ("initiator", "no_witness", 3),
    }  # fmt: skip
    assert [(one.advice, one.nodes) for one in report.arm_now] == [
        ("arm the watchdog", ["spark01", "spark02", "spark03"])
    ]


def test_the_report_is_of_its_schema() -> None:
    report = report_of([ended("spark01", PANIC, UNTOLD), ended("spark02", PLANNED), unreported("spark03")], "all")
    jsonschema.validate(json.loads(report.model_dump_json()), json_schema("reset-report"))
    assert ResetReport.model_validate_json(report.model_dump_json()) == report


FLEET = [
    ended("spark01", PANIC, meta={"origin": "simulated"}),
    *(ended(f"spark{number:02d}", CUT_OFF) for number in (2, 3)),
    ended("spark04", UNTOLD),
    ended("spark05", {"termination": "orderly.poweroff", "words": "Powered off in good order"}),
    *(ended(f"spark{number:02d}", PLANNED) for number in range(6, 25)),
    unreported("spark25"),
]


def test_one_screen_for_the_fleet() -> None:
    text = shown(FLEET)
    assert (
        "25 nodes: 1 down unwanted, 2 cut off, 1 did not report, 1 cannot be told, 1 in good order, 19 planned" in text
    )
    headings = ["nobody wanted it", "Cut off", "Cannot be told", "Shut down in good order", "Planned", "Not reached",
                "Why it cannot be told", "Arm now", "exit 3 unjudged"]  # fmt: skip
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    for words in ("spark[02-03]", "spark[06-24]", "no witness", "SIMULATED", "last writes may be lost"):
        assert words in text
    assert len(text.splitlines()) < 50
    assert "Proof" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_a_fleet_where_all_is_planned_is_few_lines() -> None:
    text = shown([ended(f"spark{number:02d}", {**PLANNED, "arm_now": []}) for number in range(1, 101)])
    assert "100 nodes: 100 planned" in text
    assert "Why it cannot be told" not in text
    assert len(text.splitlines()) < 10


def test_verbose_shows_every_proof_and_every_reason() -> None:
    text = shown(FLEET[:3], verbose=True)
    assert text.count("Proof") == 3
    assert "reset domain: no witness" in text
    assert "cost:" in text
    assert text.index("exit 0 ok") > text.rindex("Proof"), "what is to be acted on stands last"


def test_a_single_node_is_shown_whole() -> None:
    text = shown([ended("spark01", PANIC, PLANNED)], timeline=True, asked="all")
    assert "Proof" in text
    assert "exit 0 ok" in text
    assert "now  00000000" in text
    assert "1 node:" not in text


def test_a_single_node_that_did_not_report_is_shown_as_any_other() -> None:
    text = shown([unreported("spark01")], timeline=True)
    assert "Not reached" in text
    assert "exit 3 unjudged" in text


def test_many_kinds_of_advice_are_cut_and_said_to_be() -> None:
    advice = [f"set {letter}" for letter in "abcdefghijkl"]
    many = [ended(f"spark{number}", {**UNTOLD, "arm_now": advice}) for number in (1, 2)]
    assert "and 4 more; -v names them" in shown(many)
    assert all(one in shown(many, verbose=True) for one in advice)
