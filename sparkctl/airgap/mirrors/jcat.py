"""Files of signatures beside what they sign (libjcat's format): digests, and PKCS#7 of the content or of a digest."""

import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509

from sparkctl.airgap.mirrors.pkcs7 import Digest, Signature, verified
from sparkctl.contract.strict_json import parse
from sparkctl.errors import ContractError

MAX_JCAT = 4 * 2**20
"""Bytes of such a file at most, and four times as many of what it holds; that of LVFS has four kilobytes."""

_MAX_ITEMS = 1000
_GZIP = 31
_UNREADABLE = "is no file of signatures: an item of it cannot be read"
_KINDS = {1: "sha256", 10: "sha512"}
"""Digests that fwupd looks at (JcatBlobKind of libjcat); the others are for older ones."""
_PKCS7 = 3


@dataclass(frozen=True, slots=True)
class Signed:
    """The armour of a PKCS#7, and the digest whose hexadecimal it signs in place of the content."""

    armour: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """What is said of one file: its digests in hexadecimal, and signatures."""

    names: tuple[str, ...]
    digests: Mapping[str, tuple[str, ...]]
    signed: Sequence[Signed]


def items(content: bytes) -> list[Item]:
    """What a file of signatures says; raises ValueError with half a sentence."""
    unpacked = _unpacked(content)
    try:
        document = parse(unpacked)
    except ContractError as error:
        raise ValueError(f"is no file of signatures: {error.message}") from None
    listed = document.get("Items") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MAX_ITEMS or document.get("JcatVersionMajor") != 0:
        raise ValueError("is no file of signatures of the format 0")
    return [_item(one) for one in listed]


def verified_item(
    item: Item, content: Digest, trust: Sequence[x509.Certificate], at: datetime | None = None
) -> Signature:
    """The signature of an item, once every digest is right and one signature holds.

    That all digests and one signature must hold is fwupd's rule. Raises ValueError with half a sentence.
    """
    if not any(item.digests.values()):
        raise ValueError("has no SHA-256 beside its signature, and fwupd demands one")
    for name, told in item.digests.items():
        right = content(name).hex()
        if any(one != right for one in told):
            raise ValueError("is not of this file: one of them was changed")
    reasons: list[str] = []
    for signed in item.signed:
        try:
            return verified(signed.armour, _over(signed, item, content), trust, at)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(reasons[0] if reasons else "is missing: there is no PKCS#7 in it")


def digests_of(content: bytes) -> Digest:
    """The digests of some bytes."""
    return lambda name: hashlib.new(name, content).digest()


def _over(signed: Signed, item: Item, content: Digest) -> Digest:
    """The digests of what a signature is over."""
    if signed.target is None:
        return content
    told = item.digests.get(signed.target, ())
    if not told:
        raise ValueError("is over a digest that is not there")
    return digests_of(told[0].encode("ascii"))


def _item(node: Any) -> Item:
    blobs, aliases = (node.get("Blobs"), node.get("AliasIds", [])) if isinstance(node, dict) else (None, None)
    if not isinstance(blobs, list) or not isinstance(aliases, list) or len(blobs) > _MAX_ITEMS:
        raise ValueError(_UNREADABLE)
    names = [node.get("Id"), *aliases]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(_UNREADABLE)
    digests: dict[str, tuple[str, ...]] = {}
    signed: list[Signed] = []
    for blob in blobs:
        kind, target, data = _blob(blob)
        if kind in _KINDS:
            if not re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{128}", data):
                raise ValueError("is no file of signatures: a digest in it is none")
            digests[_KINDS[kind]] = (*digests.get(_KINDS[kind], ()), data)
        elif kind == _PKCS7 and (target == 0 or target in _KINDS):
            signed.append(Signed(data, _KINDS.get(target)))
    return Item(tuple(names), digests, signed)


def _blob(node: Any) -> tuple[int, int, str]:
    """Kind, target and data of one statement on a file."""
    if isinstance(node, dict):
        kind, target, data = node.get("Kind"), node.get("Target", 0), node.get("Data")
        if isinstance(kind, int) and isinstance(target, int) and isinstance(data, str):
            return kind, target, data
    raise ValueError(_UNREADABLE)


def _unpacked(content: bytes) -> bytes:
    if len(content) > MAX_JCAT:
        raise ValueError(f"is larger than {MAX_JCAT // 2**20} MiB")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(content, 4 * MAX_JCAT)
    except zlib.error:
        raise ValueError("is no file of signatures: it is not compressed by gzip") from None
    if not unpacker.eof:
        raise ValueError("is no file of signatures: it is not whole")
    return found
