"""Receivers on loopback for what sinks send: real HTTP servers that answer as a test says, well or badly."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """What came: the path with its query, the headers with their names in small letters, the body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What goes back. `raw` replaces all of it, byte for byte; `drip_s` waits between its bytes."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drip_s: float = 0.0


Answer = Callable[[Request], Reply]


@dataclass
class Receiver:
    """A server that remembers what it was asked."""

    port: int = 0
    answer: Answer = lambda _: Reply()
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def ids(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True  # head and body of an answer are two writes, the second of which would wait
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.server.seen.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.seen.requests.append(request)
        self._reply(self.server.seen.answer(request))

    def _reply(self, reply: Reply) -> None:
        if reply.raw is not None:
            self.close_connection = True
            for part in [bytes([one]) for one in reply.raw] if reply.drip_s else [reply.raw]:
                self.wfile.write(part)
                time.sleep(reply.drip_s)
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, seen: Receiver, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen, self._context = seen, context

    def handle_error(self, *_: Any) -> None:
        pass  # a client that leaves is what some tests are about

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._context is None:
            super().finish_request(request, client_address)
            return
        with self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
            secured.do_handshake()
            super().finish_request(secured, client_address)


@contextmanager
def receiver(answer: Answer | None = None, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of 127.0.0.1, with TLS where there is a context."""
    seen = Receiver(answer=answer or (lambda _: Reply()))
    server = _Server(seen, context)
    seen.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]
