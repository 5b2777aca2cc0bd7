"""Stand-ins for real values: under one key always the same, under another key others, and nothing leads back."""

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from enum import StrEnum

from sparkctl.redaction.addresses import AddressMap
from sparkctl.redaction.kept import UUIDS, is_placeholder

KEY_BYTES = 32
WORD_LENGTH = 10
"""Characters of a made-up word, five bits each."""
CACHED = 100_000
EUI_MIDDLE = b"\xff\xfe"
GROUP_MACS = (b"\x01\x00\x5e", b"\x01\x80\xc2", b"\x33\x33\x00")
SOLICITED = int(ipaddress.IPv6Address("ff02::1:ff00:0")) >> 24


class Class(StrEnum):
    """What a value is of; each class has its own form of stand-in."""

    HOST = "host"
    DOMAIN = "domain"
    USER = "user"
    PERSON = "person"
    SERIAL = "serial"
    SSID = "ssid"
    SECRET = "secret"
    PEM = "pem"
    UUID = "uuid"
    MAC = "mac"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    HEX = "hex"
    SSH_KEY = "ssh_key"
    FINGERPRINT = "fingerprint"


WORDS = (
    Class.HOST, Class.DOMAIN, Class.USER, Class.PERSON, Class.SERIAL, Class.SSID, Class.SECRET, Class.PEM,
)  # fmt: skip
"""Classes whose stand-ins are words such as `host-x4kq2m7abcd`."""


class Pseudonyms:
    """Stand-ins under one key of at least 32 random bytes; take a fresh one for each disclosure."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"the key of a disclosure has {len(key)} bytes and needs {KEY_BYTES}")
        self._key = key
        self._addresses = AddressMap(self._digest(b"addresses", b""))
        self._made: dict[tuple[Class, bytes], bytes] = {}
        self._by_form: dict[Class, Callable[[bytes], bytes]] = {
            Class.UUID: self._uuid,
            Class.MAC: self._mac,
            Class.IPV4: self._ipv4,
            Class.IPV6: self._ipv6,
            Class.HEX: self._hex,
            Class.SSH_KEY: self._ssh_key,
            Class.FINGERPRINT: self._fingerprint,
        }

    def of(self, kind: Class, value: bytes) -> bytes:
        """The stand-in of a value, in the form in which the value is written; a value that says nothing stays."""
        known = self._made.get((kind, value))
        if known is None:
            if len(self._made) >= CACHED:
                self._made.clear()
            known = self._made[kind, value] = self._make(kind, value)
        return known

    def _make(self, kind: Class, value: bytes) -> bytes:
        if is_placeholder(value):
            return value
        if kind in self._by_form:
            return self._by_form[kind](value)
        if kind is Class.SECRET and value.isdigit():
            return self._digits(value)
        word = b"%s-x%s" % (kind.encode(), self._word(kind, value))
        return word + b".invalid" if kind is Class.DOMAIN else word

    def _digest(self, purpose: bytes, value: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + value, hashlib.sha256)

    def _stream(self, purpose: bytes, value: bytes, size: int) -> bytes:
        """As many bytes as wanted, a function of the value."""
        return b"".join(self._digest(purpose + b"%d" % at, value) for at in range(-(-size // 32)))[:size]

    def _word(self, kind: Class, value: bytes) -> bytes:
        folded = value.lower() if kind in (Class.HOST, Class.DOMAIN, Class.SERIAL) else value
        return base64.b32encode(self._digest(kind.encode(), folded))[:WORD_LENGTH].lower()

    def _digits(self, value: bytes) -> bytes:
        number = int.from_bytes(self._stream(b"digits", value, len(value)), "big")
        return (b"%d" % (number % 9 + 1) + b"%0*d" % (len(value), number // 9 % 10 ** len(value)))[: len(value)]

    def _uuid(self, value: bytes) -> bytes:
        digits = value.replace(b"-", b"")
        raw = binascii.unhexlify(digits)
        if raw in UUIDS:
            return value
        made = bytearray(self._digest(b"uuid", raw)[:16])
        made[6] = raw[6] & 0xF0 | made[6] & 0x0F  # version
        made[8] = raw[8] & 0xC0 | made[8] & 0x3F  # variant
        return _written_as(value, bytes(made))

    def _mac(self, value: bytes) -> bytes:
        raw = binascii.unhexlify(bytes(byte for byte in value if byte not in b":-."))
        return _written_as(value, self.hardware(raw))

    def hardware(self, raw: bytes) -> bytes:
        """The stand-in of a hardware address in raw bytes: six keep their maker, so do eight, others keep nothing."""
        if raw[:3] in GROUP_MACS:
            return raw
        if len(raw) == 6:
            # IPv6 turns the second bit over where it makes an interface identifier: both tell of one machine.
            return raw[:3] + self._digest(b"mac", bytes((raw[0] & ~2,)) + raw[1:])[:3]
        if len(raw) == 8:
            return self._eui64(raw)
        if len(raw) == 7:  # an identifier of DHCP: one byte for the type of hardware
            return raw[:1] + self.hardware(raw[1:])
        return self._stream(b"long", raw, len(raw))

    def _eui64(self, raw: bytes) -> bytes:
        if raw[3:5] == EUI_MIDDLE:
            return raw[:5] + self.hardware(raw[:3] + raw[5:])[3:]
        return raw[:3] + self._digest(b"eui64", raw)[:5]

    def _ipv4(self, value: bytes) -> bytes:
        text, slash, length = value.partition(b"/")
        number = int(ipaddress.IPv4Address(text.decode("ascii")))
        made = self.ipv4(number)
        if slash and int(length) <= 32:
            made = _network(number, made, int(length), 32)
        return str(ipaddress.IPv4Address(made)).encode() + slash + length

    def ipv4(self, address: int) -> int:
        """The stand-in of an address as a number."""
        return self._addresses.of(address, 32)

    def _ipv6(self, value: bytes) -> bytes:
        text, slash, length = value.partition(b"/")
        address = ipaddress.IPv6Address(text.decode("ascii"))
        made = self.ipv6(int(address))
        if slash and int(length) <= 128:
            made = _network(int(address), made, int(length), 128)
        shown = ipaddress.IPv6Address(made)
        written = shown.exploded if len(text) == 39 and b"." not in text else str(shown)
        if b"." in text and shown.ipv4_mapped is not None:
            written = f"::ffff:{shown.ipv4_mapped}"
        return (written.upper() if text.isupper() else written).encode() + slash + length

    def ipv6(self, address: int) -> int:
        """The stand-in of an address as a number; what it holds of IPv4 or of a MAC is what stands in for those."""
        low = address & (1 << 64) - 1
        if address >> 32 in (0xFFFF, 0x64FF9B << 64):
            return address >> 32 << 32 | self.ipv4(address & 0xFFFFFFFF)
        if address >> 24 == SOLICITED:
            return address >> 24 << 24 | int.from_bytes(self._digest(b"solicited", low.to_bytes(8, "big"))[:3], "big")
        made = self._addresses.of(address, 128)
        raw = low.to_bytes(8, "big")
        if raw[3:5] == EUI_MIDDLE and not self._addresses.is_kept(address, 128):
            return made >> 64 << 64 | int.from_bytes(self.hardware(raw), "big")
        return made

    def _hex(self, value: bytes) -> bytes:
        digits = value.lower().replace(b"-", b"")
        return _written_as(value, self._stream(b"hex", digits, len(value)))

    def _fingerprint(self, value: bytes) -> bytes:
        return base64.b64encode(self._digest(b"fingerprint", value)).rstrip(b"=")

    def _ssh_key(self, value: bytes) -> bytes:
        """A public key of SSH, base64: the same kind and size of key, other numbers in it."""
        try:
            parts = _ssh_parts(base64.b64decode(value, validate=True))
        except (ValueError, IndexError):
            return self._word(Class.SECRET, value)
        made = []
        for at, part in enumerate(parts):
            fixed = 0 if len(part) > 20 else len(part)  # names of algorithms and curves, the exponent
            fixed = 2 if not fixed and part[:1] == b"\0" else 1 if not fixed and part[:1] == b"\x04" else fixed
            made.append(part if at == 0 else part[:fixed] + self._stream(b"key%d" % at, value, len(part) - fixed))
        return base64.b64encode(b"".join(len(part).to_bytes(4, "big") + part for part in made))


def _ssh_parts(blob: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(blob):
        size = int.from_bytes(blob[at : at + 4], "big")
        if at + 4 + size > len(blob):
            raise ValueError("cut short")
        parts.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    return parts


def _network(address: int, made: int, length: int, bits: int) -> int:
    """A network keeps the zeros behind its prefix, since programs insist on them."""
    behind = (1 << (bits - length)) - 1
    return made & ~behind if address & behind == 0 else made


def _written_as(value: bytes, raw: bytes) -> bytes:
    """Raw bytes in hexadecimal, with the separators and the case of what they stand in for."""
    digits = binascii.hexlify(raw)
    if any(byte in b"ABCDEF" for byte in value):
        digits = digits.upper()
    given = iter(digits)
    return bytes(byte if byte in b":-." else next(given) for byte in value)
