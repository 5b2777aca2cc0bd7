"""The webhook, and with it the HTTP client, against servers that behave and servers that do not."""

import base64
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.sink import Answer, SinkSettings, Verdict
from sparkctl.resources import shipped
from sparkctl.sinks.webhook import WebhookSink
from tests.sinks.certificates import Authority
from tests.sinks.events import SECRET, event, parcels, settings, token
from tests.sinks.receivers import Receiver, Reply, Request, free_port, receiver, silent_port

PAGE = shipped("docs") / "sinks.md"


def printed(line: str, folder: Path) -> str:
    """What a line of shell prints."""
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, cwd=folder).stdout.strip()


def post(to: SinkSettings, count: int = 1, seconds: float = 10.0) -> Answer:
    sink = WebhookSink(to)
    try:
        return sink.send(parcels(*(event(number) for number in range(count))), time.monotonic() + seconds)
    finally:
        sink.close()


def hook(port: int, scheme: str = "http", **parts: Any) -> SinkSettings:
    return settings(f"webhook+{scheme}://127.0.0.1:{port}/hook?x=1", **parts)


def test_an_event_is_posted_with_its_key_and_a_signature_that_others_can_verify(
    tmp_path: Path,
) -> None:
    with receiver() as seen:
        answer = post(hook(seen.port, secret=token(tmp_path)), 3)
    assert [result.verdict for result in answer.results] == [Verdict.ACCEPTED] * 3
    assert seen.connections == 1
    assert seen.ids == [event(number).event_id for number in range(3)]
    request = seen.requests[0]
    assert request.path == "/hook?x=1"
    assert request.json["event_id"] == seen.ids[0]
    signed = request.headers["x-sparkctl-timestamp"].encode() + b"." + request.body
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "key").write_bytes((tmp_path / "token").read_bytes())
    (documented,) = (line.strip() for line in PAGE.read_text().splitlines() if "import hmac" in line)
    openssl = shutil.which("openssl")
    assert request.headers["x-sparkctl-signature"] == f"sha256={printed(documented, tmp_path)}"
    if openssl is None:
        pytest.skip("no openssl here: install it to verify signatures as a receiver would")
    line = f"{openssl} dgst -sha256 -mac HMAC -macopt key:$(cat token) -r signed | cut -d ' ' -f 1"
    assert request.headers["x-sparkctl-signature"] == f"sha256={printed(line, tmp_path)}"


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_what_is_about_the_event_is_refused_and_the_next_one_goes(status: int) -> None:
    def answer(request: Request) -> Reply:
        return Reply(status if request.headers["idempotency-key"] == event(0).event_id else 200)

    with receiver(answer) as seen:
        results = post(hook(seen.port), 2).results
    assert [result.verdict for result in results] == [Verdict.REFUSED, Verdict.ACCEPTED]
    assert str(status) in results[0].words


@pytest.mark.parametrize("status", [401, 403, 404, 429, 502, 503])
def test_what_is_not_about_the_event_ends_the_batch(status: int) -> None:
    with receiver(lambda _: Reply(status, headers={"Retry-After": "120"})) as seen:
        answer = post(hook(seen.port), 3)
    assert answer.results == []
    assert answer.down is not None
    assert (str(status) in answer.down.words, answer.down.retry_after_s, answer.tried) == (True, 120.0, 1)
    assert len(seen.requests) == 1


def test_three_failures_in_a_row_are_not_the_events() -> None:
    with receiver(lambda _: Reply(500)) as seen:
        answer = post(hook(seen.port), 10)
    assert [result.verdict for result in answer.results] == [Verdict.FAILED] * 3
    assert answer.down is not None


def test_a_redirect_is_not_followed_and_carries_nothing_elsewhere(tmp_path: Path) -> None:
    with receiver() as other, receiver() as seen:
        seen.answer = lambda _: Reply(307, headers={"Location": f"http://127.0.0.1:{other.port}/"})
        answer = post(hook(seen.port, secret=token(tmp_path)))
    assert answer.down is not None
    assert "not followed" in answer.down.words
    assert other.requests == []


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"), "broke off"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf"), "broke off"),
        (Reply(raw=b""), "closed the connection"),
        (Reply(raw=b"SSH-2.0-OpenSSH_9.6\r\n"), "not HTTP"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500), "not HTTP"),
        (Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (5 * 2**20)), "more than 4 MiB"),
    ],
)
def test_answers_that_are_none(reply: Reply, words: str) -> None:
    with receiver(lambda _: reply) as seen:
        answer = post(hook(seen.port))
    assert answer.results == []
    assert answer.down is not None
    assert words in answer.down.words


def test_who_says_nothing_or_drips_costs_the_time_limit_and_no_more() -> None:
    dripping = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100, drip_s=0.05)
    with silent_port() as silent, receiver(lambda _: dripping) as seen:
        for port in (silent, seen.port):
            started = time.monotonic()
            answer = post(hook(port, timeout_s=0.3))
            assert time.monotonic() - started < 1.5
            assert answer.down is not None
            assert "in time" in answer.down.words


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with receiver() as seen:
        sink = WebhookSink(hook(seen.port))
        for number in range(2):
            seen.answer = lambda _: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")  # and closes, unsaid
            answer = sink.send(parcels(event(number)), time.monotonic() + 5)
            assert answer.down is None
            time.sleep(0.05)
        sink.close()
    assert len(seen.requests) == 2


def test_nobody_listens() -> None:
    answer = post(hook(free_port()))
    assert answer.down is not None
    assert "Connection refused" in answer.down.words


def test_tls_is_checked(tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    with receiver(context=ours.server_context()) as seen:
        assert post(hook(seen.port, "https", ca_file=ours.file)).down is None
        for trusted in (theirs.file, None):
            answer = post(hook(seen.port, "https", ca_file=trusted))
            assert answer.down is not None
            assert "is not believed" in answer.down.words
    with receiver(context=ours.server_context("other.example.org")) as seen:
        answer = post(hook(seen.port, "https", ca_file=ours.file))
        assert answer.down is not None
        assert "is not believed" in answer.down.words
    with receiver() as plain:
        answer = post(hook(plain.port, "https", ca_file=ours.file))
        assert answer.down is not None
        assert "TLS" in answer.down.words


def test_a_proxy_is_asked_and_its_password_is_its_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with receiver() as seen, Proxy(seen) as (port, asked):
        monkeypatch.setenv("HTTP_PROXY", f"http://me:pa%20ss@127.0.0.1:{port}")
        answer = post(settings(f"webhook+http://localhost:{seen.port}/", proxy=f"http://127.0.0.1:{port}"))
        assert answer.down is None
        assert post(settings("webhook+http://sink.example.org/")).down is None
        assert post(settings("webhook+http://denied.example.org/")).down is not None
    assert asked[0].startswith(f"CONNECT localhost:{seen.port} HTTP/1.1\r\n")
    login = base64.b64encode(b"me:pa ss").decode()
    assert "Proxy-Authorization" not in asked[0]
    assert f"Proxy-Authorization: Basic {login}\r\n" in asked[1]
    assert all("proxy-authorization" not in request.headers for request in seen.requests)


class Proxy:
    """A proxy that connects to one receiver, whatever it is asked for, but for one host."""

    def __init__(self, seen: Receiver) -> None:
        self._seen, self._asked = seen, list[str]()
        self._server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> tuple[int, list[str]]:
        threading.Thread(target=self._serve, daemon=True).start()
        return self._server.getsockname()[1], self._asked

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self._asked.append(head.decode())
            if b"denied" in head:
                client.sendall(b"HTTP/1.1 403 No\r\n\r\n")
                client.close()
                continue
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            far = socket.create_connection(("127.0.0.1", self._seen.port))
            for a, b in ((client, far), (far, client)):
                threading.Thread(target=_pump, args=(a, b), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        target.close()


@pytest.mark.parametrize(("mode", "words"), [(0o644, "read by others"), (0o660, "read by others")])
def test_a_secret_that_others_may_read_is_not_used(tmp_path: Path, mode: int, words: str) -> None:
    secret = token(tmp_path)
    (tmp_path / "token").chmod(mode)
    with receiver() as seen:
        answer = post(hook(seen.port, secret=secret))
    assert answer.down is not None
    assert words in answer.down.words
    assert seen.requests == []


def test_a_server_that_repeats_the_secret_does_not_get_it_into_our_words(tmp_path: Path) -> None:
    with receiver(lambda _: Reply(403, body=f"no entry for {SECRET}\x1b[31m".encode())) as seen:
        answer = post(hook(seen.port, secret=token(tmp_path)))
    assert answer.down is not None
    assert "[secret]" in answer.down.words
    assert SECRET not in answer.down.words
    assert "\x1b" not in answer.down.words
