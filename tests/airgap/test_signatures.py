"""Signatures of firmware: which hold, and what everything else is refused for."""

import base64
import gzip
import hashlib
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from sparkctl.airgap.mirrors import der, jcat
from sparkctl.airgap.mirrors.chain import loaded
from sparkctl.airgap.mirrors.pkcs7 import Signature, verified

CONTENT = b"what was signed"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Pair:
    """A certificate that an issuer signed, or itself, with the key to it."""

    def __init__(self, name: str, issuer: "Pair | None" = None, *, ca: bool = False, **how: Any) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        above = issuer.certificate.subject if issuer else subject
        begin, end = how.get("valid", (NOW - 10 * DAY, NOW + 10 * DAY))
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(above).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=how.get("path")), critical=True)
            .add_extension(usage(files=how.get("files", not ca), certificates=ca), critical=True)
        )  # fmt: skip
        if how.get("strange"):
            unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
            builder = builder.add_extension(unknown, critical=True)
        self.certificate: x509.Certificate = builder.sign((issuer or self).key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def usage(*, files: bool, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(files, False, False, False, False, certificates, False, False, False)


def armoured(*signers: Pair, content: bytes = CONTENT, include: tuple[Pair, ...] = (), attributes: bool = True) -> str:
    builder: Any = pkcs7.PKCS7SignatureBuilder().set_data(content)
    for signer in signers:
        builder = builder.add_signer(signer.certificate, signer.key, hashes.SHA256())
    for more in include:
        builder = builder.add_certificate(more.certificate)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    options += [] if attributes else [pkcs7.PKCS7Options.NoAttributes]
    binary = builder.sign(Encoding.DER, options)
    return pem(binary)


def pem(binary: bytes) -> str:
    return f"-----BEGIN PKCS7-----\n{base64.encodebytes(binary).decode()}-----END PKCS7-----\n"


def binary(text: str) -> bytes:
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def check(text: str, *trust: Pair, content: bytes = CONTENT, at: datetime | None = None) -> Signature:
    return verified(text, jcat.digests_of(content), [one.certificate for one in trust], at)


CA = Pair("CA", ca=True, path=0)
SIGNER = Pair("signer", CA)
GOOD = armoured(SIGNER)


def test_a_signature_holds_and_tells_when_and_until_when() -> None:
    found = check(GOOD, CA)
    assert abs(found.signed_at - datetime.now(UTC)) < timedelta(hours=1)
    assert found.signer == SIGNER.certificate
    assert found.valid_until == SIGNER.certificate.not_valid_after_utc
    middle = Pair("middle", Pair("root", ca=True), ca=True)
    root = Pair("root", ca=True)
    middle = Pair("middle", root, ca=True)
    below = Pair("below", middle)
    assert len(check(armoured(below, include=(middle,)), root).chain) == 3
    assert check(GOOD, SIGNER).chain == (SIGNER.certificate,)


# A changed serial number may be negative, which cryptography warns of.
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_no_bit_of_it_can_be_changed() -> None:
    whole = binary(GOOD)
    held = 0
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        try:
            found = check(pem(bytes(changed)), CA)
        except ValueError:
            continue
        assert found.signer == SIGNER.certificate
        held += 1
    assert held < 60  # versions, lists of algorithms, and the serial numbers of nothing are not signed


STRANGER = Pair("CA", ca=True, path=0)
ENDED = Pair("signer", CA, valid=(NOW - 9 * DAY, NOW - 5 * DAY))
BOTH = armoured(SIGNER, ENDED)
CASES: dict[str, tuple[Callable[[], object], str]] = {
    "another file": (lambda: check(GOOD, CA, content=b"another"), "is not of this file"),
    "nobody trusted": (lambda: check(GOOD, STRANGER), "none of the named certificates vouches for"),
    "no trust at all": (lambda: check(GOOD), "none of the named certificates vouches for"),
    "an ended certificate": (lambda: check(armoured(ENDED), CA, at=NOW), "and not on"),
    "a certificate not yet valid": (lambda: check(GOOD, CA, at=NOW - 20 * DAY), "and not on"),
    "a certificate for no files": (
        lambda: check(armoured(Pair("x", CA, files=False)), CA), "is not for signing files",
    ),
    "a CA that is none": (
        lambda: check(armoured(Pair("x", Pair("y", CA)), include=(Pair("y", CA),)), CA), "vouches for",
    ),
    "a critical extension that is not understood": (
        lambda: check(armoured(Pair("x", CA, strange=True)), CA), "is not for signing files",
    ),
    "no attributes": (lambda: check(armoured(SIGNER, attributes=False), CA), "has no signed time"),
    "two signers": (lambda: check(BOTH, CA), "is of 2 signers"),
    "no PKCS#7": (lambda: check(pem(b"\x30\x03\x02\x01\x01"), CA), "is no PKCS#7"),
    "no armour": (lambda: check("hello", CA), "is no PKCS#7 in PEM"),
    "cut": (lambda: check(pem(binary(GOOD)[:-40]), CA), "ends too early"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_hold_is_told(name: str) -> None:
    act, words = CASES[name]
    with pytest.raises(ValueError, match=words):
        act()


def test_a_leaf_issues_nothing_and_a_ca_no_longer_chain_than_it_may() -> None:
    leaf = Pair("leaf", CA)
    with pytest.raises(ValueError, match="is not that of a CA for it"):
        check(armoured(Pair("x", leaf), include=(leaf,)), CA)
    sub = Pair("sub", CA, ca=True)
    with pytest.raises(ValueError, match="is not that of a CA for it"):
        check(armoured(Pair("x", sub), include=(sub,)), CA)


def test_der_is_read_strictly() -> None:
    assert [one.tag for one in der.elements(b"\x02\x01\x05\x04\x00")] == [der.INTEGER, der.OCTET_STRING]
    for bad in (
        b"\x30",
        b"\x30\x05\x00",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x1f\x01\x00",
        b"\x30\x82\x00\x80",
    ):
        with pytest.raises(ValueError, match=r"DER|early|as a signature is"):
            der.elements(bad)


def document(*blobs: dict[str, Any], name: Any = "file", **more: Any) -> bytes:
    items = [{"Id": name, "Blobs": list(blobs), **more}]
    return gzip.compress(json.dumps({"JcatVersionMajor": 0, "JcatVersionMinor": 1, "Items": items}).encode())


def blob(kind: int, data: Any, **more: Any) -> dict[str, Any]:
    return {"Kind": kind, "Flags": 1, "Data": data, **more}


SHA256 = hashlib.sha256(CONTENT).hexdigest()
SUM, PKCS7 = blob(1, SHA256), blob(3, GOOD)


def item_holds(content: bytes) -> Signature:
    [item] = jcat.items(content)
    return jcat.verified_item(item, jcat.digests_of(CONTENT), [CA.certificate])


def test_a_file_of_signatures_holds_with_every_digest_and_one_signature() -> None:
    stranger = armoured(Pair("x", STRANGER))
    assert item_holds(document(SUM, PKCS7)).signer == SIGNER.certificate
    assert item_holds(document(blob(3, stranger), blob(2, "gpg"), SUM, blob(4, "0" * 40), PKCS7) + b"IHATECDN")
    over_digest = armoured(SIGNER, content=SHA256.encode())
    assert item_holds(document(SUM, blob(3, over_digest, Target=1)))
    assert jcat.items(document(SUM, AliasIds=["alias"]))[0].names == ("file", "alias")


@pytest.mark.parametrize(
    ("content", "words"),
    ids=itertools.count(),
    argvalues=[
        (document(PKCS7), "has no SHA-256"),
        (document(SUM), "is missing"),
        (document(SUM, blob(1, "0" * 64), PKCS7), "is not of this file"),
        (document(SUM, blob(10, "0" * 128), PKCS7), "is not of this file"),
        (document(SUM, blob(3, armoured(SIGNER, content=b"x"))), "is not of this file"),
        (document(SUM, blob(3, armoured(SIGNER, content=b"0" * 64), Target=1)), "is not of this file"),
        (document(SUM, blob(3, GOOD, Target=10)), "a digest that is not there"),
        (document(blob(1, "no digest"), PKCS7), "a digest in it is none"),
        (document(blob(1, 5), PKCS7), "an item of it cannot be read"),
        (document(SUM, PKCS7, AliasIds=5), "an item of it cannot be read"),
        (document(SUM, PKCS7, name=None), "an item of it cannot be read"),
        (b"hello", "is not compressed by gzip"),
        (document(SUM, PKCS7)[:-30], "it is not whole"),
        (gzip.compress(b"[]"), "of the format 0"),
        (gzip.compress(b"{"), "is no file of signatures"),
        (gzip.compress(b"0" * 20_000_000), "it is not whole"),
        (b"0" * (jcat.MAX_JCAT + 1), "is larger than"),
    ],
)
def test_a_file_of_signatures_that_does_not_hold_is_told(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        item_holds(content)


def test_certificates_that_cannot_be_checked_are_not_trusted() -> None:
    assert loaded(CA.pem + SIGNER.pem) == [CA.certificate, SIGNER.certificate]
    with pytest.raises(ValueError, match="PEM"):
        loaded("no certificates")
