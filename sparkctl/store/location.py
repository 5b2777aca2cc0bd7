"""Where state lives, and how its folder comes to be."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from sparkctl.errors import StoreError

STATE_VARIABLE = "SPARKCTL_STATE"
DATABASE_NAME = "state.db"
CHOOSE_ANOTHER = f"name another folder with --state or {STATE_VARIABLE}"

_FOLDER_TROUBLE = {
    errno.EACCES: ("is not writable for this user", f"run as its owner, or {CHOOSE_ANOTHER}"),
    errno.EPERM: ("is not writable for this user", f"run as its owner, or {CHOOSE_ANOTHER}"),
    errno.EROFS: ("is on a read-only file system", f"remount it writable, or {CHOOSE_ANOTHER}"),
    errno.ENOSPC: ("has no space left on its disk", f"free some space, or {CHOOSE_ANOTHER}"),
    errno.EDQUOT: ("is over the disk quota of this user", f"free some space, or {CHOOSE_ANOTHER}"),
    errno.ENOTDIR: ("is not a folder, or a part of its path is not", CHOOSE_ANOTHER),
    errno.EEXIST: ("is not a folder", CHOOSE_ANOTHER),
    errno.ENOENT: ("cannot be made there", CHOOSE_ANOTHER),
    errno.ENOLCK: ("is on a file system without locks", f"use a local disk: {CHOOSE_ANOTHER}"),
    errno.EOPNOTSUPP: ("is on a file system without locks", f"use a local disk: {CHOOSE_ANOTHER}"),
}


def state_dir(override: Path | None, environ: Mapping[str, str]) -> Path:
    """Find the state folder: `--state`, then SPARKCTL_STATE, then the platform's own place. It need not exist yet."""
    if override is not None:
        return override.expanduser().absolute()
    if named := environ.get(STATE_VARIABLE):
        return Path(named).expanduser().absolute()
    return platformdirs.user_state_path("sparkctl", appauthor=False)


def make_state_dir(folder: Path) -> None:
    """Make the folder, for its owner alone, unless it is there; raises StoreError when it cannot be made or used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise folder_trouble(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        raise folder_trouble(folder, OSError(errno.EROFS if read_only else errno.EACCES, "not writable"))


def folder_trouble(folder: Path, error: OSError) -> StoreError:
    """Say what the system has against the state folder, and what to do about it."""
    problem, hint = _FOLDER_TROUBLE.get(error.errno or 0, (f"cannot be used ({error.strerror})", CHOOSE_ANOTHER))
    return StoreError(f"the state folder {folder} {problem}", hint=hint)
