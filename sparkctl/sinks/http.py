"""HTTP as sinks need it: one host, no redirects, bounded answers, and an end in time.

Python's own client does; what it lacks is a bound on a whole exchange, and manners about secrets.
"""

import base64
import contextlib
import http.client
import ipaddress
import json
import os
import re
import socket
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from sparkctl import __version__
from sparkctl.model.printable import printable
from sparkctl.model.sink import SinkSettings
from sparkctl.sinks.seam import WORDS, SinkTrouble, left, reason
from sparkctl.sinks.secret import MAX_BYTES, Secret, read_secret
from sparkctl.sinks.wire import connected, cut_off, secured, tls_context

ANSWER_BYTES = 4 * 2**20
LONGEST_RETRY_S = 3600.0
DOWN = frozenset({401, 403, 404, 405, 407, 408, 425, 429, 502, 503, 504})
"""Answers that are not about the event: it may be a good one, and the token, the address or the moment wrong."""

DIRECT = "none"
_QUOTABLE = WORDS + MAX_BYTES  # bytes in which the secret is looked for


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `words` are what it says, for people, without secrets."""

    status: int
    body: bytes
    words: str
    retry_after_s: float | None

    @property
    def good(self) -> bool:
        """Whether it was done as asked."""
        return 200 <= self.status < 300

    @property
    def document(self) -> Any:
        """What was said, as JSON; raises ValueError where it is none, or nested deeper than any answer is."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def require_up(self) -> None:
        """Raise SinkTrouble when the answer is not about what was sent."""
        if self.status in DOWN:
            raise SinkTrouble(self.words, self.retry_after_s)
        if 300 <= self.status < 400:
            raise SinkTrouble(f"{self.words}: it points elsewhere, which is not followed; write the address itself")


class HttpClient:
    """Requests to the address of a sink, over one connection as long as it holds."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._plain = settings.address.scheme.endswith("http")
        self._host, self._port = settings.address.host, settings.address.port or (80 if self._plain else 443)
        self._connection: http.client.HTTPConnection | None = None
        self._secret: Secret | None = None

    def secret(self) -> Secret | None:
        """The secret of the sink, read once; raises SinkTrouble."""
        if self._secret is None and self._settings.secret is not None:
            self._secret = read_secret(self._settings.secret, os.environ)
        return self._secret

    def post(self, path: str, body: bytes, headers: Mapping[str, str], until: float) -> Response:
        """Send a body and wait for the answer; raises SinkTrouble when there is none, or it is too long.

        A connection that the far side closed since the last request is opened anew, once.
        """
        again = self._connection is not None
        try:
            return self._exchange(path, body, headers, until)
        except (ConnectionError, http.client.RemoteDisconnected, http.client.CannotSendRequest) as error:
            self.close()
            if not again:
                raise SinkTrouble(f"{self._host} closed the connection: {_said(error)}") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise SinkTrouble(f"{self._host}: {_said(error)}") from error
        try:
            return self._exchange(path, body, headers, until)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise SinkTrouble(f"{self._host}: {_said(error)}") from error

    def _exchange(self, path: str, body: bytes, headers: Mapping[str, str], until: float) -> Response:
        connection = self._connection or self._open(until)
        self._connection = connection
        whole = {"User-Agent": f"sparkctl/{__version__}", "Accept": "application/json", **headers}
        with cut_off(connection.sock, until, self._settings.timeout_s):
            connection.request("POST", path or "/", body, whole)
            answer = connection.getresponse()
            content = answer.read(ANSWER_BYTES + 1)
        if len(content) > ANSWER_BYTES:
            self.close()
            raise SinkTrouble(f"{self._host} answered with more than {ANSWER_BYTES // 2**20} MiB")
        if answer.length:
            raise http.client.IncompleteRead(content)
        if answer.will_close:
            self.close()
        return Response(answer.status, content, self._words(answer, content), _retry_after(answer))

    def _words(self, answer: http.client.HTTPResponse, content: bytes) -> str:
        # Hidden before it is cut, so that no half of a secret is left at the end.
        said = self.hide(content[:_QUOTABLE].decode("utf-8", "replace")).strip()
        return printable(f"{answer.status} {self.hide(answer.reason)} {said}".strip(), WORDS)

    def hide(self, words: str) -> str:
        """Words of the far side, which may repeat what it was sent, without the secret."""
        return self._secret.hide(words, self._settings.user) if self._secret else words

    def _open(self, until: float) -> http.client.HTTPConnection:
        timeout_s = self._settings.timeout_s
        proxy = _proxy(self._settings, plain=self._plain)
        host, port = (proxy.host, proxy.port) if proxy else (self._host, self._port)
        plain = connected(host, port, until, timeout_s)
        try:
            plain.settimeout(left(until, timeout_s))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy:
                with cut_off(plain, until, timeout_s):
                    _tunnel(plain, self._host, self._port, proxy)
        except BaseException:
            plain.close()
            raise
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        # The connection is ours already: http.client only speaks over it, and never opens one of its own.
        connection.auto_open = 0
        connection.sock = (
            plain if self._plain else secured(plain, tls_context(self._settings), self._host, until, timeout_s)
        )  # fmt: skip
        return connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None


def is_loopback(host: str) -> bool:
    """Whether nothing that is sent there leaves this machine."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _said(error: BaseException) -> str:
    if isinstance(error, OSError):
        return reason(error)
    if isinstance(error, http.client.IncompleteRead):
        return "its answer broke off"
    return f"this is not HTTP ({type(error).__name__})"


def _retry_after(answer: http.client.HTTPResponse) -> float | None:
    """Seconds, or a date (RFC 9110, section 10.2.3)."""
    said = answer.getheader("Retry-After")
    if said is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", said.strip()):
        return min(float(said), LONGEST_RETRY_S)
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return None
    wait = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0.0), LONGEST_RETRY_S)


@dataclass(frozen=True, slots=True, repr=False)
class _Proxy:
    host: str
    port: int
    authorization: str | None


def _proxy(settings: SinkSettings, *, plain: bool) -> _Proxy | None:
    """The proxy of the file, else that of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."""
    if settings.proxy == DIRECT:
        return None
    named = settings.proxy
    if named is None:
        if is_loopback(settings.address.host) or urllib.request.proxy_bypass(settings.address.host):
            return None
        named = urllib.request.getproxies_environment().get("http" if plain else "https")
    if not named:
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    try:
        host, port = parts.hostname, parts.port or 3128
    except ValueError:
        host, port = None, 0
    if parts.scheme != "http" or not host:
        raise SinkTrouble("the proxy must be an address such as http://proxy.example.org:3128")
    login = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = base64.b64encode(pair.encode()).decode()
    return _Proxy(host, port, login)


def _tunnel(plain: socket.socket, host: str, port: int, proxy: _Proxy) -> None:
    """Have a proxy connect to the far side, also for plain HTTP (RFC 9110, section 9.3.6); raises SinkTrouble."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    login = f"Proxy-Authorization: Basic {proxy.authorization}\r\n" if proxy.authorization else ""
    plain.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{login}\r\n".encode("ascii"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = plain.recv(1) if len(answer) < 64 * 1024 else b""
        if not part:
            raise SinkTrouble(f"the proxy {proxy.host} gave no whole answer")
        answer += part
    first = answer.split(b"\r\n", 1)[0].decode("latin-1")
    if not re.match(r"HTTP/1\.[01] 2[0-9][0-9]( |$)", first):
        raise SinkTrouble(f"the proxy {proxy.host} does not let us through: {first}")
