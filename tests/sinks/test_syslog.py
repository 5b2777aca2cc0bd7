"""Syslog: messages as RFC 5424 has them, and a real rsyslogd that takes them over UDP, TCP and TLS."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sparkctl.model.event import EventSeverity
from sparkctl.model.sink import Parcel, SinkSettings, Verdict
from sparkctl.sinks.syslog import BOM, SyslogSink, message, structured
from tests.sinks.certificates import Authority
from tests.sinks.events import event, parcels, settings
from tests.sinks.receivers import free_port, silent_port

HEADER = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48})"
    rb" ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) "
)


def parse(raw: bytes) -> tuple[list[str], dict[str, str], str]:
    """Header fields, parameters of the one element of structured data, and the text: strictly, by the grammar."""
    head = HEADER.match(raw)
    assert head is not None, raw
    place = head.end()
    element = re.compile(rb"\[([^\s=\]\"]{1,32})").match(raw, place)
    assert element is not None, raw
    place, members = element.end(), {}
    while raw[place : place + 1] == b" ":
        name = re.compile(rb" ([^\s=\]\"]{1,32})=\"").match(raw, place)
        assert name is not None
        place, value = name.end(), bytearray()
        while raw[place : place + 1] != b'"':
            if raw[place : place + 1] == b"\\" and raw[place + 1 : place + 2] in (b'"', b"\\", b"]"):
                place += 1
            else:
                assert raw[place : place + 1] not in (b'"', b"]", b""), raw
            value += raw[place : place + 1]
            place += 1
        members[name[1].decode()] = value.decode()
        place += 1
    assert raw[place : place + 2] == b"] "
    text = raw[place + 2 :]
    assert text.startswith(BOM)
    return [part.decode() for part in head.groups()], members, text[len(BOM) :].decode()


def to(**parts: Any) -> SinkSettings:
    return settings("syslog+tcp://h", **parts)


def test_a_message_has_its_fields() -> None:
    told = event(1, summary='quoted "words" ]\\ ✓', severity=EventSeverity.ERROR)
    fields, members, text = parse(message(Parcel(told, told.json), to(facility=19), "bastion"))
    assert fields == ["155", "2026-03-01T12:00:00.123456Z", "bastion", "sparkctl", "-", "visit"]
    assert members["eventId"] == told.event_id
    assert (members["node"], members["simulated"]) == ("spark01", "false")
    assert text == told.summary
    _, _, whole = parse(message(Parcel(told, told.json), to(message="payload"), "bastion"))
    assert whole == told.json
    _, members, short = parse(message(Parcel(told, told.json), to(message="payload", max_bytes=600), "bastion"))
    assert (short, members["payloadBytes"]) == (told.summary, str(len(told.json.encode())))


@hypothesis_settings(max_examples=50)
@given(st.text(max_size=60), st.text(st.characters(codec="utf-8"), max_size=900), st.integers(480, 900))
def test_hostile_words_stay_in_their_place(host: str, summary: str, most: int) -> None:
    told = event(1, summary=summary)
    raw = message(Parcel(told, told.json), to(max_bytes=most), host)
    assert len(raw) <= most
    assert b"\n" not in raw
    _, members, text = parse(raw)
    assert members["eventId"] == told.event_id
    assert told.summary.startswith(text)


@hypothesis_settings(max_examples=50)
@given(st.text('"]\\ab=[ ✓', min_size=1, max_size=30))
def test_what_would_end_a_value_is_escaped(value: str) -> None:
    raw = f"<1>1 2026-03-01T12:00:00Z h a - m {structured('x@1', {'node': value})} ".encode() + BOM
    assert parse(raw)[1] == {"node": value}


def test_nobody_is_there_or_nobody_reads() -> None:
    answer = SyslogSink(settings(f"syslog+tcp://127.0.0.1:{free_port()}"), "h").send(parcels(event(1)), after(5))
    assert answer.down is not None
    assert answer.results == []
    with silent_port() as port:
        started = time.monotonic()
        tls = SyslogSink(settings(f"syslog+tls://127.0.0.1:{port}", timeout_s=0.3), "h")
        answer = tls.send(parcels(event(1)), after(5))
        assert time.monotonic() - started < 2
    assert answer.down is not None


def test_a_datagram_that_is_too_long_is_refused_alone() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        where = f"syslog+udp://127.0.0.1:{server.getsockname()[1]}"
        sink = SyslogSink(settings(where, message="payload", max_bytes=100_000), "h")
        answer = sink.send(parcels(event(1), event(2, words="x" * 990), event(3, summary="ok")), after(5))
        assert [one.verdict for one in answer.results] == [Verdict.ACCEPTED] * 3
        big = event(4)
        answer = sink.send([Parcel(big, "x" * 80_000), *parcels(event(5))], after(5))
        assert [one.verdict for one in answer.results] == [Verdict.REFUSED, Verdict.ACCEPTED]
        server.settimeout(5)
        assert parse(server.recv(65535))[1]["eventId"] == event(1).event_id


def test_frames_are_counted_in_octets() -> None:
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def read() -> None:
            client, _ = server.accept()
            with client:
                while data := client.recv(65536):
                    received.extend(data)

        reading = threading.Thread(target=read)
        reading.start()
        sink = SyslogSink(settings(f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}"), "h")
        answer = sink.send(parcels(event(1, summary="✓ one"), event(2)), after(5))
        reading.join()
    assert "read to its end" in answer.results[0].words
    found, rest = [], bytes(received)
    while rest:
        length, _, rest = rest.partition(b" ")
        found.append(parse(rest[: int(length)])[1]["eventId"])
        rest = rest[int(length) :]
    assert found == [event(1).event_id, event(2).event_id]


def after(seconds: float) -> float:
    return time.monotonic() + seconds


RSYSLOG = """
global(workDirectory="{folder}" {tls})
template(name="all" type="list") {{
  constant(value="{{\\"sd\\":\\"") property(name="structured-data" format="json")
  constant(value="\\",\\"msg\\":\\"") property(name="msg" format="json")
  constant(value="\\",\\"severity\\":\\"") property(name="syslogseverity")
  constant(value="\\",\\"host\\":\\"") property(name="hostname" format="json")
  constant(value="\\",\\"app\\":\\"") property(name="app-name" format="json")
  constant(value="\\"}}\\n")
}}
{inputs}
action(type="omfile" file="{folder}/out" template="all")
"""
PLAIN = """
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="{port}")
input(type="imtcp" address="127.0.0.1" port="{port}")
"""
TLS_GLOBALS = (
    'defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}"'
    ' defaultNetstreamDriverKeyFile="{key}"'
)
TLS = """
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="{port}")
"""


@contextmanager
def rsyslogd(folder: Path, inputs: str, tls: str = "") -> Iterator[tuple[int, Path]]:
    """A real rsyslogd on a free port; the port, and the file that it writes JSON lines to."""
    program = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no rsyslogd here: install the package rsyslog to send it messages")
    port = free_port()
    config = folder / "rsyslog.conf"
    config.write_text(RSYSLOG.format(folder=folder, tls=tls, inputs=inputs.format(port=port)))
    argv = [program, "-n", "-f", str(config), "-i", str(folder / "pid")]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, folder / "out"
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=20)
        print(said)


def lines(path: Path, count: int) -> list[dict[str, str]]:
    """The first lines of a file, waited for."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = path.read_text().splitlines() if path.exists() else []
        if len(found) >= count:
            return [json.loads(line) for line in found]
        time.sleep(0.05)
    raise AssertionError(f"{path} has no {count} lines")


HOSTILE = 'a ]"\\ line\nwith ✓ controls\x1b[31m'


@pytest.mark.slow
@pytest.mark.parametrize("way", ["udp", "tcp"])
def test_rsyslogd_takes_what_is_sent(tmp_path: Path, way: str) -> None:
    events = [event(number, summary=HOSTILE, severity=EventSeverity.CRITICAL) for number in range(20)]
    with rsyslogd(tmp_path, PLAIN) as (port, out):
        sink = SyslogSink(settings(f"syslog+{way}://127.0.0.1:{port}"), "bastion")
        answer = sink.send(parcels(*events), after(10))
        assert [one.verdict for one in answer.results] == [Verdict.ACCEPTED] * 20, answer.down
        found = lines(out, 20)
    for line, told in zip(found, events, strict=True):
        assert f'eventId="{told.event_id}"' in line["sd"]
        assert line["msg"].removeprefix("\ufeff") == told.summary
        assert (line["severity"], line["host"], line["app"]) == ("2", "bastion", "sparkctl")


@pytest.mark.slow
def test_rsyslogd_over_tls_and_only_with_the_right_name(tmp_path: Path) -> None:
    if not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so")):
        pytest.skip("rsyslogd has no TLS here: install the package rsyslog-openssl")
    ours = Authority(tmp_path)
    certificate, key = ours.certificate("127.0.0.1")
    tls = TLS_GLOBALS.format(ca=ours.file, certificate=certificate, key=key)
    with rsyslogd(tmp_path, TLS, tls) as (port, out):
        sink = SyslogSink(settings(f"syslog+tls://127.0.0.1:{port}", ca_file=ours.file), "bastion")
        answer = sink.send(parcels(event(1), event(2)), after(10))
        assert [one.verdict for one in answer.results] == [Verdict.ACCEPTED] * 2, answer.down
        other = SyslogSink(settings(f"syslog+tls://localhost:{port}", ca_file=ours.file), "bastion")
        wrong = other.send(parcels(event(3)), after(10))
        assert wrong.down is not None
        assert "is not believed" in wrong.down.words
        found = lines(out, 2)
    assert [event(number).event_id in line["sd"] for number, line in enumerate(found, 1)] == [True, True]
