"""Replace a file so that a reader, or a crash, finds the old one or the new one whole."""

import os
import tempfile
from pathlib import Path

from sparkctl.evidence.files import sync_folder


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Put `content` at `path`, on the disk before it has the name; a link there is replaced, not followed.

    Raises OSError, and leaves what was there.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
