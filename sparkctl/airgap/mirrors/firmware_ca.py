"""The site's certificates for firmware, in the form that jcat-tool signs with and fwupd verifies."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_EXPONENT = 65_537
_BITS = 3072
"""Of RSA, as LVFS signs: every GnuTLS reads it."""

_BEFORE = timedelta(days=1)
"""How long before now a certificate is valid from: clocks of nodes are not always right."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and the private key to it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM, without a passphrase: jcat-tool asks for none."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def authority(name: str, now: datetime, days: int) -> Pair:
    """A new CA, which may issue signing certificates and no other CA."""
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    subject = _subject(f"{name} firmware CA")
    builder = (
        _builder(subject, subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_files=False), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def signing(name: str, issuer: Pair, now: datetime, days: int) -> Pair:
    """A new key with a certificate to sign files, which a CA issues; it ends no later than that of the CA."""
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    left = (issuer.certificate.not_valid_after_utc - now).days
    subject = _subject(f"{name} firmware signing {now:%Y-%m-%d}")
    builder = (
        _builder(subject, issuer.certificate.subject, key, now, min(days, left))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_files=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    return Pair(builder.sign(issuer.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_files: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_files, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=not signs_files, crl_sign=not signs_files, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
