"""Read a receipt from the far side: who says so, whether it is of what was packed here, and what is there now."""

from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap.layout import MAX_MANIFEST, RECEIPT_NAMESPACE, files_text, sha256
from sparkctl.app.airgap_files import Desk, parsed, read_bounded, read_document, told, write_document
from sparkctl.app.signing import verify as signer_of
from sparkctl.errors import RefusedError
from sparkctl.model.transfer import HaveList, TransferManifest, TransferReceipt, bundle_name


@dataclass(frozen=True, slots=True)
class Received:
    """A receipt that holds, who signed it, and what the far side has now."""

    receipt: TransferReceipt
    signed_by: str
    have: HaveList


def take_receipt(desk: Desk, path: Path, allowed_signers: Path) -> Received:
    """Check a receipt and note what the far side has, for the next delta.

    Raises RefusedError when nobody who may signed it, when it is older than the last one, or of what was not packed
    here; UsageError when it cannot be read.
    """
    content = read_bounded(path, MAX_MANIFEST)
    with told(path):
        signed_by = signer_of(path, content, allowed_signers, RECEIPT_NAMESPACE)
    receipt = parsed(TransferReceipt, content, str(path))
    with desk.locked():
        manifest = _manifest(desk, receipt)
        have = HaveList(
            stream=receipt.stream,
            sequence=receipt.sequence,
            taken_at=receipt.applied_at,
            blobs=sorted(manifest.sizes),
        )
        place = desk.have_of(receipt.stream)
        if place.exists() and (known := read_document(HaveList, place)).sequence > receipt.sequence:
            raise RefusedError(
                f"{path} is older than the last receipt of {receipt.stream}, which was for sequence {known.sequence}",
                hint="read the newest receipt",
            )
        write_document(have, place)
    return Received(receipt, signed_by, have)


def _manifest(desk: Desk, receipt: TransferReceipt) -> TransferManifest:
    """The manifest that a receipt is for, as it was kept when it was packed; raises RefusedError."""
    name = bundle_name(receipt.stream, receipt.sequence)
    place = desk.manifest_of(name)
    if not place.exists():
        raise RefusedError(f"{name} was not packed here", hint="name the state folder where it was, with --state")
    content = read_bounded(place, MAX_MANIFEST)
    manifest = parsed(TransferManifest, content, str(place))
    if sha256(content) != receipt.manifest_sha256 or sha256(files_text(manifest)) != receipt.files_sha256:
        raise RefusedError(
            f"the receipt for {name} is of another bundle than the one that was packed here",
            hint="find out what the far side applied",
        )
    return manifest
