"""Read an operator's text file whole, or say in one sentence why not."""

import os
import stat
from pathlib import Path

from sparkctl.inventory.problems import SourceFault, Where

MAX_BYTES = 8 * 1024 * 1024
"""The largest inventory file that is read, in bytes."""

_TEXT_ACTION = "Save the file as UTF-8 text."
_OTHER_ACTION = "Name a text file: YAML, and for an inventory INI or CSV as well."


def read_text(path: Path) -> str:
    """Return the text of an inventory file, without a byte order mark.

    Raises SourceFault when the file is missing, unreadable, not a regular file, larger than MAX_BYTES, or not UTF-8
    text.
    """
    where = Where(str(path))
    content = _read_bytes(path, where)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceFault(where, "the file is UTF-16 text, not UTF-8", _TEXT_ACTION)
    if b"\0" in content:
        raise SourceFault(where, "the file is binary, not text", _OTHER_ACTION)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8 text: byte 0x{content[error.start]:02x} at offset {error.start}"
        raise SourceFault(where._replace(line=line), message, _TEXT_ACTION) from error


def _read_bytes(path: Path, where: Where) -> bytes:
    try:
        # A FIFO or a device must not block or flood us before we know what it is.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _require_regular(os.fstat(descriptor), where)
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise SourceFault(where, "there is no such file", "Correct the path, or write the file.") from error
    except PermissionError as error:
        raise SourceFault(where, "the file may not be read", "Give yourself the right to read it.") from error
    except IsADirectoryError as error:
        raise _directory(where) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceFault(where, f"the file cannot be read: {reason}", "Correct the path.") from error
    if len(content) > MAX_BYTES:
        raise _too_large(where)
    return content


def _require_regular(status: os.stat_result, where: Where) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise _directory(where)
    if not stat.S_ISREG(status.st_mode):
        raise SourceFault(where, "this is not a regular file", _OTHER_ACTION)
    if status.st_size > MAX_BYTES:
        raise _too_large(where)


def _directory(where: Where) -> SourceFault:
    return SourceFault(where, "this is a folder, not a file", "Name the file in it that is meant.")


def _too_large(where: Where) -> SourceFault:
    message = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
    return SourceFault(
        where, message, "Is it the right one? A fleet.yaml can be split, and name its parts under `include:`."
    )
