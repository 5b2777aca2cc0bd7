"""The public host keys of sshd, parsed as RFC 4253 lays them out."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from diag.nodekit.machine import Machine

SSH_FOLDER = "/etc/ssh"
PREFIX, SUFFIX = "ssh_host_", ".pub"


@dataclass(frozen=True)
class HostKey:
    """A public key: its algorithm, the bits of an RSA or DSA key, and its fingerprint as OpenSSH prints it."""

    file: str
    algorithm: str
    bits: int | None
    fingerprint: str


def host_keys(machine: Machine) -> tuple[HostKey, ...]:
    """The host keys in /etc/ssh, certificates left out; raises OSError, ValueError for a file that is no key."""
    names = machine.names(SSH_FOLDER)
    files = [name for name in names if name.startswith(PREFIX) and name.endswith(SUFFIX) and "-cert" not in name]
    return tuple(parse_host_key(name, machine.read(f"{SSH_FOLDER}/{name}", limit=16384)) for name in files)


def parse_host_key(file: str, text: str) -> HostKey:
    """One line `algorithm base64 comment`; raises ValueError."""
    fields = text.split()
    if len(fields) < 2:
        raise ValueError(f"{file} is not a public key")
    blob = base64.b64decode(fields[1], validate=True)
    parts = _parts(file, blob)
    algorithm = parts[0].decode("ascii", "replace") if parts else ""
    if algorithm != fields[0]:
        raise ValueError(f"{file} names {fields[0]} but holds another kind of key")
    fingerprint = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")
    return HostKey(file, algorithm, _bits(file, algorithm, parts), f"SHA256:{fingerprint}")


def _bits(file: str, algorithm: str, parts: list[bytes]) -> int | None:
    """The size of the modulus: the third part of an RSA key, the second of a DSA key."""
    place = {"ssh-rsa": 2, "ssh-dss": 1}.get(algorithm)
    if place is None:
        return None
    if len(parts) <= place:
        raise ValueError(f"{file} is cut short")
    return int.from_bytes(parts[place], "big").bit_length()


def _parts(file: str, blob: bytes) -> list[bytes]:
    """Split a blob of length-prefixed strings."""
    parts, at = [], 0
    while at < len(blob):
        size = int.from_bytes(blob[at : at + 4], "big")
        if at + 4 + size > len(blob):
            raise ValueError(f"{file} is cut short")
        parts.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    return parts
