"""Take in the ISO image of an installer: a copy of our own, which somebody vouches for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sparkctl.airgap.blobs import copied
from sparkctl.airgap.iso_image import require_whole
from sparkctl.airgap.mirrors import openpgp
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.files import opened_file
from sparkctl.model.printable import printable

_MAX_SUMS = 2**20
_MAX_SIGNATURE = 2**20
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.{1,255})")
_UNPROVEN = "download it again, and its sums; what is not proven goes on no stick"


@dataclass(frozen=True, slots=True)
class SignedSums:
    """A list of digests as `sha256sum` writes it, its OpenPGP signature, and the keys that may have signed it."""

    sums: Path
    signature: Path
    keyring: Path


@dataclass(frozen=True, slots=True)
class Voucher:
    """What an installer must be: the digest that the operator names, or one that was signed."""

    sha256: str | None = None
    signed: SignedSums | None = None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The digest of an installer, and the fingerprints of the keys that vouch for it: none where a person does."""

    sha256: str
    verified_by: list[str]


def require_voucher(voucher: Voucher) -> None:
    """Raise RefusedError where nothing says what the installer must be."""
    if voucher.sha256 is None and voucher.signed is None:
        raise RefusedError(
            "nothing says what the installer must be, and nothing unproven goes on a stick that machines are made with",
            hint="name --sha256, or --sums with --keyring",
        )


def take_in(source: BinaryIO, named: Path, voucher: Voucher, copy: Path) -> TakenIn:
    """Copy an installer to where nobody else can change it, and hold the copy against what vouches for it.

    Raises RefusedError when it is not what it must be, UsageError when it is no ISO image, OSError.
    """
    require_voucher(voucher)
    require_whole(source, str(named))
    source.seek(0)
    with copy.open("xb") as file:
        found = copied(source, file)
    if voucher.sha256 not in (None, found):
        raise RefusedError(f"{named} is not the file of this digest: its SHA-256 is {found}", hint=_UNPROVEN)
    return TakenIn(found, _require_signed(found, named, voucher.signed) if voucher.signed else [])


def opened_installer(path: Path) -> BinaryIO:
    """The file of an installer; raises UsageError when there is none."""
    try:
        return opened_file(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name the .iso file of an installer"
        ) from None


def _read(path: Path, limit: int) -> bytes:
    try:
        with opened_file(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="get it where the installer is from"
        ) from None
    if len(content) > limit:
        raise UsageError(f"{path} is larger than {limit:,} bytes", hint="name the file that was published")
    return content


def _require_signed(found: str, named: Path, signed: SignedSums) -> list[str]:
    content = _read(signed.sums, _MAX_SUMS)
    signature = _read(signed.signature, _MAX_SIGNATURE)
    try:
        key = openpgp.armoured(_read(signed.keyring, openpgp.MAX_KEYRING))
    except ValueError as error:
        raise UsageError(f"{signed.keyring} {error}", hint="name the keyring of those who publish it") from None
    signers = openpgp.verified_apart(content, signature, key, str(signed.sums))
    lines = [_LINE.fullmatch(line) for line in content.decode("utf-8", "replace").splitlines()]
    digests = {line[2]: line[1].lower() for line in lines if line}
    of_name = digests.get(named.name)
    if of_name not in (None, found):
        raise RefusedError(f"{named} is not what {signed.sums} says: its SHA-256 is {found}", hint=_UNPROVEN)
    if found not in digests.values():
        raise RefusedError(
            f"{signed.sums} does not name {printable(named.name)}, nor its SHA-256, {found}", hint=_UNPROVEN
        )
    return list(signers)
