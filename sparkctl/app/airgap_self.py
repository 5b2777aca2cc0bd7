"""sparkctl itself, to be carried across the gap: its wheel, the wheels that it needs, pages, programs, schemas."""

import re
from importlib.metadata import requires
from pathlib import Path

from sparkctl import __version__
from sparkctl.airgap.sources import files_of
from sparkctl.app.airgap_files import told
from sparkctl.errors import UsageError
from sparkctl.resources import shipped

_FOLDERS = ("diag", "docs", "playbooks", "schemas")
_MAKE = "gather them with `make airgap` in a checkout"


def self_files(wheelhouse: Path) -> dict[str, Path]:
    """The files to pack; raises UsageError when the wheel of this version or one that it needs is not there."""
    with told(wheelhouse):
        wheels = files_of(wheelhouse)
        names = {_distribution(path) for path in wheels if path.endswith(".whl")}
        version = re.escape(__version__)
        if not any(re.fullmatch(rf"(.*/)?sparkctl-{version}-py3-none-any\.whl", path) for path in wheels):
            raise UsageError(f"there is no wheel of sparkctl {__version__} in {wheelhouse}", hint=_MAKE)
        if missing := sorted(set(map(_required, requires("sparkctl") or [])) - names):
            raise UsageError(f"{wheelhouse} lacks wheels of {', '.join(missing)}", hint=_MAKE)
        found = {f"wheels/{path}": place for path, place in wheels.items()}
        for name in _FOLDERS:
            found |= {f"{name}/{path}": place for path, place in _clean(files_of(shipped(name))).items()}
    return found


def _clean(files: dict[str, Path]) -> dict[str, Path]:
    """Without what Python leaves beside its modules."""
    return {path: place for path, place in files.items() if not path.endswith(".pyc")}


def _distribution(path: str) -> str:
    return _normal(path.rsplit("/", 1)[-1].split("-", 1)[0])


def _required(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return _normal(match.group() if match else requirement)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
