"""From the certificate of who signed something up to one that is trusted, every link of it proven."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID

from sparkctl.model.printable import printable

_ExtensionT = TypeVar("_ExtensionT", bound=x509.ExtensionType)
_MAX_LINKS = 4
_MIN_RSA = 2048
_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_UNDERSTOOD = frozenset({ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE})
"""Extensions that may be critical; one that is not understood and critical is refused (RFC 5280, section 4.2)."""


def loaded(pem: str) -> list[x509.Certificate]:
    """Certificates in PEM; raises ValueError with half a sentence for none, and for keys that are not read here."""
    found = x509.load_pem_x509_certificates(pem.encode("ascii"))
    for certificate in found:
        if not _readable(certificate):
            raise ValueError("must be of certificates with RSA or ECDSA keys; others are not read here")
    return found


def subject(certificate: x509.Certificate) -> str:
    """Whose certificate it is, in words."""
    return printable(certificate.subject.rfc4514_string(), 200)


def chain(
    signer: x509.Certificate, included: Sequence[x509.Certificate], trust: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    """The certificates from a signer up to a trusted one, all valid at a moment.

    Raises ValueError with half a sentence that begins after "the signature".
    """
    _require_signing(signer)
    found = [signer]
    while found[-1] not in trust:
        issuer = next(_issuers(found[-1], trust), None) or next(_issuers(found[-1], included), None)
        if issuer is None or issuer in found or len(found) >= _MAX_LINKS:
            by = subject(signer)
            raise ValueError(f"is of {by}, whom none of the named certificates vouches for")
        _require_issuing(issuer, below=len(found) - 1)
        found.append(issuer)
    for certificate in found:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise ValueError(
                f"needs the certificate of {subject(certificate)}, which is valid from "
                f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}, "
                f"and not on {at:%Y-%m-%d}"
            )
    return tuple(found)


def _issuers(certificate: x509.Certificate, known: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
    for issuer in known:
        if isinstance(certificate.signature_hash_algorithm, _DIGESTS) and _readable(issuer):
            try:
                certificate.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            yield issuer


def _require_signing(certificate: x509.Certificate) -> None:
    usage = _extension(certificate, x509.KeyUsage)
    if not _readable(certificate) or not _understood(certificate) or (usage and not usage.digital_signature):
        raise ValueError(f"is of {subject(certificate)}, whose certificate is not for signing files")


def _require_issuing(certificate: x509.Certificate, *, below: int) -> None:
    """Raise ValueError unless a certificate is that of a CA, with at most so many others below it."""
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    if (
        constraints is None
        or not constraints.ca
        or not _understood(certificate)
        or (constraints.path_length is not None and below > constraints.path_length)
        or (usage and not usage.key_cert_sign)
    ):
        raise ValueError(f"depends on {subject(certificate)}, whose certificate is not that of a CA for it")


def _extension(certificate: x509.Certificate, kind: type[_ExtensionT]) -> _ExtensionT | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _understood(certificate: x509.Certificate) -> bool:
    return all(one.oid in _UNDERSTOOD for one in certificate.extensions if one.critical)


def _readable(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA
    )
