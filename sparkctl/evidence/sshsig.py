"""OpenSSH signatures taken apart (PROTOCOL.sshsig); those of Ed25519 keys are checked without a process for each."""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sparkctl.evidence import armour

_ED25519 = b"ssh-ed25519"
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_VERSION = 1


@dataclass(frozen=True, slots=True)
class SshSignature:
    """An SSHSIG blob taken apart; `public_key` and `signature` are SSH wire encodings."""

    public_key: bytes
    namespace: bytes
    reserved: bytes
    hash_name: bytes
    signature: bytes

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key that it names, as OpenSSH writes it."""
        digest = base64.b64encode(hashlib.sha256(self.public_key).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"

    def signed(self, content: bytes) -> bytes:
        """The bytes that are signed for a content; raises ValueError for a hash that is not known."""
        if (hashing := _HASHES.get(self.hash_name)) is None:
            raise ValueError("its hash is not known")
        parts = (self.namespace, self.reserved, self.hash_name, hashing(content).digest())
        return armour.MAGIC + b"".join(map(_string, parts))

    def holds_by_ed25519(self, content: bytes) -> bool | None:
        """Whether it is over `content` and of the key that it names; None when that is no plain Ed25519 key.

        Raises ValueError when it is damaged.
        """
        key, rest = _take(self.public_key)
        kind, raw = _take(self.signature)
        if key != _ED25519 or kind != _ED25519:
            return None
        public, left = _take(rest)
        value, right = _take(raw)
        if left or right:
            raise ValueError("something follows it")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(value, self.signed(content))
        except InvalidSignature:
            return False
        return True


def taken_apart(armoured: bytes) -> SshSignature:
    """A signature in its armour taken apart; raises ValueError when it is none."""
    if not armoured.startswith(armour.BEGIN) or not armoured.endswith(armour.END):
        raise ValueError("it has not the armour of an OpenSSH signature")
    blob = base64.b64decode(armoured[len(armour.BEGIN) : -len(armour.END)].replace(b"\n", b""), validate=True)
    if armour.put_on(blob) != armoured:
        raise ValueError("it is not written as ssh-keygen writes one")
    if not blob.startswith(armour.MAGIC):
        raise ValueError("it is no OpenSSH signature")
    rest = blob[len(armour.MAGIC) :]
    if rest[:4] != _VERSION.to_bytes(4, "big"):
        raise ValueError("its version is not known")
    rest = rest[4:]
    fields = []
    for _ in range(5):
        field, rest = _take(rest)
        fields.append(field)
    if rest:
        raise ValueError("something follows it")
    return SshSignature(*fields)


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _take(content: bytes) -> tuple[bytes, bytes]:
    """The string at the beginning, and what follows it."""
    size = int.from_bytes(content[:4], "big")
    if len(content) < 4 + size:
        raise ValueError("it is cut short")
    return content[4 : 4 + size], content[4 + size :]
