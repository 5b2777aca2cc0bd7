"""Have git bring one commit, with its trees and small files, as loose objects; each is proven when it is read."""

import os
from pathlib import Path

from sparkctl.airgap.mirrors.git_objects import Objects
from sparkctl.airgap.mirrors.tool import Ran, run
from sparkctl.errors import SparkctlError, UsageError
from sparkctl.model.printable import printable

_HOUR_S = 3600.0
_MAX_FILE = 2 * 2**30  # bytes of one file that git writes
_UNPACK = 1_000_000  # objects that git writes one by one, and not as a pack
_FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "120",
}  # fmt: skip
_SETTINGS = (
    "protocol.allow=never", "protocol.https.allow=always", "protocol.http.allow=always", "http.followRedirects=false",
    f"fetch.unpackLimit={_UNPACK}", "core.bigFileThreshold=16m", "core.hooksPath=/dev/null", "gc.auto=0",
    "maintenance.auto=false",
)  # fmt: skip


def commit(address: str, revision: str, work: Path, config: Path | None) -> Objects:
    """The objects of a commit, fetched unless they are there; `config` is a private file with a token for git.

    Raises UsageError when git does not bring it, RefusedError for objects that are not what their ids say.
    """
    repository = work / "git"
    objects = Objects(repository / "objects")
    if _whole(objects, revision):
        return Objects(objects.folder)
    if not (repository / "HEAD").is_file():
        ran = _git(["init", "--bare", "--quiet", "--template=", str(repository)], work, config)
        if ran.status != 0:
            raise UsageError(f"git made no repository in {repository}: {ran.last_line}")
    fetch = ["--git-dir", str(repository), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]
    ran = _git([*fetch, "--depth=1", address, revision], work, config)
    if not objects.has(revision):
        # Not every server gives a commit by its id; with all branches come all pointers, and no large file.
        ran = _git([*fetch, address, "+refs/heads/*:refs/heads/*"], work, config)
    if ran.status != 0 or not objects.has(revision):
        raise UsageError(
            f"git did not bring {revision[:12]} of {printable(address, 300)}: {ran.last_line}",
            hint="see that it answers, that the commit is there and may be read, and run the same command again",
        )
    return objects


def _whole(objects: Objects, revision: str) -> bool:
    """Whether every tree and file of a commit is there, by name; what they are is seen when they are used."""
    try:
        return all(objects.has(entry.blob) for entry in objects.entries(revision) if entry.plain)
    except SparkctlError:
        return False


def _git(words: list[str], work: Path, config: Path | None) -> Ran:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return run(
        ["git", *settings, *words], work / "git.log", package="git", seconds=_HOUR_S, largest=_MAX_FILE,
        environment={**_FIXED, "GIT_CONFIG_GLOBAL": str(config) if config else os.devnull},
    )  # fmt: skip
