"""A web server on loopback whose answers are a test's own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Loopback:
    """Serves what `answer` says while it is entered."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a GET or a POST."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def do_POST(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def origin(self) -> str:
        """Where it is: scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"
