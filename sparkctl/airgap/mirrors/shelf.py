"""The folder of mirrors: where tools work, dated snapshots that never change, and rings that point to one of them.

    work/NAME/                  what a tool brought; it may change it again
    snapshots/NAME/STAMP/       files by their digest in snapshot.json, written once
    rings/RING/NAME             a link to the snapshot that clients of the ring get
    promotions.jsonl            every turn of a ring

A snapshot has its name when all of it is there. A file that an older one has is the same file: a hard link.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from sparkctl.airgap.blobs import copied, digest_of, opened
from sparkctl.atomic_file import replace_file, sync_folder
from sparkctl.errors import UsageError
from sparkctl.model.canonical import canonical_json
from sparkctl.model.mirror import SNAPSHOT, Promotion, Snapshot
from sparkctl.model.transfer import TransferFile

MAX_SNAPSHOT = 128 * 2**20
"""Bytes of a document of a snapshot at most."""

PROMOTIONS = "promotions.jsonl"
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class Shelf:
    """The folder of mirrors. Every method raises OSError where the disk does not do what it should."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def work(self, mirror: str) -> Path:
        """Where the tools of a mirror work."""
        return self.folder / "work" / mirror

    def place(self, mirror: str, stamp: str) -> Path:
        """The folder of a snapshot."""
        return self.folder / "snapshots" / mirror / stamp

    def mirrors(self) -> list[str]:
        """The names of mirrors that have snapshots."""
        return _names(self.folder / "snapshots")

    def stamps(self, mirror: str) -> list[str]:
        """The snapshots of a mirror, the oldest first."""
        return [name for name in _names(self.folder / "snapshots" / mirror) if _STAMP.fullmatch(name)]

    def put(self, snapshot: Snapshot, source: Path, older: Snapshot | None, *, share: bool = False) -> Path:
        """Make a snapshot of verified files below `source`; what an older one has is linked to.

        With `share`, files of `source` are linked to as well where nobody may write them. Raises UsageError
        when a file is not what it was when it was verified; then, and on a full disk, nothing stays.
        """
        place = self.place(snapshot.mirror, snapshot.stamp)
        making = place.with_name(f".{snapshot.stamp}.new")
        shared(place.parent)
        self.clear(snapshot.mirror)
        shared(making)
        try:
            self._fill(making, snapshot, source, older, share=share)
            making.rename(place)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        sync_folder(place.parent)
        return place

    def clear(self, mirror: str) -> None:
        """Remove what a command that was killed left half-made, or half-removed."""
        for unfinished in (self.folder / "snapshots" / mirror).glob(".*"):
            shutil.rmtree(unfinished, ignore_errors=True)

    def _fill(self, making: Path, snapshot: Snapshot, source: Path, older: Snapshot | None, *, share: bool) -> None:
        have = {file.sha256: self.place(older.mirror, older.stamp) / file.path for file in older.files} if older else {}
        folders = {making}
        for file in snapshot.files:
            target = making.joinpath(*file.path.split("/"))
            if target.parent not in folders:
                shared(target.parent)
                folders.add(target.parent)
            if not _linked(have.get(file.sha256), target, file.sha256):
                _brought(source / file.path, target, file.sha256, share=share)
        replace_file(making / SNAPSHOT, canonical_json(snapshot.model_dump(mode="json")), 0o444)
        os.sync()  # once for all: a hundred thousand files, each brought to the disk by itself, take hours

    def damaged(self, snapshot: Snapshot) -> Iterator[str]:
        """A sentence for each file of a snapshot that is not there, or is not what it was; every one is read."""
        place = self.place(snapshot.mirror, snapshot.stamp)
        for file in snapshot.files:
            try:
                if digest_of(place / file.path)[0] != file.sha256:
                    yield f"{file.path} is not what it was"
            except FileNotFoundError:
                yield f"{file.path} is not there"
            except OSError as error:
                yield f"{file.path} cannot be read: {error.strerror}"

    def rings(self) -> dict[str, dict[str, str]]:
        """The stamp of each mirror in each ring; a link that leads elsewhere is none."""
        return {
            ring: {
                path.name: found
                for path in sorted((self.folder / "rings" / ring).iterdir())
                if (found := self.stamp_in(ring, path.name)) is not None
            }
            for ring in _names(self.folder / "rings")
        }

    def stamp_in(self, ring: str, mirror: str) -> str | None:
        """Which snapshot of a mirror the clients of a ring get."""
        with contextlib.suppress(OSError):
            target = (self.folder / "rings" / ring / mirror).readlink()
            if target.parts[:-1] == ("..", "..", "snapshots", mirror) and _STAMP.fullmatch(target.name):
                return target.name
        return None

    def turn(self, promotion: Promotion) -> None:
        """Give the clients of a ring another snapshot, in one step; it is noted before, when that can be done."""
        folder = self.folder / "rings" / promotion.ring
        shared(folder)
        fresh = folder / f".{promotion.mirror}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("..", "..", "snapshots", promotion.mirror, promotion.stamp))
        with (self.folder / PROMOTIONS).open("ab+") as file:
            _cut_what_has_no_end(file)
            file.write(canonical_json(promotion.model_dump(mode="json")) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / promotion.mirror)
        sync_folder(folder)

    def remove(self, mirror: str, stamp: str) -> None:
        """Remove a snapshot; it loses its name first, so that no half of it is taken for one."""
        place = self.place(mirror, stamp)
        going = place.with_name(f".{stamp}.gone")
        shutil.rmtree(going, ignore_errors=True)
        place.rename(going)
        shutil.rmtree(going)


def shared(folder: Path) -> None:
    """Make a folder, and those above it, that a web server may enter and list, whatever our umask is."""
    for place in [place for place in (folder, *folder.parents) if not place.exists()][::-1]:
        place.mkdir(exist_ok=True)
        place.chmod(0o755)


def _cut_what_has_no_end(file: BinaryIO) -> None:
    """Take away a last line that a crash cut: what is written after it would be a part of it."""
    end = at = file.seek(0, os.SEEK_END)
    while at > 0 and file.seek(at - 1) == at - 1 and file.read(1) != b"\n":
        at -= 1
    if at < end:
        file.truncate(at)


def _linked(held: Path | None, target: Path, sha256: str) -> bool:
    """Whether a file that is still what it was could be linked to: a damaged one would go on for ever."""
    with contextlib.suppress(OSError):
        if held is not None and digest_of(held)[0] == sha256:
            os.link(held, target)
            return True
    return False


def _brought(source: Path, target: Path, sha256: str, *, share: bool) -> None:
    if not (share and _lasting(source) and _linked(source, target, sha256)):
        _copied(source, target, sha256)


def _lasting(path: Path) -> bool:
    """Whether a file is ours and nobody may write it: whoever may would change all that share it, proven or not."""
    status = path.lstat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o222


def _copied(source: Path, target: Path, sha256: str) -> None:
    with opened(source) as file, target.open("xb") as copy:
        found = copied(file, copy)
        os.fchmod(copy.fileno(), 0o444)
    if found != sha256:
        raise UsageError(f"{source} was changed after it was verified", hint="run the same command again")


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
    except FileNotFoundError:
        return []


def unchanged(one: Snapshot, other: Snapshot, signed_here: Collection[str]) -> bool:
    """Whether two snapshots give clients the same, but for signatures that were made here each time."""

    def lasting(snapshot: Snapshot) -> list[TransferFile]:
        return [file for file in snapshot.files if file.path not in signed_here]

    return one.served == other.served and lasting(one) == lasting(other)
