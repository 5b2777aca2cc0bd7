"""Real programs receive what is exported, and hand back what they understood."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pycef  # type: ignore[import-untyped]
import pytest

from sparkctl.export.events import events
from sparkctl.export.syslog import BOM, SD_ID
from sparkctl.model.standing import NodeStanding
from tests.export.test_export_hostile import EVIL
from tests.support.envelopes import finding
from tests.support.standings import as_subjects, exported, with_findings

pytestmark = pytest.mark.slow

CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imptcp")
module(load="mmpstrucdata")
input(type="imptcp" port="{port}" address="127.0.0.1")
action(type="mmpstrucdata")
set $!host = $hostname;
set $!app = $app-name;
set $!msgid = $msgid;
set $!severity = $syslogseverity;
set $!facility = $syslogfacility-text;
set $!at = $timereported;
set $!msg = $msg;
template(name="told" type="string" string="%$!all-json%\\n")
action(type="omfile" file="{folder}/out.jsonl" template="told")
"""


@contextmanager
def rsyslog(folder: Path) -> Iterator[int]:
    """A syslog server on loopback that writes what it understood into `out.jsonl`."""
    program = which("rsyslogd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no rsyslogd here: install the package rsyslog to receive messages with it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    (folder / "rsyslog.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    server = subprocess.Popen(
        [program, "-n", "-f", folder / "rsyslog.conf", "-i", folder / "pid"], stderr=subprocess.PIPE, text=True
    )
    try:
        yield port
    finally:
        server.terminate()
        server.wait(20)
        if server.stderr is not None:
            server.stderr.close()


def received(folder: Path, text: str) -> list[dict[str, Any]]:
    """What the server understood of some lines."""
    with rsyslog(folder) as port:
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    connection.sendall(text.encode())
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "rsyslogd does not listen"
                time.sleep(0.05)
        out = folder / "out.jsonl"
        while not out.is_file() or out.read_bytes().count(b"\n") < text.count("\n"):
            assert time.monotonic() < deadline, "rsyslogd did not write every message"
            time.sleep(0.05)
        return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_rsyslog_understands_every_message(founders: NodeStanding, tmp_path: Path) -> None:
    evil = with_findings(founders, finding("disk.space", "fail", summary=f"ünïcode {EVIL}", action=EVIL, value=EVIL))
    for number, known in enumerate((founders, evil)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (subject,) = as_subjects([known])
        sent = list(events(subject))
        told = received(folder, exported("syslog", [known]))
        assert len(told) == len(sent)
        for event, one in zip(sent, told, strict=True):
            data = one["rfc5424-sd"][SD_ID]
            assert (one["host"], one["app"], one["facility"]) == (subject.name, "sparkctl", "local0")
            assert one["msg"].removeprefix(BOM) == event.message
            assert (data["id"], data["code"], data["status"], data["simulated"]) == (
                event.id,
                event.code,
                event.status,
                "true",
            )
            assert data.get("action") == event.action


def test_cef_and_leef_survive_a_syslog_server(founders: NodeStanding, tmp_path: Path) -> None:
    lines = [*exported("cef", [founders]).splitlines(), *exported("leef", [founders]).splitlines()]
    head = "<134>1 2026-11-25T08:00:00Z spark01 sparkctl - - - "
    told = received(tmp_path, "".join(f"{head}{line}\n" for line in lines))
    assert [one["msg"].replace("#011", "\t") for one in told] == lines
    parsed = [pycef.parse(one["msg"]) for one in told if one["msg"].startswith("CEF:")]
    sent = list(events(as_subjects([founders])[0]))
    assert [one["externalId"] for one in parsed] == [event.id for event in sent]
    assert [one["DeviceEventClassID"] for one in parsed] == [event.code for event in sent]
