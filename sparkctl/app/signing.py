"""Signatures of files by OpenSSH keys (`ssh-keygen -Y`), so that whoever has OpenSSH can check them."""

import subprocess
from pathlib import Path

from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.printable import printable

SECONDS = 30.0
MAX_SIGNATURE = 64 * 1024  # bytes; a signature has less than two thousand


def signature_of(path: Path) -> Path:
    """Where the signature of a file stands."""
    return path.with_name(f"{path.name}.sig")


def sign(path: Path, key: Path, namespace: str) -> Path:
    """Sign a file with a private key, or with a public key whose private one an agent holds; raises UsageError."""
    target = signature_of(path)
    target.unlink(missing_ok=True)  # ssh-keygen would ask before it writes over one
    ran = _keygen("-Y", "sign", "-q", "-f", str(key.absolute()), "-n", namespace, str(path.absolute()))
    if ran.returncode != 0 or not target.is_file():
        raise UsageError(f"{path} was not signed: {_words(ran)}", hint="is the key right, and is it in the agent?")
    return target


def verify(path: Path, content: bytes, allowed_signers: Path, namespace: str) -> str:
    """The principal that signed `content`, which was read from `path`.

    Raises RefusedError when nobody who is allowed to did.
    """
    signature = signature_of(path).absolute()
    if not signature.is_file() or signature.stat().st_size > MAX_SIGNATURE:
        raise RefusedError(f"{path} is not signed: there is no {signature}", hint="sign it, or leave the check out")
    if not allowed_signers.is_file():
        raise UsageError(
            f"there is no file {allowed_signers}", hint="name the allowed signers as ssh-keygen knows them"
        )
    signers = str(allowed_signers.absolute())
    found = _keygen("-Y", "find-principals", "-s", str(signature), "-f", signers)
    principals = [name for name in found.stdout.decode("utf-8", "replace").splitlines() if name]
    if found.returncode != 0 or not principals:
        raise RefusedError(
            f"{path} is signed by nobody in {allowed_signers}: {_words(found)}",
            hint="find out who signed it before you trust it",
        )
    for principal in principals:
        ran = _keygen(
            "-Y", "verify", "-f", signers, "-I", principal, "-n", namespace, "-s", str(signature), stdin=content
        )  # fmt: skip
        if ran.returncode == 0:
            return printable(principal, 200)
    raise RefusedError(
        f"the signature of {path} does not hold: {_words(ran)}",
        hint="the file was changed after it was signed, or signed for another purpose",
    )


def _keygen(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=stdin, capture_output=True, timeout=SECONDS, check=False
        )  # fmt: skip
    except FileNotFoundError as error:
        raise UsageError("there is no ssh-keygen here", hint="install the OpenSSH client") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"ssh-keygen did not end within {SECONDS:g} s", hint="is it asking for a passphrase?"
        ) from error


def _words(ran: "subprocess.CompletedProcess[bytes]") -> str:
    said = (ran.stderr or ran.stdout).decode("utf-8", "replace").strip().splitlines()
    return printable(said[-1], 200) if said else f"ssh-keygen ended with {ran.returncode}"
