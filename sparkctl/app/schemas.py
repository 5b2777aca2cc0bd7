"""Published schemas: list, show, write, and hold documents against them."""

import stat
from dataclasses import dataclass
from pathlib import Path

from sparkctl.app.generated_pages import pages
from sparkctl.contract.generated import DOCUMENTS, generated_files, schema_file_text, stale_files
from sparkctl.contract.outside import complaints, documents
from sparkctl.errors import UsageError
from sparkctl.resources import checkout

MAX_FILE_BYTES = 512 * 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """How many documents were read, and what is wrong with which line."""

    documents: int
    complaints: list[tuple[int, str]]


def names() -> list[str]:
    """The names of the published schemas."""
    return sorted(DOCUMENTS)


def text(name: str) -> str:
    """One schema as it is published; raises UsageError for a name that is not one."""
    if name not in DOCUMENTS:
        raise UsageError(f"there is no schema {name!r}", hint=f"the schemas are: {', '.join(names())}")
    return schema_file_text(name)


def export_to(folder: Path) -> list[Path]:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / f"{name}.schema.json": schema_file_text(name) for name in names()}
    return _write(files)


def export_checkout() -> list[Path]:
    """Write every generated file of the checkout this code runs from."""
    root = _checkout()
    _write(generated_files(root))
    return sorted([*generated_files(root), *_write(pages(root))])


def stale_in_checkout() -> list[Path]:
    """The generated files of the checkout that are not what the models say."""
    root = _checkout()
    stale = [page for page, text in pages(root).items() if not page.is_file() or text != page.read_text("utf-8")]
    return [*stale_files(root), *stale]


def check(path: Path) -> Checked:
    """Hold every document of a file against the schema it names; raises UsageError when it cannot be read."""
    content = _content(path)
    found = sum(1 for _ in documents(content))
    if not found:
        raise UsageError(f"{path} holds no document")
    return Checked(found, list(complaints(content)))


def _content(path: Path) -> bytes:
    """A file or what comes through a pipe, as in `check <(command)`; a device is never opened, and may have no end."""
    parts: list[bytes] = []
    try:
        kind = path.stat().st_mode
        if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
            raise UsageError(f"{path} is a device", hint="name a file that holds documents, one or one per line")
        with path.open("rb") as file:
            while part := file.read(_CHUNK):
                parts.append(part)
                if len(parts) * _CHUNK > MAX_FILE_BYTES:
                    raise UsageError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB", hint="split it by lines")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    return b"".join(parts)


def _checkout() -> Path:
    root = checkout()
    if root is None:
        raise UsageError(
            "this is an installed sparkctl, not a checkout", hint="name a folder: sparkctl schema export DIR"
        )
    return root


def _write(files: dict[Path, str]) -> list[Path]:
    for path, content in files.items():
        path.write_text(content, "utf-8")
    return sorted(files)
