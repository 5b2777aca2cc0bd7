"""Certificates and signatures by hand, each wrong in one thing that no tool would make so."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from sparkctl.airgap.mirrors import der
from sparkctl.airgap.mirrors.chain import chain
from sparkctl.airgap.mirrors.firmware_ca import authority, signing
from sparkctl.airgap.mirrors.jcat import digests_of
from sparkctl.airgap.mirrors.pkcs7 import verified

NOW = datetime.now(UTC).replace(microsecond=0)
CONTENT = b"what is signed"
DATA, SIGNED_DATA = bytes.fromhex("06092a864886f70d010701"), bytes.fromhex("06092a864886f70d010702")


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, *, ca: bool, issues: bool
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=issues, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        key.public_key(), x509.random_serial_number(), NOW - timedelta(days=1), NOW + timedelta(days=1),
    )  # fmt: skip
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True).add_extension(usage, critical=True)
    return builder.sign(by, hashes.SHA256())


@pytest.mark.parametrize(("ca", "issues", "right"), [(True, True, True), (False, True, False), (True, False, False)])
def test_who_issues_is_a_ca_by_both_of_its_words(ca: bool, issues: bool, right: bool) -> None:
    top, middle, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    trusted = certificate("top", top, "top", top, ca=True, issues=True)
    between = certificate("middle", middle, "top", top, ca=ca, issues=issues)
    signer = certificate("own", own, "middle", middle, ca=False, issues=False)
    if right:
        assert chain(signer, [between], [trusted], NOW) == (signer, between, trusted)
    else:
        with pytest.raises(ValueError, match="CN=middle, whose certificate is not that of a CA for it"):
            chain(signer, [between], [trusted], NOW)


def detached() -> tuple[bytes, rsa.RSAPrivateKey, x509.Certificate]:
    """A signature of CONTENT, the key that made it, and the CA."""
    issuer = authority("lab", NOW, 9)
    pair = signing("lab", issuer, NOW, 9)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(CONTENT).add_signer(pair.certificate, pair.key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities]
    return builder.sign(Encoding.DER, options), pair.key, issuer.certificate


def armoured(content: bytes) -> str:
    return f"-----BEGIN PKCS7-----\n{base64.encodebytes(content).decode()}-----END PKCS7-----\n"


def test_a_signature_over_another_kind_of_content_is_refused() -> None:
    """Signed attributes are signed as they are; one of them says of what kind the content is."""
    whole, key, ca = detached()
    assert verified(armoured(whole), digests_of(CONTENT), [ca]).signer.issuer == ca.subject
    signed = der.only(whole, der.SEQUENCE).inside(der.SEQUENCE)[1]
    signers = der.only(signed.body, der.SEQUENCE).inside(der.SEQUENCE)[-1].inside(der.SET)
    parts = signers[0].inside(der.SEQUENCE)
    assert parts[3].raw.count(DATA) == 1
    other = parts[3].raw.replace(DATA, SIGNED_DATA)
    again = key.sign(bytes([der.SET]) + other[1:], padding.PKCS1v15(), hashes.SHA256())
    changed = whole.replace(parts[3].raw, other).replace(parts[5].body, again)
    with pytest.raises(ValueError, match="is of another kind of content"):
        verified(armoured(changed), digests_of(CONTENT), [ca])
    with pytest.raises(ValueError, match="does not hold"):
        verified(armoured(whole.replace(parts[5].body, again)), digests_of(CONTENT), [ca])
