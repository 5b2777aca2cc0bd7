"""Whose signature is believed: that of the allowed signers, or that of one public key."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence import armour
from sparkctl.evidence.dsse import SignedStatement
from sparkctl.evidence.signers import NAMESPACE, fingerprint, key_file
from sparkctl.evidence.ssh_signatures import Signatory, signatory

PLAIN_SIGNATURE = 64  # bytes of an Ed25519 signature (RFC 8032)
_PEM = b"-----BEGIN PUBLIC KEY-----"
_KINDS = (b"ssh-", b"ecdsa-", b"sk-")  # how the kinds of public keys begin in OpenSSH
_WHO_SIGNED = "find out who signed it before you trust it"


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """An allowed-signers file of OpenSSH, with its `valid-before`, `namespaces`, `cert-authority` and the like.

    Keys count as they are valid at `at`, which is when the bundle is known to have existed by other proof than its own;
    or else now.
    """

    file: Path
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A file with one public key: of OpenSSH, or an Ed25519 key in PEM. It has no name and does not expire."""

    file: Path


Trust = AllowedSigners | PublicKey


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed: the principal of the allowed signers (null for a mere key), and the fingerprint of the key."""

    principal: str | None
    fingerprint: str


def require_signed(signed: SignedStatement, trust: Trust, named: str) -> SignedBy:
    """Who signed a statement; raises RefusedError unless it is somebody who is trusted to, UsageError for a bad key."""
    plain = len(signed.signature) == PLAIN_SIGNATURE
    if not plain and not signed.signature.startswith(armour.MAGIC):
        raise RefusedError(f"{named} bears a signature of no kind that is known", hint=_WHO_SIGNED)
    if isinstance(trust, AllowedSigners):
        who = _by_allowed_signers(signed, trust, named, plain=plain)
    else:
        who = _by_key(signed, trust.file, named, plain=plain)
    if who.fingerprint != signed.fingerprint:
        raise RefusedError(
            f"{named} says that {signed.fingerprint} signed it, and {who.fingerprint} did", hint=_WHO_SIGNED
        )
    return who


def _by_allowed_signers(signed: SignedStatement, trust: AllowedSigners, named: str, *, plain: bool) -> SignedBy:
    if plain:
        raise RefusedError(
            f"{named} is signed with a plain Ed25519 key, of which {trust.file} can say nothing",
            hint=f"name the public key's own file; its fingerprint should be {signed.fingerprint}",
        )
    found = _signatory(signed, trust.file, named, trust.at)
    return SignedBy(found.principal, found.fingerprint)


def _by_key(signed: SignedStatement, file: Path, named: str, *, plain: bool) -> SignedBy:
    line = _openssh_line(file)
    if plain:
        return _by_plain_key(signed, line, file, named)
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (signers := Path(scratch) / "signers").write_bytes(b"key " + line + b"\n")
        try:
            return SignedBy(None, _signatory(signed, signers, named, None).fingerprint)
        except RefusedError as error:
            raise _another_key(signed, file, named) from error


def _by_plain_key(signed: SignedStatement, line: bytes, file: Path, named: str) -> SignedBy:
    try:
        key = load_ssh_public_key(line)
        if not isinstance(key, Ed25519PublicKey):
            raise _another_key(signed, file, named)
        key.verify(signed.signature, signed.signed)
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise _another_key(signed, file, named) from error
    return SignedBy(None, fingerprint(key))


def _another_key(signed: SignedStatement, file: Path, named: str) -> RefusedError:
    return RefusedError(
        f"{named} is not signed by the key in {file}: the signature names {signed.fingerprint}, or does not hold",
        hint="it was changed after it was signed, signed for another purpose, or another key signed it",
    )


def _signatory(signed: SignedStatement, signers: Path, named: str, at: datetime | None) -> Signatory:
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (signature := Path(scratch) / "signature").write_bytes(armour.put_on(signed.signature))
        return signatory(
            signed.signed, signature, named=named, allowed_signers=signers, namespace=NAMESPACE, at=at
        )  # fmt: skip


def _openssh_line(file: Path) -> bytes:
    """A public key as OpenSSH writes it: kind and base64, without the comment; raises UsageError when it is none."""
    content = key_file(file)
    if content.lstrip().startswith(_PEM):
        return _line_of_pem(content, file)
    lines = [line.split() for line in content.splitlines() if line.strip() and not line.startswith(b"#")]
    if len(lines) != 1 or len(lines[0]) < 2 or not lines[0][0].startswith(_KINDS):
        raise UsageError(
            f"{file} holds no public key", hint="name one line of OpenSSH, or an Ed25519 key in PEM (BEGIN PUBLIC KEY)"
        )
    return b" ".join(lines[0][:2])


def _line_of_pem(content: bytes, file: Path) -> bytes:
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{file} is no public key: it cannot be read") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{file} is no Ed25519 key", hint="name one, or a public key of OpenSSH")
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
