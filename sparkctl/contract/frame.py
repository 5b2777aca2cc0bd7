"""Find the framed document in what a login printed; everything around it is noise, counted and never parsed."""

import hashlib
import re
from dataclasses import dataclass

from sparkctl.errors import ContractError

FRAME_MAGIC = "sparkctl-frame/1"
_HEADER = re.compile(rb"([0-9]{1,12}) ([0-9a-f]{64})\n")


@dataclass(frozen=True)
class Framed:
    """The bytes of one document and the number of bytes around its frame."""

    document: bytes
    noise_bytes: int


def unframe(stdout: bytes, nonce: str) -> Framed:
    """Cut the document out of standard output.

    Raises ContractError: `no_document` when no frame bears the nonce, `frame_damaged` when the frame's length or digest
    do not match what follows it.
    """
    mark = f"{FRAME_MAGIC} {nonce} ".encode("ascii")
    start = stdout.find(mark)
    if start < 0:
        raise ContractError("no_document", "the output contains no document of this run")
    header = _HEADER.match(stdout, start + len(mark))
    if header is None:
        raise ContractError("frame_damaged", "the frame's header is not one")
    length = int(header[1])
    end = header.end() + length
    document = stdout[header.end() : end]
    if len(document) < length:
        raise ContractError("frame_damaged", f"the document ends after {len(document)} of {length} bytes")
    if hashlib.sha256(document).hexdigest().encode() != header[2]:
        raise ContractError("frame_damaged", "the document does not have the digest that its frame announces")
    newline = stdout[end : end + 1] == b"\n"
    return Framed(document, start + len(stdout) - end - newline)
