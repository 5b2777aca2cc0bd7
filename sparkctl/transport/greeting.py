"""The first bytes of the far side: whether it speaks SSH, and the moment its key exchange begins."""

from collections.abc import Callable

_LINE_LIMIT = 4096


class Greeting:
    """Looks at what arrives until the key exchange begins, then calls `on_key_exchange` once and looks no more.

    A server may print lines before its version (RFC 4253, section 4.2); `said` is the beginning of the first line.
    """

    def __init__(self, on_key_exchange: Callable[[], None]) -> None:
        self.is_ssh = False
        self.said = b""
        self._line = b""
        self._lines = 0
        self._on_key_exchange: Callable[[], None] | None = on_key_exchange

    @property
    def is_foreign(self) -> bool:
        """Whether something was said, and none of it was SSH."""
        return bool(self.said) and not self.is_ssh

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        if self._on_key_exchange is None:
            return
        while data and not self.is_ssh:
            head, newline, data = data.partition(b"\n")
            self._line = (self._line + head)[:_LINE_LIMIT]
            if self._lines == 0:
                self.said = self._line
            if newline:
                self.is_ssh = self._line.startswith((b"SSH-2.0-", b"SSH-1.99-"))
                self._line = b""
                self._lines += 1
        if self.is_ssh and data:
            callback, self._on_key_exchange = self._on_key_exchange, None
            callback()
