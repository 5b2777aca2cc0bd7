"""What the far side keeps of a stream: contents by digest, and trees of hard links to them, of which one is current.

    blobs/ab/abcd...          each content once
    trees/00000012-abcdef...  a tree of one bundle, named by its sequence and the digest of its manifest
    current                   a link to the tree that counts

A tree has its name when all of it is there, and `current` is turned in one step: nothing is ever half applied.
"""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sparkctl.airgap.blobs import copied, digest_of, opened
from sparkctl.airgap.held import held
from sparkctl.atomic_file import sync_folder
from sparkctl.errors import UsageError
from sparkctl.model.transfer import DIGITS, TransferManifest

CURRENT = "current"
POSITION = "stream.json"
_BLOBS, _TREES = "blobs", "trees"


class Tree:
    """The folder of a stream. Every method raises OSError where the disk does not do what it should."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def position(self) -> Path:
        """The file that says which stream this is, and how far it is."""
        return self.folder / POSITION

    def make(self) -> None:
        """Make the folders; raises UsageError where something else is."""
        if self.folder.exists() and not (self.folder / _BLOBS).is_dir() and any(self.folder.iterdir()):
            raise UsageError(
                f"{self.folder} is not empty, and no bundle was ever applied to it", hint="name a new folder with --to"
            )
        with _for_everybody():
            for name in (_BLOBS, _TREES):
                (self.folder / name).mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, which is there, while the block lasts; raises BusyError when somebody else does."""
        with held(self.folder, f"another command applies a bundle to {self.folder}"):
            yield

    def blobs(self) -> Iterator[Path]:
        """Every content that has a name here."""
        for path in sorted((self.folder / _BLOBS).glob("??/*")):
            if len(path.name) == 64 and path.is_file() and not path.is_symlink():
                yield path

    def holds(self, sha256: str) -> bool:
        """Whether a content is there, and is what its name says."""
        path = self._blob(sha256)
        try:
            return digest_of(path)[0] == sha256
        except OSError:
            return False

    def put(self, sha256: str, source: Path) -> None:
        """Copy a content, unless it is there; raises UsageError when the source is something else."""
        if self.holds(sha256):
            return
        place = self._blob(sha256)
        place.parent.mkdir(exist_ok=True)
        fresh = place.with_name(f".{sha256}.new")
        with opened(source) as file, fresh.open("wb") as copy:
            found = copied(file, copy)
            copy.flush()
            os.fchmod(copy.fileno(), 0o444)
            os.fsync(copy.fileno())
        if found != sha256:
            fresh.unlink()
            raise UsageError(f"{source} was changed after it was verified", hint="verify the bundle again")
        fresh.replace(place)

    def build(self, manifest: TransferManifest, manifest_sha256: str) -> Path:
        """Make the tree of a bundle whose contents are all here; it has its name when it is whole."""
        name = f"{manifest.sequence:0{DIGITS}}-{manifest_sha256[:16]}"
        tree = self.folder / _TREES / name
        if tree.is_dir():
            return tree
        making = tree.with_name(f".{name}.new")
        shutil.rmtree(making, ignore_errors=True)
        made = {making}
        with _for_everybody():
            making.mkdir()
            for file in manifest.files:
                place = making.joinpath(*file.path.split("/"))
                if place.parent not in made:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    made.add(place.parent)
                os.link(self._blob(file.sha256), place)
        for folder in made:
            sync_folder(folder)
        for folder in {self._blob(file.sha256).parent for file in manifest.files}:
            sync_folder(folder)
        making.rename(tree)
        sync_folder(tree.parent)
        return tree

    def turn(self, tree: Path) -> None:
        """Make a tree the current one."""
        fresh = self.folder / f".{CURRENT}.new"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(tree.relative_to(self.folder))
        fresh.replace(self.folder / CURRENT)
        sync_folder(self.folder)

    def forget(self, keep: int, current: Path) -> None:
        """Remove all but the newest trees, and every content that no tree has; the current tree stays.

        With them goes what killed calls left: a tree half made holds its contents, also when another bundle came.
        """
        for left in (self.folder / _TREES).glob(".*.new"):
            shutil.rmtree(left)
        for left in (self.folder / _BLOBS).glob("??/.*.new"):
            left.unlink()
        trees = sorted(path for path in (self.folder / _TREES).iterdir() if not path.name.startswith("."))
        for tree in trees[:-keep]:
            if tree != current:
                shutil.rmtree(tree)
        for path in self.blobs():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_nlink == 1:
                    path.unlink()

    def _blob(self, sha256: str) -> Path:
        return self.folder / _BLOBS / sha256[:2] / sha256


@contextlib.contextmanager
def _for_everybody() -> Iterator[None]:
    """Make folders that everybody may read, as the files in them, whatever the umask of whoever applies a bundle."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def free_bytes(folder: Path) -> int:
    """How much may still be written below a folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def total(sizes: Iterable[int]) -> int:
    """Bytes of files on a disk that knows whole blocks of 4 KiB."""
    return sum(size + -size % 4096 for size in sizes)
