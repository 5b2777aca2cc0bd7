"""The secret from which the secrets of all sticks come, and the key that signs seeds: files of the bastion."""

import contextlib
import os
import secrets
import stat
import subprocess
import tempfile
from pathlib import Path

from sparkctl.app import site_values as values
from sparkctl.app.places import Places
from sparkctl.atomic_file import sync_folder
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.ssh_signatures import SECONDS
from sparkctl.model.seed import SEED_NAMESPACE
from sparkctl.store.location import make_state_dir

NAME = "seed-enrolment.key"
_BYTES = 32


def master_secret(places: Places, named: Path | None, *, make: bool) -> bytes:
    """The secret in the file that is named, or in the state folder; `make` one where there is none.

    Raises UsageError, and RefusedError for a file that others may read.
    """
    path = named or places.state / NAME
    if make and not path.exists():
        _make(places, path, in_state=named is None)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found, content = os.fstat(descriptor), file.read(200)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            hint="it is made by `sparkctl airgap seed`; name it: --enrolment",
        ) from None
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
        raise RefusedError(f"{path} may be read by others", hint=f"chmod 600 {path}, or make a new one and new sticks")
    try:
        secret = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise UsageError(
            f"{path} is not {_BYTES} bytes in hexadecimal", hint="name the file that was used: --enrolment"
        )
    return secret


def _make(places: Places, path: Path, *, in_state: bool) -> None:
    """Make it whole or not at all: what a full disk leaves would be no secret, and the next call would not make one."""
    if in_state:
        make_state_dir(places.state)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        fresh = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(_BYTES).encode() + b"\n")
                file.flush()
                os.fsync(descriptor)
            with contextlib.suppress(FileExistsError):  # another call has made one meanwhile: that counts
                path.hardlink_to(fresh)
            sync_folder(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be made: {error.strerror}", hint="make room, or name a file that you may write"
        ) from None


def allowed_signers(key: Path) -> str:
    """The line by which a node knows the key that signs its seed. Raises UsageError."""
    return f'{SEED_NAMESPACE} namespaces="{SEED_NAMESPACE}" {_public(key)}\n'


def _public(key: Path) -> str:
    for path in (key, key.with_name(f"{key.name}.pub")):
        try:
            with path.open("rb") as file:
                text = file.read(16_384).decode("ascii", "replace").strip()
            return " ".join(values.ssh_key(text).split(" ")[:2])
        except (OSError, ValueError):
            continue
    try:
        ran = subprocess.run(
            ["ssh-keygen", "-y", "-P", "", "-f", str(key.absolute())], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        return " ".join(values.ssh_key(ran.stdout.strip()).split(" ")[:2])
    except (FileNotFoundError, subprocess.TimeoutExpired, ValueError):
        raise UsageError(
            f"the public key of {key} cannot be told", hint="name a private key of OpenSSH, with its .pub beside it"
        ) from None
