"""Which keys are in a keyring of OpenPGP, by their fingerprints, those that only belong to another one among them."""

import hashlib
from collections.abc import Iterator

from sparkctl.airgap.mirrors.openpgp import keyring

_KEYS = (6, 14)
"""Packets of a public key and of one that belongs to it, which signs as well (RFC 9580, section 5.5.1)."""


def fingerprints(key: str) -> list[str]:
    """The fingerprints in an armoured key, sorted; where it cannot be read, `sha256:` and the digest of all of it."""
    binary = keyring(key)
    try:
        return sorted({_fingerprint(body) for tag, body in _packets(binary) if tag in _KEYS})
    except (ValueError, IndexError):
        return [f"sha256:{hashlib.sha256(binary).hexdigest()}"]


def _fingerprint(body: bytes) -> str:
    """RFC 9580, section 5.5.4."""
    if body[0] == 4:
        content = b"\x99" + len(body).to_bytes(2, "big") + body
        return hashlib.sha1(content, usedforsecurity=False).hexdigest().upper()
    if body[0] == 6:
        return hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper()
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _packets(binary: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each packet (RFC 9580, section 4.2); raises ValueError, IndexError for what is none."""
    at = 0
    while at < len(binary):
        first = binary[at]
        if not first & 0x80:
            raise ValueError("is no packet")
        if first & 0x40:
            tag, (length, at) = first & 0x3F, _length(binary, at + 1)
        else:
            tag, octets = (first >> 2) & 0x0F, (1, 2, 4)[first & 3]
            length, at = int.from_bytes(binary[at + 1 : at + 1 + octets], "big"), at + 1 + octets
        if len(binary) - at < length or not length:
            raise ValueError("ends too early")
        yield tag, binary[at : at + length]
        at += length


def _length(binary: bytes, at: int) -> tuple[int, int]:
    """A length in the newer form, and what comes after it; keys are never of several parts."""
    first = binary[at]
    if first < 192:
        return first, at + 1
    if first < 224:
        return ((first - 192) << 8) + binary[at + 1] + 192, at + 2
    if first < 255:
        raise ValueError("is of several parts")
    return int.from_bytes(binary[at + 1 : at + 5], "big"), at + 5
