"""Take public keys out of authorized_keys, and remove files of tokens: these and no others, with their digests.

As the main process of an act: `python3 -I -S -c SOURCE JSON`. It imports nothing of ours, and its words must not hold a
dollar sign. What lies in a home is changed with the rights of its user, so that no link there leads root astray.
"""

import base64
import binascii
import hashlib
import itertools
import json
import os
import pwd
import stat
import sys
from typing import Any

KINDS = ("ssh-", "ecdsa-", "sk-")  # how the kinds of public keys begin in OpenSSH
MOST_BYTES = 1024 * 1024
PLACE = ".ssh/authorized_keys"


def fingerprint_in(line: str) -> str | None:
    """The fingerprint of the key in a line of authorized_keys as `ssh-keygen -l` has it, None where there is none."""
    words = [] if line.lstrip().startswith("#") else line.split()
    for kind, blob in itertools.pairwise(words):
        if kind.startswith(KINDS):
            try:
                digest = hashlib.sha256(base64.b64decode(blob, validate=True)).digest()
            except binascii.Error:
                continue
            return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    return None


def parted(text: str, keys: list[str]) -> tuple[list[str], int]:
    """The lines that stay, and how many go."""
    lines = text.splitlines(keepends=True)
    stay = [line for line in lines if fingerprint_in(line) not in keys]
    return stay, len(lines) - len(stay)


def main(text: str) -> int:
    """Do it, and print a line of JSON for each file; returns the exit status."""
    asked, status = json.loads(text), 0
    for user in asked["users"]:
        status |= _told(user, lambda user=user: _take_out(user, asked["keys"]))
    for path, digest in asked["tokens"].items():
        status |= _told(path, lambda path=path, digest=digest: _remove(path, digest))
    return status


def _told(what: str, act: Any) -> int:
    try:
        done: dict[str, Any] = act()
    except (OSError, ValueError, KeyError) as problem:
        done = {"trouble": str(problem)}
    print(json.dumps({"of": what, **done}), flush=True)
    return 1 if "trouble" in done else 0


def _take_out(user: str, keys: list[str]) -> dict[str, Any]:
    account = pwd.getpwnam(user)
    os.setgroups([account.pw_gid])
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        return _rewrite(os.path.join(account.pw_dir, PLACE), keys)
    finally:
        os.seteuid(0)
        os.setegid(0)


def _rewrite(path: str, keys: list[str]) -> dict[str, Any]:
    try:
        content, mode = _read(path)
    except FileNotFoundError:
        return {"path": path, "removed": 0}
    stay, gone = parted(content.decode("utf-8", "surrogateescape"), keys)
    done = {"path": path, "removed": gone, "before": hashlib.sha256(content).hexdigest()}
    if not gone:
        return done
    after = "".join(stay).encode("utf-8", "surrogateescape")
    fresh = path + ".sparkctl"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(after)
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)
    os.rename(fresh, path)
    return {**done, "after": hashlib.sha256(after).hexdigest()}


def _remove(path: str, digest: str) -> dict[str, Any]:
    try:
        content, _ = _read(path)
    except FileNotFoundError:
        return {"path": path, "removed": 0}
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ValueError("it is another file: its SHA-256 is " + found)
    os.unlink(path)
    return {"path": path, "removed": 1, "before": found}


def _read(path: str) -> tuple[bytes, int]:
    """What stands in a regular file, and its mode; raises OSError, ValueError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("it is no regular file")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("it is too large")
    return content, stat.S_IMODE(mode)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
