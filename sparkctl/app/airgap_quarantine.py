"""Quarantine: a verified bundle is unpacked into a folder that nothing uses, scanned there, and only then applied."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from sparkctl.airgap.blobs import CHUNK, digest_of, opened
from sparkctl.airgap.layout import BLOBS, BOM, FILES, MANIFEST, MAX_MANIFEST, SUMS
from sparkctl.airgap.tree import free_bytes
from sparkctl.app.airgap_bundle import (
    Bundle,
    PartsFound,
    ReadInto,
    find_parts,
    keep_nothing,
    read_contents,
    require_all,
    require_newer_here,
    signed_bundle,
)
from sparkctl.app.airgap_files import Desk, read_bounded, read_document, told, utc_now, write_document
from sparkctl.app.airgap_signatures import signature_files
from sparkctl.app.airgap_site import FOLDER, Scan, TransferSite
from sparkctl.atomic_file import replace_file, sync_folder
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.printable import printable
from sparkctl.model.transfer import ScanRecord

PARTS = "parts"


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that holds; `folder` is where it lies in quarantine, None when nothing was kept."""

    bundle: Bundle
    folder: Path | None


def verify(desk: Desk, site: TransferSite, media: Sequence[Path], into: Path | None) -> Verified:
    """Check a bundle that lies in one folder or in several; unpack it below `into`, when that is named.

    What a call that was killed, or that had not all parts, has unpacked or copied is not read again. Raises
    RefusedError for signatures, streams and sequences that do not do, UsageError for damage and what is missing.
    """
    bundle = signed_bundle(_head(media), site)
    require_newer_here(bundle.manifest, desk)
    if into is None:
        found = find_parts(bundle, media)
        require_all(bundle, found)
        with told(bundle.folder):
            read_contents(bundle, found.places, keep_nothing)
        return Verified(bundle, None)
    with desk.locked(), told(into):
        folder = into / bundle.manifest.name
        _copy_head(bundle, folder)
        found = find_parts(bundle, [*media, folder / PARTS])
        if found.missing:
            _keep_parts(folder / PARTS, found)
        require_all(bundle, found)
        _unpack(bundle, folder, found)
        shutil.rmtree(folder / PARTS, ignore_errors=True)
    return Verified(bundle, folder)


def _head(media: Sequence[Path]) -> Path:
    """The folder that holds what was signed; raises UsageError."""
    for folder in media:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}", hint="name the folders that hold the bundle")
        if (folder / SUMS).is_file():
            return folder
    raise UsageError(f"there is no {SUMS} in {media[0]}", hint="name the folder of a bundle, such as tools-00000001")


def _copy_head(bundle: Bundle, folder: Path) -> None:
    """Bring what stands beside the parts into quarantine."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / BLOBS).mkdir(exist_ok=True)
    if folder.samefile(bundle.folder):
        return
    if (folder / MANIFEST).exists() and digest_of(folder / MANIFEST)[0] != bundle.manifest_sha256:
        raise UsageError(
            f"{folder} holds another bundle of this name", hint=f"find out which one is right, or remove {folder}"
        )
    for name in (MANIFEST, FILES, BOM, SUMS, *(path.name for path in signature_files(bundle.folder))):
        # Read as warily as when it was checked: a medium may have a pipe, or something endless, under a name by now.
        replace_file(folder / name, read_bounded(bundle.folder / name, MAX_MANIFEST), 0o600)


def _keep_parts(parts: Path, found: PartsFound) -> None:
    """Copy the parts that are there, so that the next medium can take the place of this one."""
    parts.mkdir(exist_ok=True)
    for place in found.places:
        target = parts / place.name
        if place.parent == parts:
            continue
        fresh = target.with_name(f".{place.name}.new")
        with opened(place) as file, fresh.open("wb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
            copy.flush()
            os.fsync(copy.fileno())
        fresh.replace(target)
    sync_folder(parts)


def _unpack(bundle: Bundle, folder: Path, found: PartsFound) -> None:
    blobs, sizes = folder / BLOBS, bundle.manifest.sizes
    there = {path.name for path in blobs.iterdir() if not path.is_symlink() and path.is_file()}
    needed = sum(sizes[digest] for digest in bundle.manifest.carried if digest not in there)
    if needed > (free := free_bytes(folder)):
        raise UsageError(
            f"{folder.parent} is full: {needed:,} bytes are wanted and {free:,} are free",
            hint="make room, or name an --into on another disk",
        )

    def take(digest: str, read: ReadInto) -> None:
        place = blobs / digest
        if digest in there and digest_of(place)[0] == digest:
            read(len)
            return
        fresh = blobs / f".{digest}.new"
        with fresh.open("wb") as file:
            read(file.write)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)

    read_contents(bundle, found.places, take)
    for stray in blobs.glob(".*.new"):
        stray.unlink()
    sync_folder(blobs)


def scan(desk: Desk, site: TransferSite, folder: Path) -> tuple[Bundle, ScanRecord]:
    """Run the site's scan over a bundle in quarantine, and keep what it said; its exit status decides.

    What the scan writes goes to standard error. Raises RefusedError when it does not end with 0, UsageError.
    """
    if site.scan is None:
        raise UsageError("the rules of this site name no scan", hint="add `scan:` with a `command:` to them")
    bundle = signed_bundle(folder, site)
    with desk.locked(), told(folder):
        require_contents(bundle)
        started = utc_now()
        status = _run(site.scan, folder.absolute())
        record = ScanRecord(
            manifest_sha256=bundle.manifest_sha256,
            command=list(site.scan.command),
            exit_status=status,
            started_at=started,
            ended_at=utc_now(),
        )
        write_document(record, desk.scan_of(bundle.manifest_sha256))
    if status != 0:
        raise RefusedError(
            f"the scan of {folder} ended with {status}: {printable(site.scan.command[0])} did not find it clean",
            hint="read what it said above; nothing of this bundle can be applied",
        )
    return bundle, record


def require_contents(bundle: Bundle) -> None:
    """Raise UsageError unless every content that a bundle carries lies unpacked beside it, whole."""
    for digest in bundle.manifest.carried:
        path = bundle.folder / BLOBS / digest
        if not path.is_file() or digest_of(path)[0] != digest:
            words = "was changed" if path.is_file() else "is missing"
            raise UsageError(
                f"{path} {words}",
                hint=f"verify the media again: sparkctl airgap verify ... --into {quote(str(bundle.folder.parent))}",
            )


def _run(scan: Scan, folder: Path) -> int:
    command = [str(folder) if argument == FOLDER else argument for argument in scan.command]
    sys.stderr.flush()
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), start_new_session=True
        )  # fmt: skip
    except OSError as error:
        raise UsageError(
            f"the scan {printable(command[0])} cannot be run: {error.strerror}",
            hint="install it, or name it with its whole path in the rules of the site",
        ) from error
    try:
        return process.wait(scan.timeout)
    except subprocess.TimeoutExpired as error:
        raise RefusedError(
            f"the scan did not end within {scan.timeout:,} s", hint="give it a larger `timeout` and scan again"
        ) from error
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def scanned(desk: Desk, site: TransferSite, bundle: Bundle) -> ScanRecord:
    """What the last scan of a bundle said.

    Raises RefusedError unless there was one, by the command that the site names now, and it found nothing.
    """
    place = desk.scan_of(bundle.manifest_sha256)
    if not place.exists():
        raise RefusedError(
            f"{bundle.manifest.name} was not scanned here",
            hint=f"sparkctl airgap scan {quote(str(bundle.folder))} --site FILE",
        )
    record = read_document(ScanRecord, place)
    if record.exit_status != 0 or record.manifest_sha256 != bundle.manifest_sha256:
        raise RefusedError(
            f"the scan of {bundle.manifest.name} ended with {record.exit_status}",
            hint="nothing of this bundle can be applied",
        )
    if site.scan is not None and record.command != list(site.scan.command):
        raise RefusedError(
            f"{bundle.manifest.name} was scanned by {printable(record.command[0])}, as other rules say",
            hint=f"scan it again: sparkctl airgap scan {quote(str(bundle.folder))} --site FILE",
        )
    return record
