"""Pack a transfer bundle: files of a folder, or what of them the far side has not, in parts for media."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.airgap.blobs import Blob
from sparkctl.airgap.journal import JOURNAL, PLAN, PackPlan
from sparkctl.airgap.layout import BOM, FILES, MANIFEST, MAX_MANIFEST, SUMS, files_text, sha256, sums_text
from sparkctl.airgap.parts import write_parts
from sparkctl.airgap.sources import files_of, hashed
from sparkctl.airgap.tree import free_bytes
from sparkctl.app.airgap_bom import bom
from sparkctl.app.airgap_files import Desk, canonical, read_document, told, write_document
from sparkctl.app.airgap_signatures import sign_bundle
from sparkctl.atomic_file import replace_file, sync_folder
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.model.transfer import (
    MAX_SEQUENCE,
    HaveList,
    StreamPosition,
    TransferFile,
    TransferManifest,
    TransferPart,
    bundle_name,
)

_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be packed, and how. `part_size` in bytes; `have` says what the far side has, None for all of it."""

    stream: str
    files: Mapping[str, Path]
    out: Path
    part_size: int
    have: HaveList | None
    sequence: int | None
    keys: Sequence[Path]
    by: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle that was packed; `began_again` when an unfinished one was of no use."""

    folder: Path
    manifest: TransferManifest
    bytes: int
    resumed_parts: int


def folder_files(folder: Path, out: Path) -> dict[str, Path]:
    """The files to pack of a folder; raises UsageError, also where what is packed would lie among them."""
    with told(folder):
        if out.resolve().is_relative_to(folder.resolve()):
            raise UsageError(f"{out} is in {folder}: a bundle would carry the others", hint="name another --out")
        return files_of(folder)


def have_list(desk: Desk, stream: str, path: Path | None) -> HaveList:
    """What the far side has: as it says in a file, or as its last receipt says. Raises UsageError, RefusedError."""
    place = path or desk.have_of(stream)
    if path is None and not place.exists():
        raise UsageError(
            f"no receipt of the stream {stream} was read here",
            hint="read one with `sparkctl airgap receipt`, name a have-list with --have, or pack all of it",
        )
    found = read_document(HaveList, place)
    if found.stream != stream:
        raise RefusedError(
            f"{place} is of the stream {found.stream}, not of {stream}", hint="name the list of this stream"
        )
    return found


def pack(desk: Desk, wanted: Wanted, now: datetime) -> Packed:
    """Pack, or go on with a pack of the same files that did not end; signed by each of the keys.

    Raises UsageError, RefusedError for a sequence that was used, BusyError.
    """
    with desk.locked(), told(wanted.out):
        files, blobs = hashed(wanted.files)
        known = set(wanted.have.blobs) if wanted.have else set()
        carried = [blobs[digest] for digest in sorted(blobs.keys() - known)]
        plan = _plan(desk, wanted, files, carried, now)
        folder = wanted.out / bundle_name(wanted.stream, plan.sequence)
        if folder.exists():
            raise UsageError(f"{folder} exists", hint="name another --out; a bundle is never written over")
        partial = folder.with_name(f"{folder.name}{_PARTIAL}")
        resumed = _begin(partial, plan)
        _require_room(partial, carried)
        parts = write_parts(partial, carried, wanted.part_size)
        manifest = _manifest(wanted, plan, files, carried, parts)
        _finish(partial, manifest)
        for key in wanted.keys:
            sign_bundle(partial, key)
        _note(desk, manifest, now)
        partial.rename(folder)
        sync_folder(wanted.out)
        for name in (PLAN, JOURNAL):  # only now, since a pack that is killed before has to know that it is done
            (folder / name).unlink(missing_ok=True)
    return Packed(folder, manifest, sum(path.stat().st_size for path in folder.iterdir()), resumed)


def _plan(desk: Desk, wanted: Wanted, files: list[TransferFile], carried: list[Blob], now: datetime) -> PackPlan:
    """The plan of an unfinished pack that is of the same files, else a new one; raises RefusedError."""
    last = desk.packed(wanted.stream)
    sequence = wanted.sequence or (last.sequence if last else wanted.have.sequence if wanted.have else 0) + 1
    fresh = PackPlan(
        sequence=sequence,
        delta_from=wanted.have.sequence if wanted.have else None,
        files_sha256=sha256("".join(f"{file.sha256}  {file.path}\n" for file in files).encode()),
        carried_sha256=sha256("".join(blob.sha256 for blob in carried).encode()),
        part_size=wanted.part_size,
        created_at=now,
        created_by=wanted.by,
    )
    for path in sorted(wanted.out.glob(f"{wanted.stream}-????????{_PARTIAL}/{PLAN}")):
        begun = _unfinished(path)
        if begun and wanted.sequence in {None, begun.sequence} and path.parent.name == _partial_name(wanted, begun):
            same = fresh.model_copy(
                update={
                    "sequence": begun.sequence,
                    "created_at": begun.created_at,
                    "created_by": begun.created_by,
                }
            )
            if same == begun:
                return begun
    if last and sequence <= last.sequence:
        raise RefusedError(
            f"the sequence {sequence} of the stream {wanted.stream} is used: the last one packed here is"
            f" {last.sequence}",
            hint="leave --sequence out",
        )
    if sequence > MAX_SEQUENCE:
        raise RefusedError(
            f"the stream {wanted.stream} has no sequence after {MAX_SEQUENCE:,}",
            hint="is the have-list the far side's? Else make a new stream",
        )
    if fresh.delta_from is not None and sequence <= fresh.delta_from:
        raise RefusedError(
            f"the far side is at sequence {fresh.delta_from} of {wanted.stream}: {sequence} would be older",
            hint=f"name --sequence {fresh.delta_from + 1}",
        )
    return fresh


def _partial_name(wanted: Wanted, plan: PackPlan) -> str:
    return f"{bundle_name(wanted.stream, plan.sequence)}{_PARTIAL}"


def _unfinished(path: Path) -> PackPlan | None:
    try:
        return read_document(PackPlan, path)
    except SparkctlError:
        return None


def _begin(partial: Path, plan: PackPlan) -> int:
    """Make the folder of a pack, or take it as it is when it is of the same plan; how many parts it holds by then."""
    if partial.exists() and _unfinished(partial / PLAN) == plan:
        return len(list(partial.glob("blobs.tar.zst.[0-9][0-9][0-9][0-9]")))
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_document(plan, partial / PLAN)
    return 0


def _require_room(partial: Path, carried: Sequence[Blob]) -> None:
    """Raise UsageError where not even the better half of the contents would fit; compression decides about the rest."""
    there = sum(path.stat().st_size for path in partial.iterdir())
    needed, free = sum(blob.size for blob in carried) // 2, free_bytes(partial)
    if needed > free + there:
        raise UsageError(
            f"{partial.parent} is full: at least {needed:,} bytes are wanted and {free + there:,} are free",
            hint="name an --out on another disk",
        )


def _manifest(
    wanted: Wanted, plan: PackPlan, files: list[TransferFile], carried: Sequence[Blob], parts: list[TransferPart]
) -> TransferManifest:
    return TransferManifest(
        stream=wanted.stream,
        sequence=plan.sequence,
        delta_from=plan.delta_from,
        created_at=plan.created_at,
        created_by=plan.created_by,
        files=files,
        carried=[blob.sha256 for blob in carried],
        parts=parts,
    )


def _finish(partial: Path, manifest: TransferManifest) -> None:
    """Write all that stands beside the parts."""
    texts = {
        MANIFEST: canonical(manifest),
        FILES: files_text(manifest),
        BOM: bom(manifest.name, manifest.created_at, manifest.files),
    }
    if any(len(text) > MAX_MANIFEST for text in texts.values()):
        raise UsageError(f"the manifest is larger than {MAX_MANIFEST // 2**20} MiB", hint="make two streams of it")
    digests = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    digests |= {part.name: part.sha256 for part in manifest.parts}
    texts[SUMS] = sums_text(digests)
    for name, text in texts.items():
        replace_file(partial / name, text, 0o644)


def _note(desk: Desk, manifest: TransferManifest, now: datetime) -> None:
    """Keep the manifest for the receipt, and the sequence."""
    write_document(manifest, desk.manifest_of(manifest.name))
    digest = sha256(canonical(manifest))
    desk.note_packed(StreamPosition(stream=manifest.stream, sequence=manifest.sequence, manifest_sha256=digest, at=now))
