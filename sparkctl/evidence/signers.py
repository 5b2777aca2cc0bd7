"""Who signs a bundle: an OpenSSH key by way of ssh-keygen, or a plain Ed25519 key."""

import base64
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sparkctl.errors import UsageError
from sparkctl.evidence import armour, ssh_signatures
from sparkctl.evidence.dsse import Signed

NAMESPACE = "spark-evidence"
"""What an OpenSSH signature is for: one made for anything else does not hold here."""

MAX_KEY = 64 * 1024
_PLAIN, _ENCRYPTED = b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


class Signer(Protocol):
    """Something that signs bytes."""

    def sign(self, content: bytes) -> Signed:
        """A signature over `content`; raises UsageError when none can be made."""
        ...


@dataclass(frozen=True, slots=True)
class OpenSshSigner:
    """A private OpenSSH key in a file, on a token, or (given its public part) in an agent."""

    key: Path

    def sign(self, content: bytes) -> Signed:
        """An SSHSIG blob in the namespace `spark-evidence`."""
        with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
            (place := Path(scratch) / "statement").write_bytes(content)
            armoured = ssh_signatures.sign(place, self.key, NAMESPACE).read_bytes()
        fingerprint = ssh_signatures.fingerprint_in(content, armoured, NAMESPACE)
        return Signed(fingerprint, armour.taken_off(armoured))


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """A plain Ed25519 key; its signatures have 64 bytes (RFC 8032)."""

    key: Ed25519PrivateKey

    def sign(self, content: bytes) -> Signed:
        """A signature over the bytes themselves."""
        return Signed(fingerprint(self.key.public_key()), self.key.sign(content))


def signer_of(key: Path) -> Signer:
    """The signer with the key in a file: an Ed25519 key in PEM (PKCS #8), or whatever ssh-keygen takes.

    Raises UsageError when there is none, or when a PEM needs a passphrase.
    """
    content = key_file(key)
    if content.lstrip().startswith(_ENCRYPTED):
        raise UsageError(
            f"{key} is a PEM with a passphrase, which nobody here can ask for",
            hint="take an OpenSSH key, which ssh-keygen or an agent opens",
        )
    if not content.lstrip().startswith(_PLAIN):
        return OpenSshSigner(key)
    try:
        private = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{key} is no private key: it cannot be read") from error
    return Ed25519Signer(private) if isinstance(private, Ed25519PrivateKey) else OpenSshSigner(key)


def key_file(path: Path) -> bytes:
    """What a file with a key holds; raises UsageError when it cannot be read or is too long for one."""
    try:
        if not path.is_file():
            raise UsageError(f"there is no key {path}", hint="name a file that holds a key")
        with path.open("rb") as file:
            content = file.read(MAX_KEY + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if len(content) > MAX_KEY:
        raise UsageError(f"{path} is no key: it is larger than {MAX_KEY // 1024} KiB")
    return content


def fingerprint(key: Ed25519PublicKey) -> str:
    """The fingerprint of a key, as OpenSSH writes it."""
    blob = base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"
