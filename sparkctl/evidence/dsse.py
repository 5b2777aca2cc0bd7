"""The signed statement: an in-toto Statement v1 in a DSSE envelope (Dead Simple Signing Envelope 1.0.2)."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.documents import parsed, written
from sparkctl.model.evidence import (
    PAYLOAD_TYPE,
    Digest,
    DsseEnvelope,
    Manifest,
    Predicate,
    Signature,
    Statement,
    Subject,
)
from sparkctl.model.evidence_path import MANIFEST, STATEMENT


@dataclass(frozen=True, slots=True)
class Signed:
    """What a key made: its fingerprint as OpenSSH writes it, and the signature."""

    fingerprint: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement as it was read from its envelope: whether its signature holds is not known yet."""

    statement: Statement
    signed: bytes
    fingerprint: str
    signature: bytes


def pae(payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_of(manifest: Manifest, content: bytes) -> Statement:
    """What is signed of a manifest, which stands in the bundle as `content`."""
    digest = Digest(sha256=hashlib.sha256(content).hexdigest())
    predicate = Predicate(
        about=manifest.about,
        merkle_root=manifest.merkle_root,
        entries=len(manifest.entries),
        missing=len(manifest.missing),
    )
    return Statement(subject=[Subject(digest=digest)], predicate=predicate)


def sealed_envelope(statement: Statement, sign: Callable[[bytes], Signed]) -> bytes:
    """`statement.dsse.json`, signed."""
    payload = written(statement)
    made = sign(pae(payload))
    signature = Signature(keyid=made.fingerprint, sig=base64.b64encode(made.signature).decode())
    return written(DsseEnvelope(payload=base64.b64encode(payload).decode(), signatures=[signature]))


def opened_envelope(content: bytes, named: str) -> SignedStatement:
    """What an envelope holds; raises UsageError when it is damaged."""
    envelope = parsed(DsseEnvelope, content, f"{STATEMENT} of {named}")
    (signature,) = envelope.signatures
    payload = _bytes_of(envelope.payload, named)
    statement = parsed(Statement, payload, f"the statement in {STATEMENT} of {named}")
    return SignedStatement(statement, pae(payload), signature.keyid, _bytes_of(signature.sig, named))


def require_same(statement: Statement, manifest: Manifest, content: bytes, named: str) -> None:
    """Raise RefusedError unless a statement is about just this manifest."""
    if statement != statement_of(manifest, content):
        raise RefusedError(
            f"the signed statement of {named} is not about its {MANIFEST}",
            hint="the manifest was changed after it was signed, or the statement is another bundle's",
        )


def _bytes_of(text: str, named: str) -> bytes:
    """Base64 in its one writing: spare bits of the last character are zero."""
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UsageError(f"{STATEMENT} of {named} is damaged: {error}") from error
    if base64.b64encode(content).decode() != text:
        raise UsageError(f"{STATEMENT} of {named} is damaged: its base64 has bits to spare")
    return content
