"""What the site signs of firmware: its own metadata, and cabs that nobody signed whom clients trust."""

import os
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors import firmware_cab
from sparkctl.airgap.mirrors.chain import loaded
from sparkctl.airgap.mirrors.firmware_origin import beside, require_by_tool, signed
from sparkctl.airgap.mirrors.pkcs7 import Signature
from sparkctl.airgap.mirrors.tool import run
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_firmware import FirmwareMirror, OwnCab
from sparkctl.model.printable import printable

_SECONDS = 120.0
_MAX_KEY = 64 * 1024
_MAKE = "make them: sparkctl airgap mirror ca firmware"


class Signer:
    """The site's signing certificate and its key, which stays where it lies: only jcat-tool reads it to sign.

    Raises UsageError for a key that cannot be read or is another one, RefusedError for one that others may read.
    """

    def __init__(self, spec: FirmwareMirror, log: Path) -> None:
        self.certificate, *self.authorities = loaded(spec.sign_cert)
        self._key, self.log = Path(spec.sign_key), log
        self._require_key()

    def sign(self, jcat: Path, source: Path) -> None:
        """Add a signature of a file, and its SHA-256, to a file of signatures; raises UsageError."""
        with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
            certificate = Path(scratch) / "certificate.pem"
            certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
            words = ("jcat-tool", "--basename")
            for argv in (
                [*words, "--kind", "sha256", "self-sign", str(jcat), str(source)],
                [*words, "sign", str(jcat), str(source), str(certificate), str(self._key)],
            ):
                ran = run(argv, self.log, package="jcat", seconds=_SECONDS)
                if ran.status != 0 or not jcat.is_file():
                    raise UsageError(f"{source.name} was not signed: {ran.last_line}", hint=f"see {self.log}")

    def _require_key(self) -> None:
        try:
            descriptor = os.open(self._key, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                found, content = os.fstat(descriptor), file.read(_MAX_KEY)
        except OSError as error:
            raise UsageError(f"the key {self._key} cannot be read: {error.strerror}", hint=_MAKE) from None
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
            raise RefusedError(
                f"the key {self._key} may be read by others",
                hint=f"chmod 600 {self._key}; if somebody else has been on this machine, make a new one",
            )
        try:
            key = load_pem_private_key(content, None)
        except TypeError:
            raise UsageError(
                f"the key {self._key} has a passphrase, which jcat-tool does not ask for", hint=_MAKE
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise UsageError(f"{self._key} is no private key in PEM", hint=_MAKE) from None
        if _public(key.public_key()) != _public(self.certificate.public_key()):
            raise UsageError(
                f"the key {self._key} is not that of the certificate in `sign_cert`", hint="name its own key"
            )


def sign_metadata(signer: Signer, path: Path, at: int) -> Signature:
    """Sign metadata, later than `at` in seconds since 1970; raises RefusedError for a clock that goes back, UsageError.

    fwupd takes no metadata that was not signed later than what it has, counted in seconds.
    """
    for wait in (0.0, 1.1):
        time.sleep(wait)
        beside(path).unlink(missing_ok=True)
        signer.sign(beside(path), path)
        signature = signed(path, signer.authorities, path.name, None)
        if signature.signed_at.timestamp() > at:
            require_by_tool(path, signer.authorities)
            return signature
    raise RefusedError(
        f"the clock of this machine stands before the last signature of {path.name}",
        hint="clients would refuse what is signed now: set the clock, and run the same command again",
    )


def own_cabs(spec: FirmwareMirror, signer: Signer, folder: Path) -> list[Path]:
    """The cabs that the operator named, proven by their digests, each signed by somebody whom clients trust.

    One that the origin signed stays as it is, any other is signed by the site. Raises UsageError, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trust = loaded(spec.trust)
    return [_own_cab(cab, trust, signer, folder) for cab in spec.cabs]


def named_cab(wanted: OwnCab) -> firmware_cab.Cab:
    """A cab that the operator named, proven by its digest; raises UsageError."""
    path, named = Path(wanted.file), printable(wanted.file, 300)
    try:
        if digest_of(path)[0] != wanted.sha256:
            raise UsageError(f"{named} is not what was named: its digest is another", hint="see where it comes from")
        return firmware_cab.read(path)
    except OSError as error:
        raise UsageError(f"{named} cannot be read: {error.strerror}", hint="see that it lies there") from None
    except ValueError as error:
        raise UsageError(f"{named} {error}", hint="fwupd would not take it") from None


def _own_cab(wanted: OwnCab, trust: Sequence[x509.Certificate], signer: Signer, folder: Path) -> Path:
    cab, path = named_cab(wanted), Path(wanted.file)
    if _holds(cab, trust):
        return path
    ready = folder / f"{wanted.sha256}.cab"
    if ready.is_file() and _holds(firmware_cab.read(ready), signer.authorities):
        return ready
    _sign_cab(cab, signer, ready)
    if not _holds(firmware_cab.read(ready), signer.authorities):
        raise UsageError(
            f"{printable(wanted.file, 300)} could not be signed: it has signatures that stand in the way",
            hint="ask its maker for another",
        )
    return ready


def _sign_cab(cab: firmware_cab.Cab, signer: Signer, target: Path) -> None:
    """Make the same cab with the site's signature added to those that are in it."""
    signatures = next((name for name in cab.files if name.endswith(".jcat")), "firmware.jcat")
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        folder = Path(scratch)
        for name, content in cab.files.items():
            (folder / name).write_bytes(content)
        for name in cab.names():
            if name in cab.files:
                signer.sign(folder / signatures, folder / name)
        names = dict.fromkeys([*cab.files, signatures])
        made = target.with_name(f".{target.name}.new")
        made.unlink(missing_ok=True)
        argv = ["gcab", "--create", "--zip", "--nopath", str(made.absolute()), *(str(folder / name) for name in names)]
        ran = run(argv, signer.log, package="gcab", seconds=_SECONDS)
        if ran.status != 0 or not made.is_file():
            raise UsageError(f"{target.name} was not packed: {ran.last_line}", hint=f"see {signer.log}")
        made.replace(target)


def _holds(cab: firmware_cab.Cab, trust: Sequence[x509.Certificate]) -> bool:
    try:
        cab.require_signed([*cab.names()], trust)
    except ValueError:
        return False
    return True


def _public(key: object) -> bytes:
    """A public key as bytes that can be compared."""
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return encoded
