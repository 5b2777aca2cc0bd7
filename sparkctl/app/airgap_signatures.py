"""Signatures under a transfer bundle: OpenSSH keys sign SHA256SUMS, and people are counted, not keys."""

import hashlib
import tempfile
from pathlib import Path

from sparkctl.airgap.layout import MAX_SUMS, NAMESPACE, SIGNATURE, SUMS
from sparkctl.app.airgap_files import read_bounded, told
from sparkctl.atomic_file import replace_file
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.evidence import ssh_signatures
from sparkctl.evidence.ssh_signatures import MAX_SIGNATURE
from sparkctl.model.transfer import MAX_SIGNERS


def sign_bundle(folder: Path, key: Path) -> Path:
    """Sign a bundle with one more key; where the signature stands. Raises UsageError when the key cannot sign."""
    sums = read_bounded(folder / SUMS, MAX_SUMS)
    armoured = signature_over(sums, key, NAMESPACE)
    fingerprint = ssh_signatures.fingerprint_in(sums, armoured, NAMESPACE)
    place = folder / f"{SUMS}.{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.sig"
    with told(folder):
        replace_file(place, armoured, 0o644)
    return place


def signature_over(content: bytes, key: Path, namespace: str) -> bytes:
    """A signature over bytes, as ssh-keygen writes it; raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (place := Path(scratch) / "content").write_bytes(content)
        return ssh_signatures.sign(place, key, namespace).read_bytes()


def signature_files(folder: Path) -> list[Path]:
    """The signatures that lie beside SHA256SUMS; raises UsageError."""
    with told(folder):
        found = sorted(path for path in folder.iterdir() if SIGNATURE.fullmatch(path.name))
    if len(found) > MAX_SIGNERS:
        raise UsageError(f"{folder} holds more than {MAX_SIGNERS} signatures", hint="leave those that count")
    return found


def require_signed(folder: Path, sums: bytes, allowed_signers: Path, needed: int) -> list[str]:
    """The people who signed, sorted; raises RefusedError unless they are at least `needed` of those who may."""
    found = signature_files(folder)
    if not found:
        raise RefusedError(
            f"{folder} is not signed: there is no {SUMS}.sig beside {SUMS}",
            hint="have it signed where it was packed: sparkctl airgap sign BUNDLE --key KEY",
        )
    signed: list[ssh_signatures.Signatory] = []
    refused: list[SparkctlError] = []
    for path in found:
        try:
            signed.append(_signatory(sums, path, allowed_signers))
        except RefusedError as error:
            refused.append(error)
    people = ssh_signatures.people(signed)
    if len(people) < needed:
        have = f"only {', '.join(people)} did" if people else "nobody did"
        why = f"; {refused[0].message}" if refused else ""
        raise RefusedError(
            f"{folder} needs the signatures of {needed} {'person' if needed == 1 else 'people'}: {have}{why}",
            hint="find out who signed what, and have it signed by who may"
            + ("; two keys of one person count once" if needed > 1 else ""),
        )
    return people


def _signatory(sums: bytes, path: Path, allowed_signers: Path) -> ssh_signatures.Signatory:
    content = read_bounded(path, MAX_SIGNATURE)
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (place := Path(scratch) / "signature").write_bytes(content)
        return ssh_signatures.signatory(
            sums, place, named=path.name, allowed_signers=allowed_signers, namespace=NAMESPACE
        )
