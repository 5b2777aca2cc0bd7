"""The address of a sink, as its `url` says: a scheme of ours and a place, and never a secret."""

import re
from urllib.parse import parse_qsl, urlsplit

from sparkctl.model.base import PRINTABLE
from sparkctl.model.sink import Address
from sparkctl.sinks.registry import SCHEMES, Where

_PRINTABLE = re.compile(PRINTABLE)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]{2,45}")

_SECRET = re.compile(r"(?i)token|secret|passw|signature|api_?key|^(key|sig|auth|code)$")
"""Names of what is asked for in an address where it is a secret: addresses are shown, and stand in messages."""


class BadAddress(ValueError):
    """What is wrong with an address, in half a sentence, and what to do. The address is not repeated: it may hold a
    secret.
    """

    def __init__(self, message: str, action: str) -> None:
        super().__init__(message)
        self.action = action


def address_of(text: str) -> Address:
    """The address that a text is; raises BadAddress."""
    if not _PRINTABLE.fullmatch(text) or len(text) > 1000 or " " in text:
        raise BadAddress("this must be one address without spaces, of at most 1,000 characters", "Correct it.")
    scheme, colon, _ = text.partition(":")
    if not colon or scheme not in SCHEMES:
        raise BadAddress("this is no address with a scheme that is known here", f"Known are: {', '.join(SCHEMES)}.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadAddress("this is no address: its host or port is none", "Write host:port.") from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        action = "Take it out, and name where the secret is: token_file, token_env or credential."
        raise BadAddress("a user or password must not stand in an address", action)
    if parts.fragment or text.endswith("#"):
        raise BadAddress("an address of a sink has no fragment", "Leave out what follows the `#`.")
    if any(_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        action = "Take it out, and name where the secret is: token_file, token_env or credential."
        raise BadAddress("a token or key must not stand in an address", action)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    _require_place(SCHEMES[scheme].where, scheme, host, path)
    return Address(scheme, host, port, path)


def _require_place(where: Where, scheme: str, host: str, path: str) -> None:
    if where is Where.HOST:
        if not _HOST.fullmatch(host):
            raise BadAddress("the address names no host", f"Write {scheme}://HOST:PORT.")
        if not path.isascii():
            raise BadAddress("the path has letters beyond ASCII", "Write them percent-encoded, %C3%BC for ü.")
        if scheme.startswith("syslog") and path.strip("/"):
            raise BadAddress("syslog has no path", f"Write {scheme}://HOST:PORT.")
        return
    if host:
        raise BadAddress("the address names a host, and this sink has none", f"Write {scheme}:///PATH, three slashes.")
    if where is Where.NOTHING and path:
        raise BadAddress("the address names a path, and this sink has none", f"Write {scheme}:")
    if where is Where.PATH and not path.startswith("/"):
        raise BadAddress("the address names no absolute path", f"Write {scheme}:///PATH, three slashes.")
    if "?" in path or ".." in path.split("/"):
        raise BadAddress("the path must be an absolute one without `..` and `?`", "Write it out.")
