"""The files that are to be packed: plain files of a folder, each hashed once."""

import os
from collections.abc import Mapping
from pathlib import Path

from sparkctl.airgap.blobs import Blob, digest_of
from sparkctl.errors import UsageError
from sparkctl.model.evidence_path import bytewise, relative_path
from sparkctl.model.printable import printable
from sparkctl.model.transfer import MAX_FILES, MAX_SIZE, TransferFile


def files_of(folder: Path) -> dict[str, Path]:
    """Every file below a folder by its relative path; raises UsageError for what a bundle does not hold, OSError."""
    found: dict[str, Path] = {}
    waiting = [(folder, "")]
    while waiting:
        place, prefix = waiting.pop()
        with os.scandir(place) as listing:
            for item in listing:
                path = _checked(f"{prefix}{item.name}", folder)
                if item.is_dir(follow_symlinks=False):
                    waiting.append((Path(item.path), f"{path}/"))
                elif item.is_file(follow_symlinks=False):
                    found[path] = Path(item.path)
                else:
                    raise UsageError(
                        f"{printable(item.path, 300)} is neither a file nor a folder",
                        hint="a bundle holds no links and no devices; put a copy in its place",
                    )
        if len(found) > MAX_FILES:
            raise UsageError(f"{folder} holds more than {MAX_FILES:,} files", hint="make two streams of it")
    if not found:
        raise UsageError(f"{folder} holds no files", hint="name the folder whose files are to cross the gap")
    return found


def _checked(path: str, folder: Path) -> str:
    try:
        return relative_path(path)
    except ValueError as error:
        raise UsageError(
            f"{printable(path, 300)} in {folder} cannot be carried: {error}", hint="give it another name"
        ) from error


def hashed(found: Mapping[str, Path]) -> tuple[list[TransferFile], dict[str, Blob]]:
    """The files, sorted by path, and their contents by digest; raises UsageError for one that is too large, OSError."""
    files: list[TransferFile] = []
    blobs: dict[str, Blob] = {}
    for path in sorted(found, key=bytewise):
        sha256, size = digest_of(found[path])
        if size > MAX_SIZE:
            raise UsageError(f"{found[path]} is larger than {MAX_SIZE // 2**40} TiB")
        files.append(TransferFile(path=path, size=size, sha256=sha256))
        blobs.setdefault(sha256, Blob(sha256, size, found[path]))
    return files, blobs
