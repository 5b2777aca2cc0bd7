"""Replace a file so that a reader, or a crash, finds the old one or the new one whole."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sparkctl.evidence.files import sync_folder


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Put `content` at `path`, on the disk before it has the name; a link there is replaced, not followed.

    Raises OSError, and leaves what was there.
    """
    with replacing(path, mode) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, which stands at `path` once all of it is on the disk.

    When the block ends with an error, or raises OSError itself, what was there stays.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
