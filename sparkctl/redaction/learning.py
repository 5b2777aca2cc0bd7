"""Learns from all that was collected what some of it tells by its context, before anything is redacted.

A password that stands behind `Authorization:` in one log may stand in the next one with nothing beside it.
"""

import base64
import binascii
import urllib.parse
from collections.abc import Callable, Sequence
from typing import BinaryIO

from sparkctl.redaction.guards import has_digit
from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Kind, Redactor, TooSlow
from sparkctl.redaction.rule import Rule
from sparkctl.redaction.rules import RULES
from sparkctl.redaction.standins import KEY_BYTES, WORDS, Class, Pseudonyms
from sparkctl.redaction.views import ESCAPE, unescaped, view

HARVESTED = 4 * 2**20
"""Bytes of an artefact that are looked through for what its place tells."""
LEAST_SECRET, LEAST_NAME, LEAST_LINE = 8, 5, 20
_STANDINS = tuple(b"%s-x" % kind.encode() for kind in WORDS)


class Learner:
    """Fills `known` with what artefacts tell; nothing that it reads is kept beside that."""

    def __init__(self, known: Known, *, rules: Sequence[Rule] = RULES) -> None:
        self._known = known
        telling = [rule for rule in rules if rule.kind in _TELLS]
        self._reader = Redactor(Pseudonyms(bytes(KEY_BYTES)), Known(), rules=telling, heard=self._hear)

    def read(self, name: str, kind: Kind, source: BinaryIO, *, seconds: float) -> None:
        """Learn from one artefact, named by its real path, in at most so many seconds."""
        self._known.harvest(name, source.read(HARVESTED))
        source.seek(0)
        try:
            self._reader.stream(name, kind, source, _Nowhere(), seconds=seconds)
        except TooSlow:
            self._known.leave_out(name.encode("utf-8", "surrogateescape"))

    def _hear(self, rule: str, kind: Class, value: bytes) -> None:
        if rule.startswith("again.") or value.lower().startswith(_STANDINS):
            return
        resolved = view(value, ESCAPE, unescaped, 0, len(value))
        value = resolved.data if resolved is not None else value
        if rule == "url.credentials":
            user, _, password = value.partition(b":")
            self._learn(Class.USER, urllib.parse.unquote_to_bytes(user))
            self._learn(Class.SECRET, urllib.parse.unquote_to_bytes(password))
        elif rule in ("secret.header", "secret.docker"):
            self._learn(Class.SECRET, _password_in(value))
        elif kind is Class.DOMAIN:
            host, *labels = value.split(b".")[:-1]
            self._learn(Class.HOST, host)
            for label in labels:
                self._learn(Class.DOMAIN, label)
        self._learn(kind, value)

    def _learn(self, kind: Class, value: bytes) -> None:
        if _TELLS[kind](value):
            self._known.learn(kind, value)


def _password_in(value: bytes) -> bytes:
    """The password of `user:password` in base64, as Basic and registries have it; nothing where there is none."""
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _is_secret(value: bytes) -> bool:
    return len(value) >= LEAST_SECRET and has_digit(value) and not value.isdigit()


def _is_line(value: bytes) -> bool:
    """A line of a key, and no word that a log puts before it."""
    return len(value) >= LEAST_LINE and has_digit(value) and value.upper() != value != value.lower()


def _is_name(value: bytes) -> bool:
    """What is no word of a language and no name of a device, such as `scsi0`."""
    digits = sum(byte in b"0123456789" for byte in value)
    return len(value) >= LEAST_NAME and 0 < digits < len(value) and (b"-" in value or digits > 2)


def _is_network(value: bytes) -> bool:
    return len(value) >= LEAST_NAME and (has_digit(value) or b" " in value)


def _is_machine(value: bytes) -> bool:
    """No number of a container, of which each is told in full elsewhere."""
    return _is_name(value) and not all(byte in b"0123456789abcdef" for byte in value)


_TELLS: dict[Class, Callable[[bytes], bool]] = {
    Class.SECRET: _is_secret,
    Class.PEM: _is_line,
    Class.USER: _is_name,
    Class.HOST: _is_machine,
    Class.DOMAIN: _is_name,
    Class.SERIAL: has_digit,
    Class.SSID: _is_network,
    Class.HEX: has_digit,
}
"""Whether a value is long and mixed enough to be nothing else wherever it stands."""


class _Nowhere:
    """Takes what is not wanted."""

    def write(self, data: bytes, /) -> int:
        return len(data)
