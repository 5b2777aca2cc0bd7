"""Time stamps (RFC 3161) by `openssl ts`: requests and responses are files, so that they cross an air gap."""

import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.printable import printable

SECONDS = 30.0
MAX_RESPONSE = 256 * 1024  # bytes; a response with its certificates has a few thousand
_WHEN = re.compile(r"^Time stamp: (\w{3}) +(\d{1,2}) (\d{2}:\d{2}:\d{2})(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)

Ran = subprocess.CompletedProcess[bytes]


def request_for(content: bytes) -> bytes:
    """A request over the SHA-256 of a content, with a nonce, that asks for the authority's certificate.

    Raises UsageError where there is no openssl.
    """
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (data := Path(scratch) / "data").write_bytes(content)
        out = Path(scratch) / "request"
        ran = _openssl("-query", "-data", str(data), "-sha256", "-cert", "-out", str(out))
        if ran.returncode != 0:
            raise UsageError(f"no request was made: {_words(ran)}", hint="does `openssl ts` work here?")
        return out.read_bytes()


def stamped_at(content: bytes, response: Path, authorities: Path) -> datetime:
    """When an authority says that it saw a content, to the second.

    Raises RefusedError when the response is not over it, or not of an authority that leads to one of `authorities`
    (certificates in PEM); UsageError for what cannot be read.
    """
    for file in (response, authorities):
        if not file.is_file():
            raise UsageError(f"there is no file {file}", hint="name a response, and the authority's root in PEM")
    if response.stat().st_size > MAX_RESPONSE:
        raise UsageError(f"{response} is no response: it is larger than {MAX_RESPONSE // 1024} KiB")
    answer = str(response.absolute())
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (data := Path(scratch) / "data").write_bytes(content)
        ran = _openssl("-verify", "-data", str(data), "-in", answer, "-CAfile", str(authorities.absolute()))
    if ran.returncode != 0:
        raise RefusedError(
            f"{response} does not hold: {_words(ran)}",
            hint="is it the response to this request, of an authority you trust?",
        )
    shown = _WHEN.search(_openssl("-reply", "-in", answer, "-text").stdout.decode("utf-8", "replace"))
    if shown is None:
        raise UsageError(f"{response} does not tell when, in a form that is known")
    return datetime.strptime(" ".join(shown.groups()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def _openssl(*arguments: str) -> Ran:
    try:
        return subprocess.run(
            ["openssl", "ts", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise UsageError("there is no openssl here", hint="install it") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"openssl did not end within {SECONDS:g} s") from error


def _words(ran: Ran) -> str:
    lines = (ran.stderr or ran.stdout).decode("utf-8", "replace").splitlines()
    told = [line.strip() for line in lines if line.strip() and not line.startswith("Using configuration")]
    return printable("; ".join(told), 300) or f"openssl ended with {ran.returncode}"
