"""Find what travels with sparkctl: node programs, schemas and pages, in a checkout and in an installed wheel alike."""

from pathlib import Path

from sparkctl.errors import SparkctlError

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The folder `cloud-init`, `diag`, `docs`, `playbooks` or `schemas`: installed, else of a checkout."""
    for folder in (PACKAGE / "_shipped" / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise SparkctlError(f"the folder {name!r} is missing from this installation", hint="install sparkctl again")


def checkout() -> Path | None:
    """The root of the checkout that this code runs from, or None when it is installed."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "diag").is_dir() else None
