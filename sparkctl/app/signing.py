"""Signed files: the signature stands beside the file, made and checked by OpenSSH's own tool."""

from pathlib import Path

from sparkctl.errors import RefusedError
from sparkctl.evidence import ssh_signatures
from sparkctl.evidence.ssh_signatures import MAX_SIGNATURE, sign, signature_of

__all__ = ["sign", "signature_of", "verify"]


def verify(path: Path, content: bytes, allowed_signers: Path, namespace: str) -> str:
    """The principal that signed `content`, which was read from `path`.

    Raises RefusedError when nobody who is allowed to did.
    """
    signature = signature_of(path).absolute()
    if not signature.is_file() or signature.stat().st_size > MAX_SIGNATURE:
        raise RefusedError(f"{path} is not signed: there is no {signature}", hint="sign it, or leave the check out")
    return ssh_signatures.signatory(
        content, signature, named=str(path), allowed_signers=allowed_signers, namespace=namespace
    ).principal
