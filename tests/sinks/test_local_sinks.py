"""Sinks on this machine: a file, standard output, metrics, mail."""

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from sparkctl.app.events import of_report
from sparkctl.model.event import EventKind, EventSeverity, Told, told
from sparkctl.model.sink import Answer, Verdict
from sparkctl.sinks.file import FileSink
from sparkctl.sinks.prometheus import PrometheusSink
from sparkctl.sinks.sendmail import SendmailSink
from sparkctl.sinks.stdout import StdoutSink
from tests.sinks.events import NOON, event, parcels, settings
from tests.support.envelopes import report_for, reported, unreported


def append(path: Path, *events: Told, rotate: int = 2**20, keep: int = 2) -> Answer:
    sink = FileSink(settings(f"file://{path}", rotate_bytes=rotate, rotate_keep=keep))
    return sink.send(parcels(*events), time.monotonic() + 5)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["event_id"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize("torn", ["", "{", '{"schema":"sparkctl.event/1","event_id":"12', "{" + "x" * 200_000])
def test_a_line_that_a_crash_tore_is_cut_off(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "events.jsonl"
    assert append(path, event(1)).down is None
    with path.open("a") as file:
        file.write(torn)
    assert append(path, event(2), event(3)).down is None
    assert ids(path) == [event(number).event_id for number in (1, 2, 3)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("root:x:0:0\nno end of line")
    answer = append(path, event(1))
    assert answer.down is not None
    assert "not ours" in answer.down.words
    assert path.read_text() == "root:x:0:0\nno end of line"
    path.write_text("root:x:0:0\n")
    for rotate in (2**20, 5):
        answer = append(path, event(1), rotate=rotate)
        assert answer.down is not None
        assert "not ours" in answer.down.words
        assert path.read_text() == "root:x:0:0\n"
    os.mkfifo(tmp_path / "pipe")
    assert append(tmp_path / "pipe", event(1)).down is not None
    assert append(tmp_path / "nowhere/events", event(1)).down is not None


def test_a_large_file_is_put_aside_and_only_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for number in range(8):
        append(path, event(number), rotate=1200)
    kept = [path.with_name("events.jsonl.2"), path.with_name("events.jsonl.1"), path]
    assert [found for one in kept for found in ids(one)] == [event(number).event_id for number in range(2, 8)]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "events.jsonl", "events.jsonl.1", "events.jsonl.2", "events.jsonl.lock",
    ]  # fmt: skip


def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, event(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 700, limits[1]))
        answer = append(path, event(2), event(3), event(4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert (answer.results, answer.tried) == ([], 3)
    assert answer.down is not None
    assert ids(path) == [event(1).event_id]
    append(path, event(2))
    assert ids(path) == [event(1).event_id, event(2).event_id]


def test_standard_output_is_printed_or_said_to_be_gone() -> None:
    stream = io.StringIO()
    assert StdoutSink(stream).send(parcels(event(1), event(2)), 0).down is None
    assert [json.loads(line)["schema"] for line in stream.getvalue().splitlines()] == ["sparkctl.event/1"] * 2
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", closefd=False) as gone:
        assert StdoutSink(gone).send(parcels(event(1)), 0).down is not None
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)
    os.close(writer)


def test_standard_output_that_was_closed_before_we_began_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.__stdout__", None)
    answer = StdoutSink().send(parcels(event()), 0)
    assert (answer.results, answer.tried) == ([], 1)
    assert answer.down is not None
    assert "closed" in answer.down.words


def test_metrics_of_the_last_run_and_never_of_an_older_one(tmp_path: Path) -> None:
    report = report_for([reported("n1"), unreported("n2")])
    older = report_for([reported("n1")]).model_copy(update={"finished_at": report.finished_at.replace(year=2020)})
    sink = PrometheusSink(settings(f"prometheus://{tmp_path}"))
    results = sink.send(parcels(of_report(report), of_report(older), event(1), event(2, EventKind.TEST)), 0).results
    assert [one.verdict for one in results] == [
        Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED,
    ]  # fmt: skip
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert 'sparkctl_last_run_nodes_unreported{run="health",simulated="false"} 1\n' in text
    assert path.stat().st_mode & 0o777 == 0o644
    path.write_text('sparkctl_last_run_finished_timestamp_seconds{run="health"} 1.2.3\n')
    assert sink.send(parcels(of_report(report)), 0).results[0].verdict is Verdict.ACCEPTED
    assert path.read_text() == text
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here: install prometheus to check the metrics")
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


SENDMAIL = """#!/bin/sh
printf '%s\\n' "$@" > "{folder}/argv"
cat > "{folder}/mail"
env > "{folder}/env"
echo 'hostile \033[31m words'
exit {code}
"""


def sendmail(folder: Path, told: Told, code: int = 0, more: str = "") -> Answer:
    script = folder / "sendmail"
    script.write_text(SENDMAIL.format(folder=folder, code=code) + more)
    script.chmod(0o755)
    to = settings(f"sendmail://{script}", to=("ops@example.org", "-X/etc/passwd@x"), sender="spark@example.org")
    return SendmailSink(to, "bastion").send(parcels(told), time.monotonic() + 5)


def test_a_mail_is_well_formed_whatever_the_summary_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_TOKEN", "hidden")
    hostile = "a\r\nBcc: all@example.org\r\n\r\nbody ✓ " + "long " * 300
    alert = event(1, EventKind.ALERT, hostile, EventSeverity.CRITICAL)
    assert sendmail(tmp_path, alert).results[0].verdict is Verdict.ACCEPTED
    raw = (tmp_path / "mail").read_bytes()
    mail = message_from_bytes(raw, policy=default)
    assert mail["Bcc"] is None
    assert mail["Message-ID"] == f"<{alert.event_id[:32]}@bastion>"
    assert mail["Subject"].startswith("[sparkctl] critical: a\\u000d\\u000aBcc:")
    assert not any(header.defects for header in mail.values())
    assert mail["X-Sparkctl-Event-Id"] == alert.event_id
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    body = mail.get_content()
    assert json.loads(body.strip().splitlines()[-1])["event_id"] == alert.event_id
    argv = (tmp_path / "argv").read_text().splitlines()
    assert argv == ["-i", "-f", "spark@example.org", "--", "ops@example.org", "-X/etc/passwd@x"]
    assert "hidden" not in (tmp_path / "env").read_text()


@pytest.mark.parametrize(("code", "verdict"), [(67, Verdict.REFUSED), (70, Verdict.FAILED), (75, None)])
def test_what_the_mail_system_says(tmp_path: Path, code: int, verdict: Verdict | None) -> None:
    answer = sendmail(tmp_path, event(1), code)
    words = answer.down.words if answer.down else answer.results[0].words
    assert (answer.results[0].verdict if answer.results else None) is verdict
    assert f"ended with {code}: hostile \\u001b[31m words" in words


def test_a_mail_system_that_is_not_there_or_hangs(tmp_path: Path) -> None:
    missing = settings("sendmail:///nowhere/sendmail", to=("a@b",))
    answer = SendmailSink(missing, "h").send(parcels(event(1)), time.monotonic() + 5)
    assert answer.down is not None
    script = tmp_path / "slow"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    hanging = settings(f"sendmail://{script}", to=("a@b",), timeout_s=0.2)
    answer = SendmailSink(hanging, "h").send(parcels(event(1)), time.monotonic() + 5)
    assert answer.down is not None
    assert "killed" in answer.down.words


def test_an_event_tells_when_it_is_simulated() -> None:
    body = '{"schema":"sparkctl.sink-test/1"}'
    one = told(EventKind.TEST, body, severity=EventSeverity.INFO, at=NOON, summary="x", simulated=True)
    assert one.summary == "[simulated] x"
