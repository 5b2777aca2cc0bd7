"""Apply a bundle that was verified and scanned: all of it or nothing; then a receipt for those who packed it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.layout import BLOBS, RECEIPT_NAMESPACE
from sparkctl.airgap.tree import Tree, free_bytes, total
from sparkctl.app.airgap_bundle import Bundle, require_newer, signed_bundle
from sparkctl.app.airgap_files import Desk, canonical, document_over, position_in, told
from sparkctl.app.airgap_quarantine import require_contents, scanned
from sparkctl.app.airgap_signatures import signature_over
from sparkctl.app.airgap_site import TransferSite
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.ssh_signatures import signature_of
from sparkctl.model.printable import printable
from sparkctl.model.transfer import HaveList, ScanRecord, StreamPosition, TransferReceipt


@dataclass(frozen=True, slots=True)
class Wished:
    """Where a bundle is to be applied, who does so, and what becomes of the receipt. `keep` is a number of trees."""

    to: Path
    by: str
    keep: int
    receipt: Path | None
    key: Path | None


@dataclass(frozen=True, slots=True)
class Applied:
    """A bundle that was applied, and the tree that is current now."""

    receipt: TransferReceipt
    tree: Path


def apply(desk: Desk, site: TransferSite, folder: Path, wished: Wished, now: datetime) -> Applied:
    """Apply a bundle in quarantine; one that was killed in the middle goes on when it is called again.

    Raises RefusedError when the bundle was not scanned, is older than what is here, is not for this tree, or leaves out
    what is not here; UsageError for damage and a full disk. In each of these cases the current tree is what it was.
    """
    bundle = signed_bundle(folder, site)
    tree = Tree(wished.to)
    if wished.receipt is not None and not wished.receipt.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {wished.receipt.parent}", hint="name another place for the receipt")
    with desk.locked(), told(wished.to):
        position = position_in(tree.position)
        if position is not None and position.stream != bundle.manifest.stream:
            raise RefusedError(
                f"{bundle.manifest.name} is of the stream {bundle.manifest.stream}, and {wished.to} holds"
                f" {position.stream}",
                hint="name the folder of this stream with --to",
            )
        require_newer(bundle.manifest, position, desk.applied(bundle.manifest.stream))
        record = scanned(desk, site, bundle)
        require_contents(bundle)
        _require_left_out(bundle, tree)
        tree.make()
        with tree.locked():
            # Once more: a command with another state folder may have applied a bundle meanwhile.
            require_newer(bundle.manifest, position_in(tree.position))
            return _change(desk, tree, bundle, _receipt(bundle, record, wished.by, now), wished)


def _change(desk: Desk, tree: Tree, bundle: Bundle, receipt: TransferReceipt, wished: Wished) -> Applied:
    _put(bundle, tree)
    made = tree.build(bundle.manifest, bundle.manifest_sha256)
    signature = signature_over(canonical(receipt), wished.key, RECEIPT_NAMESPACE) if wished.key else None
    position = _position(bundle, receipt.applied_at)
    with contextlib.ExitStack() as waiting:
        # All of it is on its disk before the tree is turned, so that none of these disks can be full afterwards.
        # What is entered last has its name first: a call that is killed before the position has it is made again.
        for path in (desk.applied_place(position.stream), tree.position):
            waiting.enter_context(document_over(path, canonical(position)))
        if wished.receipt is not None:
            for path, content in _receipt_files(receipt, signature, wished.receipt):
                waiting.enter_context(document_over(path, content))
        tree.turn(made)
    tree.forget(wished.keep, made)
    return Applied(receipt, made)


def _require_left_out(bundle: Bundle, tree: Tree) -> None:
    """Raise RefusedError unless everything that a delta leaves out is here, whole."""
    carried = set(bundle.manifest.carried)
    left_out: dict[str, str] = {}
    for file in bundle.manifest.files:
        if file.sha256 not in carried:
            left_out.setdefault(file.sha256, file.path)
    missing = [path for digest, path in left_out.items() if not tree.holds(digest)]
    if missing:
        names = ", ".join(printable(path, 100) for path in missing[:3])
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        raise RefusedError(
            f"{len(missing):,} of the {len(left_out):,} contents that {bundle.manifest.name} leaves out are not in"
            f" {tree.folder}, or are damaged: {names}{more}",
            hint="nothing was applied; send a new list (`sparkctl airgap have`) and have it packed again",
        )


def _put(bundle: Bundle, tree: Tree) -> None:
    sizes = bundle.manifest.sizes
    needed = total(sizes[digest] for digest in bundle.manifest.carried if not tree.holds(digest))
    if needed > (free := free_bytes(tree.folder)):
        raise UsageError(
            f"{tree.folder} is full: {needed:,} bytes are wanted and {free:,} are free",
            hint="make room and run the same command again; nothing was applied",
        )
    for digest in bundle.manifest.carried:
        tree.put(digest, bundle.folder / BLOBS / digest)


def _receipt(bundle: Bundle, record: ScanRecord, by: str, now: datetime) -> TransferReceipt:
    return TransferReceipt(
        stream=bundle.manifest.stream,
        sequence=bundle.manifest.sequence,
        manifest_sha256=bundle.manifest_sha256,
        files_sha256=bundle.files_sha256,
        files=len(bundle.manifest.files),
        bytes=sum(file.size for file in bundle.manifest.files),
        signed_by=[printable(name, 120) for name in bundle.signed_by],
        scan=record,
        applied_at=now,
        applied_by=by,
    )


def _receipt_files(receipt: TransferReceipt, signature: bytes | None, path: Path) -> Iterator[tuple[Path, bytes]]:
    if signature is not None:
        yield signature_of(path), signature
    yield path, canonical(receipt)


def _position(bundle: Bundle, now: datetime) -> StreamPosition:
    return StreamPosition(
        stream=bundle.manifest.stream,
        sequence=bundle.manifest.sequence,
        manifest_sha256=bundle.manifest_sha256,
        at=now,
    )


def list_have(folder: Path, stream: str, now: datetime) -> tuple[HaveList, int]:
    """What a tree has of a stream, each content read and hashed; and how many of them are damaged.

    A damaged content is not in the list, so that the next bundle brings it again. Raises RefusedError for a tree of
    another stream, UsageError.
    """
    tree = Tree(folder)
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", hint="a far side that has nothing needs no list: have all of it packed"
        )
    with told(folder):
        position = position_in(tree.position)
        if position is not None and position.stream != stream:
            raise RefusedError(
                f"{folder} holds the stream {position.stream}, not {stream}", hint="name the folder of this stream"
            )
        found, damaged = [], 0
        for path in tree.blobs():
            if digest_of(path)[0] == path.name:
                found.append(path.name)
            else:
                damaged += 1
    sequence = position.sequence if position else 0
    return HaveList(stream=stream, sequence=sequence, taken_at=now, blobs=sorted(found)), damaged
