"""Canaries: invented secrets of every class, sent through the redactor before anything is sealed.

Each is made so that one rule alone finds it. What comes out of the other end with a canary in it was not redacted.
"""

import base64
import binascii
import io
import json
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Kind, Redactor
from sparkctl.redaction.standins import WORDS, Class

LETTERS, DIGITS, HEX = "bcdfghjkmnpqrstvwxz", "0123456789", "0123456789abcdef"
ALNUM = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


@dataclass(frozen=True)
class Canary:
    """A secret that one rule finds within its `text`."""

    rule: str
    kind: Class
    secret: bytes
    text: bytes


Make = Callable[[random.Random], tuple[str, str]]
"""Makes a secret and the text around it, `{}` for its place."""


def _of(letters: str, size: int) -> Callable[[random.Random], str]:
    return lambda chance: "".join(chance.choices(letters, k=size))


_word, _name = _of(ALNUM, 24), _of(LETTERS, 11)


def _in(text: str, secret: Callable[[random.Random], str]) -> Make:
    return lambda chance: (secret(chance), text)


def _prefixed(prefix: str, letters: str = ALNUM, size: int = 36) -> Make:
    return lambda chance: (prefix + _of(letters, size)(chance), "saw {} there")


def _password(chance: random.Random) -> str:
    return f"7{_word(chance)}!"


def _uuid(chance: random.Random) -> str:
    digits = _of(HEX, 32)(chance)
    return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:]))


def _pairs(mark: str, count: int = 6) -> Callable[[random.Random], str]:
    return lambda chance: mark.join(["02", *(f"{chance.randrange(16, 256):02x}" for _ in range(count - 1))])


def _groups(mark: str, count: int) -> Callable[[random.Random], str]:
    return lambda chance: mark.join(f"{chance.randrange(4096, 40_960):04x}" for _ in range(count))


def _ipv4(chance: random.Random) -> str:
    return ".".join(str(chance.randrange(20, 90)) for _ in range(4))


def _ipv6(chance: random.Random) -> str:
    return "2a01:" + _groups(":", 3)(chance) + "::" + _groups(":", 2)(chance)


def _ssh_key(chance: random.Random) -> tuple[str, str]:
    kind = b"ssh-ed25519"
    blob = len(kind).to_bytes(4, "big") + kind + (32).to_bytes(4, "big") + chance.randbytes(32)
    coded = base64.b64encode(blob).decode()
    return coded[24:], f"ssh-ed25519 {coded[:24]}{{}} c"


def _pem(chance: random.Random) -> tuple[str, str]:
    body = base64.b64encode(chance.randbytes(48)).decode()
    return body, "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----"


def _again(kind: Class) -> Make:
    letters = _of("abcdefghijklmnopqrstuvwxyz234567", 10)
    text = "saw {}.invalid" if kind is Class.DOMAIN else "saw {} there"
    return lambda chance: (f"{kind.value}-x{letters(chance)}", text)


_MAKERS: dict[str, tuple[Class, Make]] = {
    **{f"again.{kind.value}": (kind, _again(kind)) for kind in WORDS},
    "url.credentials": (Class.SECRET, _in("via http://{}@localhost/x", _password)),
    "secret.header": (Class.SECRET, _in("Authorization: Basic {}", _word)),
    "secret.cookie": (Class.SECRET, _in("Cookie: sid={}", _word)),
    "secret.bearer": (Class.SECRET, _in("sent bearer 7{}", _word)),
    "secret.value": (Class.SECRET, _in("DB_PASSWORD={}", _password)),
    "secret.option": (Class.SECRET, _in("tool --password {}", _password)),
    "secret.docker": (Class.SECRET, _in('"auth": "{}"', _word)),
    "secret.netrc": (Class.SECRET, _in("machine m login l password {}", _password)),
    "secret.crypt": (Class.SECRET, _in("$6$salt${} x", _of(ALNUM, 60))),
    "token.github": (Class.SECRET, _prefixed("ghp_")),
    "token.gitlab": (Class.SECRET, _prefixed("glpat-")),
    "token.huggingface": (Class.SECRET, _prefixed("hf_")),
    "token.nvidia": (Class.SECRET, _prefixed("nvapi-")),
    "token.openai": (Class.SECRET, _prefixed("sk-")),
    "token.aws": (Class.SECRET, _prefixed("AKIA", "ABCDEFGHJKLMNPQRSTUVWXYZ", 16)),
    "token.google": (Class.SECRET, _prefixed("AIza", ALNUM, 35)),
    "token.slack": (Class.SECRET, _prefixed("xoxb-")),
    "token.stripe": (Class.SECRET, _prefixed("sk_live_")),
    "token.registry": (Class.SECRET, _prefixed("npm_")),
    "token.vault": (Class.SECRET, _prefixed("hvs.")),
    "token.tailscale": (Class.SECRET, _prefixed("tskey-auth-")),
    "token.jwt": (
        Class.SECRET,
        lambda chance: (f"eyJ{_word(chance)}.eyJ{_word(chance)}.{_word(chance)}", "saw {} there"),
    ),
    "ssh.key": (Class.SSH_KEY, _ssh_key),
    "ssh.fingerprint": (Class.FINGERPRINT, _in("key SHA256:{} x", _of(ALNUM, 43))),
    "user.home": (Class.USER, _in("in /home/{}/x", _name)),
    "user.named": (Class.USER, _in("acct={} x", _name)),
    "user.spoken": (Class.USER, _in("opened for user {} now", _name)),
    "user.id": (Class.USER, _in("uid=1001({}) x", _name)),
    "user.sudo": (Class.USER, _in("sudo[12]: {} : x", _name)),
    "user.at": (Class.USER, _in("to {}@mail.nvidia.com x", _name)),
    "host.named": (Class.HOST, _in("rhost={} x", _name)),
    "domain.name": (Class.DOMAIN, _in("at db.{}.corp x", _name)),
    "serial.named": (Class.SERIAL, lambda chance: (f"{_name(chance).upper()}7", "Serial Number: {}")),
    "ssid.named": (Class.SSID, _in('SSID: "{}"', _name)),
    "uuid.dashed": (Class.UUID, _in("id {} x", _uuid)),
    "uuid.plain": (Class.UUID, _in("id {} x", _of(HEX, 32))),
    "uuid.volume": (Class.HEX, _in("UUID={} x", lambda chance: _groups("-", 2)(chance).upper())),
    "mac.separated": (Class.MAC, _in("at {} x", _pairs(":"))),
    "mac.dotted": (Class.MAC, _in("at {} x", lambda chance: f"02ab.{_groups('.', 2)(chance)}")),
    "mac.interface": (Class.MAC, _in("on enx{} x", _pairs(""))),
    "mac.guid": (Class.MAC, _in("at {} x", _groups(":", 4))),
    "hex.named": (Class.HEX, _in("eui.{} x", _of(HEX, 16))),
    "hex.tpm": (Class.HEX, _in("000b{} x", _of(HEX, 64))),
    "ipv6": (Class.IPV6, _in("at {} x", _ipv6)),
    "ipv4": (Class.IPV4, _in("at {} x", _ipv4)),
    "pem": (Class.PEM, _pem),
}
HARVESTED: dict[str, tuple[Class, str, str]] = {
    "known.host": (Class.HOST, "etc/hostname", "{}\n"),
    "known.domain": (Class.DOMAIN, "etc/resolv.conf", "search {}\n"),
    "known.user": (Class.USER, "etc/passwd", "{}:x:1000:1000::/:/bin/sh\n"),
    "known.person": (Class.PERSON, "etc/passwd", "root1:x:1000:1000:{}:/:/bin/sh\n"),
    "known.serial": (Class.SERIAL, "sys/devices/virtual/dmi/id/product_serial", "{}\n"),
    "known.ssid": (Class.SSID, "etc/NetworkManager/system-connections/x", "ssid={}\n"),
    "known.secret": (Class.SECRET, "etc/NetworkManager/system-connections/x", "psk={}\n"),
}
"""Canaries that no pattern finds: they are known from a file that tells them. The file and what it says."""


def canaries(known: Known, seed: int | None = None) -> tuple[Canary, ...]:
    """Fresh canaries for every rule; those without a pattern are made known as a node's own values are.

    To be called before the redactor is made, which takes over what is known by then.
    """
    chance = random.Random(secrets.randbits(64) if seed is None else seed)  # noqa: S311 - they guard nothing
    made = []
    for rule, (kind, make) in _MAKERS.items():
        secret, text = make(chance)
        made.append(Canary(rule, kind, secret.encode(), text.format(secret).encode()))
    for rule, (kind, path, content) in HARVESTED.items():
        secret = _name(chance) + "7"
        known.harvest(path, content.format(secret).encode())
        made.append(Canary(rule, kind, secret.encode(), f"about {secret} here".encode()))
    return tuple(made)


def encoded(text: bytes) -> Iterator[tuple[str, bytes]]:
    """A text in each of the encodings that the redactor looks into."""
    yield "plain", text
    for before in range(3):
        yield f"base64.{before}", base64.b64encode(b"- " + b"-" * before + text + b" -")
    yield "base64.url", base64.urlsafe_b64encode(b"- " + text + b" -")
    yield "hex", binascii.hexlify(text)
    yield "url", b"".join(b"%%%02X" % byte for byte in text)
    yield "json", b"".join(b"\\u%04x" % byte for byte in text)
    yield "json.string", json.dumps(text.decode()).encode()


def wrapped(kind: Kind, texts: Sequence[bytes]) -> bytes:
    """A small artefact of a kind that holds texts."""
    words = [text.decode("ascii") for text in texts]
    if kind is Kind.JSON:
        return json.dumps({"a": 1, "notes": words}).encode() + b"\n"
    if kind is Kind.JOURNAL_JSON:
        messages = [*words, *map(list, texts)]
        return b"".join(json.dumps({"MESSAGE": message, "_PID": "1"}).encode() + b"\n" for message in messages)
    if kind is Kind.RECORDING:
        shown = "".join(f"{word}\n{json.dumps({'note': word})}\n" for word in words)
        return json.dumps([{"argv": ["show", *words], "stdout": shown, "stderr": "", "rc": 0}]).encode()
    if kind is Kind.NUL:
        return b"program\0" + b"\0".join(texts) + b"\0last\0"
    if kind is Kind.BINARY:
        wide = (word.encode("utf-16-le") for word in words)
        return b"\x00\x01\x02" + b"\x00\x03".join((*texts, *wide)) + b"\x00\xff\xfe"
    return b"before\n" + b"\nbetween\n".join(texts) + b"\nafter\n"


def rehearsed(redactor: Redactor, canaries: Sequence[Canary]) -> bytes:
    """Everything that comes out for canaries: in artefacts of every kind, in every encoding, and in names of files."""
    out = io.BytesIO()
    forms = [dict(encoded(canary.text)) for canary in canaries]
    for kind in Kind:
        for form in forms[0]:
            redactor.trial(kind, wrapped(kind, [one[form] for one in forms]), out)
    for one in forms:
        for form in ("plain", "base64.url", "hex"):
            name = one[form].decode("ascii")
            out.write(b"\n" + redactor.trial_path(f"var/log/{name}").encode() if "\n" not in name else b"")
    return out.getvalue()
