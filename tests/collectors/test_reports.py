"""What is sent of a tool's report: each way in which its service ends has its status, reason and words."""

import io
import re
import tarfile
from dataclasses import replace

import pytest

from diag.collectors import report_nvidia, report_sos
from diag.nodekit.collector_names import named_in, with_limits
from diag.nodekit.command import Gathered
from diag.nodekit.isolated import Report
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool
from diag.nodekit.reporting import send_report
from sparkctl.lab.report_commands import MAKE_BUG_REPORT, MAKE_SOS

NVIDIA, SOS = report_nvidia.COLLECTOR.reports[0], report_sos.COLLECTOR.reports[0]
RUNNING = "Running as unit: sparkctl-nvidia-bug-report.service\n"
REPORTS = pytest.mark.parametrize("take", [NVIDIA, SOS], ids=["nvidia", "sos"])


def archive_of(take: Report) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        folder = tarfile.TarInfo(take.unit)
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    return out.getvalue()


class Outlet:
    """Keeps what is sent."""

    content = b""

    def send(self, content: bytes) -> None:
        self.content += content


class OneTool(Machine):
    """A machine with the tool, whose service ends as told."""

    def __init__(self, ran: Gathered | Exception, *, there: bool = True) -> None:
        super().__init__()
        self._ran, self._there = ran, there

    def exists(self, path: str) -> bool:
        return self._there

    def gather(self, argv: tuple[str, ...], **_: object) -> Gathered:
        assert argv == NVIDIA.argv
        if isinstance(self._ran, Exception):
            raise self._ran
        return self._ran


def sent(ran: Gathered | Exception, *, there: bool = True) -> tuple[Document, bytes]:
    outlet = Outlet()
    facts = send_report(OneTool(ran, there=there), NVIDIA, outlet)  # type: ignore[arg-type]
    return facts, outlet.content


def ended(result: str, status: int, *, said: str = "", stdout: bytes | None = None, cut: bool = False) -> Gathered:
    printed = b"I am at work\n" + archive_of(NVIDIA) if stdout is None else stdout
    stderr = f"{RUNNING}{said}Finished with result: {result}\nMain processes terminated with: code=exited/status=0\n"
    return Gathered(status, printed, stderr.encode(), cut=cut)


def test_the_archive_is_sent_without_what_was_printed_before_it() -> None:
    facts, content = sent(ended("success", 0))
    assert facts == {"status": "collected"}
    assert content == archive_of(NVIDIA)


@pytest.mark.parametrize(
    ("ran", "reason", "words"),
    [
        (ended("timeout", 1), "timeout", "did not end within 120 s and was ended"),
        (ended("oom-kill", 1), "precondition", "it needed more than 512 MiB of memory"),
        (ended("exit-code", 1, said="ERROR: no room\n"), "io_error", "ended with exit-code: ERROR: no room"),
        (ended("success", 0, cut=True), "precondition", "what came after 16 MiB is left out"),
        (replace(ended("success", 0), exit_status=None, stderr=b"", timed_out=True), "timeout", "systemd did not end"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_brought_and_says_why(ran: Gathered, reason: str, words: str) -> None:
    facts, content = sent(ran)
    assert (facts["status"], facts["reason"]) == ("partial", reason)
    assert words in str(facts["words"])
    assert content == archive_of(NVIDIA)


@pytest.mark.parametrize(
    ("ran", "there", "reason", "words"),
    [
        (PermissionError(), True, "not_permitted", "sparkctl sudoers --with nvidia-bug-report=120 prints the rule"),
        (MissingTool("/usr/bin/systemd-run"), True, "missing_tool", "systemd-run is not installed"),
        (PermissionError(), False, "missing_tool", "nvidia-bug-report.sh is not installed"),
        (ended("success", 0, stdout=b"done\n"), True, "io_error", "printed no archive"),
        (
            Gathered(1, b"", b"Failed to start transient service unit: Unit x was already loaded\n"),
            True, "io_error", "was already loaded",
        ),
    ],
)  # fmt: skip
def test_what_does_not_come_is_missing_with_its_reason(
    ran: Gathered | Exception, there: bool, reason: str, words: str
) -> None:
    facts, content = sent(ran, there=there)
    assert (facts["status"], facts["reason"]) == ("missing", reason)
    assert words in str(facts["words"])
    assert content == b""


@REPORTS
def test_a_report_is_bounded_and_isolated(take: Report) -> None:
    said = {word.removeprefix("--property=") for word in take.argv}
    assert f"RuntimeMaxSec={take.seconds:g}" in said
    assert {"ProtectSystem=strict", "PrivateNetwork=yes", "ProtectHome=yes", "NoNewPrivileges=yes"} <= said
    assert {"MemorySwapMax=0", f"MemoryMax={take.memory}", f"LimitFSIZE={take.limit}", "DevicePolicy=closed"} <= said
    assert take.limit < take.memory
    assert take.longest < take.seconds + 60
    assert "--service-type=exec" in take.argv  # of `oneshot` a limit of the run time does not hold
    assert "--collect" in take.argv  # or a failed unit would stay


@REPORTS
def test_its_words_fit_a_line_of_sudoers_and_hold_no_wildcard(take: Report) -> None:
    assert take.argv[0] == "/usr/bin/systemd-run"
    assert all(word and word.isascii() and word.isprintable() for word in take.argv)
    assert not [word for word in take.argv if re.search(r"[*?\[\]!$;|&<>`'\"\\]", word)]
    tool = take.argv[take.argv.index("--") + 1 :]
    assert tool[0].startswith("/usr/bin/")
    assert len(take.source["argv"]) <= 60  # type: ignore[arg-type]


def test_the_bug_report_is_in_its_safe_mode_and_finds_no_tool_that_changes_adapters() -> None:
    assert "--safe-mode" in NVIDIA.argv
    assert "--property=InaccessiblePaths=-/usr/bin/mst" in NVIDIA.argv


def test_a_lab_node_knows_these_very_commands() -> None:
    assert (NVIDIA.argv, SOS.argv) == (MAKE_BUG_REPORT, MAKE_SOS)


def test_names_have_limits_beside_them() -> None:
    named = named_in("nvidia-bug-report=240,pci.registers")
    assert named == {"nvidia-bug-report": 240.0, "pci.registers": None}
    limits = {one.called: report.seconds for one in with_limits(named) for report in one.collector.reports}
    assert limits == {"nvidia-bug-report": 240.0, "sosreport": 300}


@pytest.mark.parametrize("text", ["sosreport=9", "sosreport=1801", "sosreport=", "sosreport=1e3", "sosreport=²00"])
def test_a_limit_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number of seconds"):
        named_in(text)


@pytest.mark.parametrize(("text", "words"), [("gremlins", "no collector"), ("pci.registers=60", "takes no seconds")])
def test_a_name_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        with_limits(named_in(text))
