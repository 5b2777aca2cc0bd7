"""What an operator reads: folded names, failures first, what to do, and no byte that steers a terminal."""

import io
import json

import pytest

from sparkctl.model.outcome import NodeOutcome
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.outputs import Forgiving, JsonDocument, JsonLines, Screen, SweepOutput
from sparkctl.report.words import count, duration, size
from tests.support.envelopes import finding, report_for, reported, unreported


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def show(records: list[RunRecord], stdout: io.StringIO, stderr: io.StringIO, *, verbose: bool = False) -> str:
    feed(Screen(stdout, stderr, verbose=verbose), records)
    return stdout.getvalue()


def feed(output: SweepOutput, records: list[RunRecord]) -> None:
    output.begin(len(records))
    for record in records:
        output.outcome(NodeOutcome.of(record))
        output.tick(["spark17"])
    output.end(report_for(records))


RECORDS = [
    *(reported(f"spark{number:02d}", finding(status="fail")) for number in range(1, 13)),
    reported("spark13", finding(), finding("nvme.wear", "unknown", required=False), origin="simulated"),
    reported("spark14", finding(status="fail")),
    reported("spark15", finding("gpu.query", "warn")),
    unreported("spark16", Stage.HOST_KEY, Cause.HOST_KEY_CHANGED),
]


def test_the_summary() -> None:
    text = show(RECORDS, io.StringIO(), io.StringIO())
    assert "spark[01-12,14]" in text
    assert "→ do something about it" in text
    assert "16 nodes: 13 need hands, 1 refused, 1 to watch, 1 passed" in text
    assert "SIMULATED" in text
    assert text.index("Needs hands") < text.index("Refused") < text.index("Watch")
    assert "host key changed  it did not answer" in text
    assert "exit 1 findings" in text
    assert "nvme.wear" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_verbose_names_what_could_not_be_evaluated() -> None:
    assert "nvme.wear" in show(RECORDS, io.StringIO(), io.StringIO(), verbose=True)


def test_no_colour_and_no_progress_away_from_a_terminal() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    show(RECORDS, stdout, stderr)
    assert "\x1b" not in stdout.getvalue()
    assert stderr.getvalue() == ""


def test_colour_and_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stdout, stderr = Terminal(), Terminal()
    assert "\x1b[" in show(RECORDS, stdout, stderr)
    assert "1/16 nodes" in stderr.getvalue()
    assert "waiting for spark17" in stderr.getvalue()
    assert stderr.getvalue().endswith("\r\x1b[2K")


def test_no_color_is_respected_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    text = show(RECORDS, Terminal(), io.StringIO())
    assert "\x1b[31" not in text
    assert "\x1b[33" not in text


def test_figures_stand_beside_the_node_they_were_read_on() -> None:
    late = reported("spark03", finding(status="fail", summary="/ is 96 % full"))
    early = reported("spark02", finding(status="fail", summary="/ is 99 % full"))
    text = show([late, early], io.StringIO(), io.StringIO())
    assert "spark[02-03]" in text
    assert "spark02: / is 99 % full" in text


def test_different_findings_of_one_check_are_not_folded() -> None:
    one = reported("spark01", finding(status="fail", summary="failed unit: a.service"))
    other = reported("spark02", finding(status="fail", summary="failed unit: b.service"))
    text = show([one, other], io.StringIO(), io.StringIO())
    assert "a.service" in text
    assert "b.service" in text


def test_a_node_with_a_required_unknown_is_not_said_to_have_passed() -> None:
    text = show([reported("spark01", finding(), finding("gpu.query", "unknown"))], io.StringIO(), io.StringIO())
    assert "1 node: 1 not fully judged" in text
    assert "passed" not in text


def test_warnings_on_nodes_that_need_hands_wait_for_verbose() -> None:
    records = [
        reported("spark01", finding(status="fail"), finding("gpu.query", "warn")),
        reported("spark02", finding()),
    ]
    assert "gpu.query" not in show(records, io.StringIO(), io.StringIO())
    assert "gpu.query" in show(records, io.StringIO(), io.StringIO(), verbose=True)


def test_a_reader_who_leaves_costs_only_the_output() -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    feed(Forgiving(JsonLines(Gone())), RECORDS)


def test_markup_in_a_nodes_words_is_only_text() -> None:
    text = show(
        [reported("spark01", finding(status="fail", summary="[red]x[/red] :boom:"))], io.StringIO(), io.StringIO()
    )
    assert "[red]x[/red] :boom:" in text


def test_json_lines_and_json_document_say_the_same() -> None:
    lines, document = io.StringIO(), io.StringIO()
    feed(JsonLines(lines), RECORDS)
    feed(JsonDocument(document), RECORDS)
    whole = json.loads(document.getvalue())
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == [*whole["records"], whole["report"]]


def test_words() -> None:
    assert (count(1, "node"), count(1200, "node")) == ("1 node", "1,200 nodes")
    assert (duration(640), duration(6300), duration(725_000)) == ("640 ms", "6.3 s", "12 min 05 s")
    assert (size(999), size(2048), size(3 * 2**30)) == ("999 B", "2.0 KiB", "3.0 GiB")
