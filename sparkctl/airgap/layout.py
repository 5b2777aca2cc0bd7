"""What lies in the folder of a transfer bundle, and the text files that `sha256sum` reads."""

import hashlib
import re
from collections.abc import Mapping

from sparkctl.model.transfer import TransferManifest

MANIFEST = "manifest.json"
FILES = "files.sha256"
BOM = "bom.cdx.json.zst"
SUMS = "SHA256SUMS"
SIGNATURE = re.compile(r"SHA256SUMS(\.[A-Za-z0-9._-]{1,80})?\.sig")
BLOBS = "blobs"

NAMESPACE = "spark-transfer"
"""What the signatures of a bundle are for: one made for anything else does not hold here."""
RECEIPT_NAMESPACE = "spark-transfer-receipt"

MAX_MANIFEST = 128 * 2**20
MAX_BOM = 128 * 2**20
MAX_SUMS = 2**20
_LINE = re.compile(rb"([0-9a-f]{64})  ([A-Za-z0-9._]{1,60})")


def sha256(content: bytes) -> str:
    """The digest of bytes."""
    return hashlib.sha256(content).hexdigest()


def files_text(manifest: TransferManifest) -> bytes:
    """Every file of the stream, as `sha256sum -c` takes it."""
    return "".join(f"{file.sha256}  {file.path}\n" for file in manifest.files).encode()


def sums_text(digests: Mapping[str, str]) -> bytes:
    """The digests of the files of a bundle, sorted by name: the text that people sign."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def sums_of(text: bytes) -> dict[str, str]:
    """The digests in such a text by name; raises ValueError unless it is written as `sums_text` does."""
    lines = [_LINE.fullmatch(line) for line in text.splitlines()]
    found = {match[2].decode(): match[1].decode() for match in lines if match is not None}
    if sums_text(found) != text:
        raise ValueError("it is not a list of digests as sparkctl writes one")
    return found
