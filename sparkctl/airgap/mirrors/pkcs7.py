"""Verify detached PKCS#7 signatures (RFC 5652) against certificates that are trusted, as fwupd does with GnuTLS.

Signed attributes are demanded, and the time of signing in them: fwupd takes no metadata that was signed earlier than
what it has. Written here, since neither `cryptography` nor the standard library verifies PKCS#7; a mirror that is
brought is verified by jcat-tool, that is by GnuTLS, as well.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sparkctl.airgap.mirrors import der
from sparkctl.airgap.mirrors.chain import chain

Digest = Callable[[str], bytes]
"""The digest of what was signed, by the name that hashlib has for it."""

_ARMOUR = re.compile(r"-----BEGIN (PKCS7|CMS)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_DATA = bytes.fromhex("2a864886f70d010701")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_SIGNING_TIME = bytes.fromhex("2a864886f70d010905")
_HASHES: dict[bytes, tuple[str, hashes.HashAlgorithm]] = {
    bytes.fromhex("608648016503040201"): ("sha256", hashes.SHA256()),
    bytes.fromhex("608648016503040202"): ("sha384", hashes.SHA384()),
    bytes.fromhex("608648016503040203"): ("sha512", hashes.SHA512()),
}
_RSA = bytes.fromhex("2a864886f70d010101")
_SIGNATURES = {
    bytes.fromhex("2a864886f70d01010b"): "sha256", bytes.fromhex("2a864886f70d01010c"): "sha384",
    bytes.fromhex("2a864886f70d01010d"): "sha512", bytes.fromhex("2a8648ce3d040302"): "sha256",
    bytes.fromhex("2a8648ce3d040303"): "sha384", bytes.fromhex("2a8648ce3d040304"): "sha512",
}  # fmt: skip
"""Of RSA and of ECDSA, with the digest that each is over (RFC 5754)."""


_DAMAGE = (
    UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, IndexError,
    OverflowError,
)  # fmt: skip
"""What reading a certificate raises, beside ValueError, and what a list that is too short does."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that holds: when it was made, by its own word, and the certificates from the signer up."""

    signed_at: datetime
    chain: tuple[x509.Certificate, ...]

    @property
    def valid_until(self) -> datetime:
        """When the first certificate of the chain ends."""
        return min(certificate.not_valid_after_utc for certificate in self.chain)

    @property
    def signer(self) -> x509.Certificate:
        """Whose key signed."""
        return self.chain[0]


def verified(armoured: str, digest: Digest, trust: Sequence[x509.Certificate], at: datetime | None = None) -> Signature:
    """The signature, when it holds; its certificates must be valid at a moment, or else when it was made.

    Raises ValueError with half a sentence that begins after "the signature".
    """
    try:
        return _verified(armoured, digest, trust, at)
    except _DAMAGE:
        raise ValueError("is damaged, or holds a certificate that cannot be read") from None


def _verified(armoured: str, digest: Digest, trust: Sequence[x509.Certificate], at: datetime | None) -> Signature:
    signed = der.only(_binary(armoured), der.SEQUENCE).inside(der.SEQUENCE)
    if len(signed) != 2 or signed[0].body != _SIGNED_DATA:
        raise ValueError("is no PKCS#7 signature")
    parts = der.only(signed[1].body, der.SEQUENCE).inside(der.SEQUENCE)
    included = [_certificate(one) for part in parts if part.tag == der.CONTEXT_0 for one in der.elements(part.body)]
    if len(parts) < 4 or len(parts[2:]) > 4 or [part.tag for part in parts[2:]].count(der.CONTEXT_0) > 1:
        raise ValueError("is not built as a signature is")
    content = parts[2].inside(der.SEQUENCE)
    signers = parts[-1].inside(der.SET)
    if len(content) != 1 or content[0].body != _DATA:
        raise ValueError("carries what it signs, and is not of the file beside it")
    if len(signers) != 1:
        raise ValueError(f"is of {len(signers)} signers, where one is expected")
    return _of_signer(signers[0], digest, included, trust, at)


def _of_signer(
    signer: der.Element,
    digest: Digest,
    included: Sequence[x509.Certificate],
    trust: Sequence[x509.Certificate],
    at: datetime | None,
) -> Signature:
    parts = signer.inside(der.SEQUENCE)
    if len(parts) < 6 or parts[3].tag != der.CONTEXT_0 or parts[5].tag != der.OCTET_STRING:
        raise ValueError("has no signed time, and fwupd could not tell an older one from it")
    name, algorithm = _hash_of(parts[2])
    attributes = _attributes(parts[3])
    if attributes.get(_CONTENT_TYPE) != (der.OBJECT, _DATA):
        raise ValueError("is of another kind of content")
    if attributes.get(_MESSAGE_DIGEST) != (der.OCTET_STRING, digest(name)):
        raise ValueError("is not of this file: one of them was changed")
    signed_at = _moment(*attributes.get(_SIGNING_TIME, (0, b"")))
    certificate = _signer_of(parts[1], [*included, *trust])
    _require_signed(certificate, parts, name, algorithm)
    return Signature(signed_at, chain(certificate, included, trust, at or signed_at))


def _require_signed(
    certificate: x509.Certificate, parts: Sequence[der.Element], name: str, algorithm: hashes.HashAlgorithm
) -> None:
    """Raise ValueError unless the signed attributes were signed with the key of a certificate."""
    kind = parts[4].inside(der.SEQUENCE)[0].body
    signed = bytes([der.SET]) + parts[3].raw[1:]  # what is signed has the tag of a set (RFC 5652, section 5.4)
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and (kind == _RSA or _SIGNATURES.get(kind) == name):
            key.verify(parts[5].body, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and _SIGNATURES.get(kind) == name:
            key.verify(parts[5].body, signed, ec.ECDSA(algorithm))
        else:
            raise ValueError("is of a kind that is not read here; RSA and ECDSA are")
    except InvalidSignature:
        raise ValueError("does not hold: it was changed, or made with another key") from None


def _attributes(element: der.Element) -> dict[bytes, tuple[int, bytes]]:
    """Tag and value of each signed attribute by its object identifier; raises ValueError for one that stands twice."""
    found: dict[bytes, tuple[int, bytes]] = {}
    for attribute in der.elements(element.body):
        parts = attribute.inside(der.SEQUENCE)
        if len(parts) != 2 or parts[0].tag != der.OBJECT or parts[0].body in found:
            raise ValueError("is not built as a signature is")
        values = parts[1].inside(der.SET)
        if len(values) == 1:
            found[parts[0].body] = (values[0].tag, values[0].body)
    return found


def _hash_of(element: der.Element) -> tuple[str, hashes.HashAlgorithm]:
    parts = element.inside(der.SEQUENCE)
    if not parts or parts[0].body not in _HASHES:
        raise ValueError("is over a digest that is not SHA-256, SHA-384 or SHA-512")
    return _HASHES[parts[0].body]


def _moment(tag: int, body: bytes) -> datetime:
    form = {der.UTC_TIME: "%y%m%d%H%M%SZ", der.GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(tag)
    if form is None:
        raise ValueError("has no signed time, and fwupd could not tell an older one from it")
    try:
        return datetime.strptime(body.decode("ascii"), form).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("was signed at no time that can be read") from None


def _signer_of(element: der.Element, known: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate that a signature names by issuer and serial number, or by the identifier of its key."""
    for certificate in known:
        if element.tag == der.SEQUENCE:
            parts = der.elements(element.body)
            serial = int.from_bytes(parts[1].body, "big", signed=True) if len(parts) == 2 else None
            if serial == certificate.serial_number and parts[0].raw == certificate.issuer.public_bytes():
                return certificate
        elif element.body == _key_identifier(certificate):
            return certificate
    raise ValueError("is of somebody whose certificate is not there")


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return None


def _certificate(element: der.Element) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(element.raw)
    except ValueError:
        raise ValueError("holds a certificate that cannot be read") from None


def _binary(armoured: str) -> bytes:
    match = _ARMOUR.fullmatch(armoured.strip() + "\n")
    if match is None:
        raise ValueError("is no PKCS#7 in PEM")
    try:
        return base64.b64decode("".join(match[2].split()), validate=True)
    except binascii.Error:
        raise ValueError("is no PKCS#7 in PEM") from None
