"""Make the certificates with which a site signs what it mirrors; private keys are files of the owner alone."""

import contextlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sparkctl.airgap.mirrors.firmware_ca import Pair, authority, signing
from sparkctl.app.airgap_files import read_bounded
from sparkctl.atomic_file import sync_folder
from sparkctl.errors import RefusedError, UsageError

CA_NAME, SIGNING_NAME = "firmware-ca", "firmware-sign"
_MAX_PEM = 64 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """The files that were made, and until when the signing certificate is valid."""

    files: tuple[Path, ...]
    valid_until: datetime


def firmware_ca(out: Path, name: str, now: datetime, *, days: int, ca_days: int) -> Made:
    """Make a CA and a signing certificate in a folder; raises UsageError, RefusedError where one is there already."""
    issuer = authority(name, now, ca_days)
    signer = signing(name, issuer, now, days)
    return _made(out, {CA_NAME: issuer, SIGNING_NAME: signer}, issuer)


def firmware_signing(out: Path, ca: Path, name: str, now: datetime, *, days: int) -> Made:
    """Make a signing certificate that the CA in another folder issues; raises UsageError, RefusedError."""
    issuer = _issuer(ca, now)
    return _made(out, {SIGNING_NAME: signing(name, issuer, now, days)}, issuer)


def _made(out: Path, pairs: dict[str, Pair], issuer: Pair) -> Made:
    """Write pairs into a folder, a signing certificate with that of its CA after it."""
    contents: dict[str, tuple[bytes, int]] = {}
    for name, pair in pairs.items():
        contents[f"{name}.key"] = (pair.key_pem, 0o600)
        above = issuer.certificate_pem if pair is not issuer else b""
        contents[f"{name}.pem"] = (pair.certificate_pem + above, 0o644)
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in contents:
            if os.path.lexists(out / name):
                raise RefusedError(
                    f"{out / name} is there already", hint="a key is never overwritten: name another folder"
                )
        with contextlib.ExitStack() as undo:
            for name, (content, mode) in contents.items():
                _write(out / name, content, mode)
                undo.callback((out / name).unlink)
            sync_folder(out)
            undo.pop_all()
    except OSError as error:
        raise UsageError(
            f"{error.filename or out}: {error.strerror}", hint="name a folder that you may write"
        ) from None
    return Made(tuple(out / name for name in contents), pairs[SIGNING_NAME].certificate.not_valid_after_utc)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Make a file that nobody else may read while it is written; raises OSError where one is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _issuer(folder: Path, now: datetime) -> Pair:
    key_file, certificate_file = folder / f"{CA_NAME}.key", folder / f"{CA_NAME}.pem"
    for file in (key_file, certificate_file):
        if not os.path.lexists(file):
            raise UsageError(
                f"there is no {file}", hint="name the folder that `sparkctl airgap mirror ca firmware` made"
            )
    content = read_bounded(key_file, _MAX_PEM)
    if key_file.stat().st_mode & 0o077:
        raise RefusedError(f"{key_file} may be read by others", hint="make a new CA, and give it to all clients")
    try:
        key = load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(read_bounded(certificate_file, _MAX_PEM))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError(f"{folder} holds no CA that can be read", hint="sparkctl airgap mirror ca firmware") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
        raise UsageError(f"{key_file} is not the key of {certificate_file}", hint="name the folder of a whole CA")
    if certificate.not_valid_after_utc <= now:
        raise RefusedError(
            f"the certificate of {certificate_file} has ended", hint="make a new CA, and give it to all clients"
        )
    return Pair(certificate, key)
