"""A token of a Hub, for curl and for git: from one private file into others, never into an argument or a log."""

import base64
import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparkctl.errors import UsageError

_TOKEN = re.compile(r"[A-Za-z0-9_.=~+/-]{8,500}")


@dataclass(frozen=True, slots=True)
class Login:
    """Private files for two programs; None where no token is needed."""

    curl: Path | None = None
    git: Path | None = None


def token_in(path: Path) -> str:
    """The token in a file that its owner alone can read; raises UsageError, which does not quote it."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(2000)
    except OSError as error:
        raise UsageError(f"the token in {path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
        raise UsageError(f"the token in {path} can be read by others", hint=f"chmod 600 {path}")
    token = content.decode("latin-1").strip()
    if not _TOKEN.fullmatch(token):
        raise UsageError(f"there is no token in {path}", hint="it holds one line, which begins with hf_")
    return token


@contextlib.contextmanager
def login(endpoint: str, token_file: str | None, work: Path) -> Iterator[Login]:
    """Files from which curl and git take the token while the block lasts; they are gone after it."""
    if token_file is None:
        yield Login()
        return
    token = token_in(Path(token_file))
    basic = base64.b64encode(f"hf_user:{token}".encode()).decode()
    # curl sends it to no other host that it is led to, and git is not led anywhere.
    made = Login(work / "login.curl", work / "login.git")
    try:
        _private(made.curl, f'oauth2-bearer = "{token}"\n')
        _private(made.git, f'[http "{endpoint}/"]\n\textraHeader = Authorization: Basic {basic}\n')
        yield made
    finally:
        for path in (made.curl, made.git):
            if path is not None:
                path.unlink(missing_ok=True)


def _private(path: Path | None, text: str) -> None:
    assert path is not None  # noqa: S101
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
