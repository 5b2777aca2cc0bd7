"""Secrets of sinks: read when they are needed, and hidden wherever they might be repeated."""

import base64
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sparkctl.model.sink import SecretFrom, SecretRef
from sparkctl.sinks.seam import SinkTrouble

MAX_BYTES = 64 * 1024
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
HIDDEN = "[secret]"


class Secret:
    """A secret, which neither its text nor its repr tells."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The secret itself."""
        return self._value

    def header(self) -> str:
        """The secret as a part of an HTTP header; raises SinkTrouble when it cannot stand there."""
        text = self._value.decode("latin-1")
        if not text.isascii() or not text.isprintable() or " " in text:
            raise SinkTrouble("the token holds characters that no token has: spaces, controls or letters beyond ASCII")
        return text

    def basic(self, user: str) -> str:
        """The secret as the password of a user, as HTTP has it (RFC 7617)."""
        return base64.b64encode(f"{user}:".encode() + self._value).decode()

    def hide(self, words: str, user: str | None = None) -> str:
        """Words of somebody else, without the secret, also where it stands as the password of `user`."""
        text = self._value.decode("utf-8", "replace")
        if user is not None:
            words = words.replace(self.basic(user), HIDDEN)
        return words.replace(text, HIDDEN) if len(text) > 3 else words

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"


def read_secret(ref: SecretRef, environ: Mapping[str, str]) -> Secret:
    """The secret that is meant, without the end of its line; raises SinkTrouble where it cannot be had safely."""
    if ref.source is SecretFrom.ENVIRONMENT:
        value = environ.get(ref.name, "").encode()
    elif ref.source is SecretFrom.FILE:
        value = read_private(Path(ref.name))
    else:
        folder = environ.get(CREDENTIALS_VARIABLE)
        if not folder:
            raise SinkTrouble(f"there is no {ref.words}: this runs in no unit with LoadCredential={ref.name}:...")
        value = _read(Path(folder, ref.name))
    value = value.strip(b"\r\n")
    if not value:
        raise SinkTrouble(f"{ref.words} is empty or not there")
    return Secret(value)


def read_private(path: Path) -> bytes:
    """The content of a file that only its owner, who is we or root, may read."""
    return _read(path, private=True)


def require_private(path: Path) -> None:
    """Raise SinkTrouble for a file that others than its owner may read."""
    _read(path, private=True)


def _read(path: Path, *, private: bool = False) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise SinkTrouble(f"{path} is no regular file")
            if private and found.st_mode & 0o077:
                raise SinkTrouble(f"{path} may be read by others, mode {found.st_mode & 0o777:04o}: chmod 600 {path}")
            if private and found.st_uid not in (0, os.geteuid()):
                raise SinkTrouble(f"{path} belongs to somebody else, who could change it")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SinkTrouble(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise SinkTrouble(f"{path} is larger than {MAX_BYTES // 1024} KiB, which no secret is")
    return content
