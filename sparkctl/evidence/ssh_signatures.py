"""Signatures by OpenSSH keys (`ssh-keygen -Y`), so that whoever has OpenSSH can check them."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.printable import printable

SECONDS = 30.0
SECONDS_FOR_A_PERSON = 300.0  # to type a passphrase or touch a token
MAX_SIGNATURE = 64 * 1024  # bytes; a signature has less than two thousand
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")

Ran = subprocess.CompletedProcess[bytes]


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signed, as an allowed-signers file names them, and with which key; `names` are all that it stands for."""

    principal: str
    fingerprint: str
    names: frozenset[str]


def people(found: Iterable[Signatory]) -> list[str]:
    """The people behind some signatures, sorted: keys that share a name in the file are one person's.

    A line of allowed signers may give a key several names (ssh-keygen(1)). Somebody who is `alice@site,alice` with one
    key and `alice` with another is still one.
    """
    groups: list[tuple[str, frozenset[str]]] = []
    for one in found:
        shared = [group for group in groups if group[1] & one.names]
        groups = [group for group in groups if group not in shared]
        names = one.names.union(*(group[1] for group in shared))
        groups.append((min(one.principal, *(group[0] for group in shared)) if shared else one.principal, names))
    return sorted(principal for principal, _ in groups)


def signature_of(path: Path) -> Path:
    """Where the signature of a file stands."""
    return path.with_name(f"{path.name}.sig")


def sign(path: Path, key: Path, namespace: str) -> Path:
    """Sign a file with a private key, or with a public key whose private one an agent holds; raises UsageError.

    On a terminal ssh-keygen may ask for a passphrase, or for a touch; elsewhere such a key is an error.
    """
    return sign_files([path], key, namespace)[0]


def sign_files(paths: Sequence[Path], key: Path, namespace: str) -> list[Path]:
    """The same for several files in one go, at least one: a passphrase is asked for once."""
    targets = [signature_of(path) for path in paths]
    for target in targets:
        target.unlink(missing_ok=True)  # ssh-keygen would ask before it writes over one
    named = [str(path.absolute()) for path in paths]
    arguments = ("-Y", "sign", "-q", "-f", str(key.absolute()), "-n", namespace, *named)
    ran = _keygen_for_a_person(*arguments) if _someone_is_there() else _keygen(*arguments)
    if ran.returncode != 0 or not all(target.is_file() for target in targets):
        raise UsageError(
            f"{paths[0]} was not signed: {_words(ran)}",
            hint=f"is {key} the right key, is it in the agent, or has it a passphrase, which only a terminal asks for?",
        )
    return targets


def fingerprint_in(content: bytes, signature: bytes, namespace: str) -> str:
    """The fingerprint of the key that made a signature, whoever's it is; raises RefusedError when it does not hold."""
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (place := Path(scratch) / "signature").write_bytes(signature)
        ran = _keygen("-Y", "check-novalidate", "-n", namespace, "-s", str(place), stdin=content)
    return _fingerprint(ran)


def signatory(
    content: bytes, signature: Path, *, named: str, allowed_signers: Path, namespace: str, at: datetime | None = None
) -> Signatory:
    """Who of the allowed signers signed `content`; raises RefusedError when none of them did.

    A key counts while it is valid at `at`, or now. `named` is what was signed, for messages.
    """
    if not allowed_signers.is_file():
        raise UsageError(
            f"there is no file {allowed_signers}", hint="name the allowed signers as ssh-keygen knows them"
        )
    signers = str(allowed_signers.absolute())
    # In local time, since not every release knows a zone here.
    when = () if at is None else ("-O", f"verify-time={at.astimezone():%Y%m%d%H%M%S}")
    found = _keygen("-Y", "find-principals", "-s", str(signature.absolute()), "-f", signers, *when)
    principals = [name for name in found.stdout.decode("utf-8", "replace").splitlines() if name]
    if found.returncode != 0 or not principals:
        raise RefusedError(
            f"{named} is signed by nobody in {allowed_signers}: {_words(found)}",
            hint="find out who signed it before you trust it",
        )
    for principal in principals:
        ran = _keygen(
            "-Y", "verify", "-f", signers, "-I", principal, "-n", namespace, "-s", str(signature.absolute()), *when,
            stdin=content,
        )  # fmt: skip
        if ran.returncode == 0:
            return Signatory(printable(principal, 200), _fingerprint(ran), frozenset(principals))
    raise RefusedError(
        f"the signature of {named} does not hold: {_words(ran)}",
        hint="it was changed after it was signed, or signed for another purpose",
    )


def _fingerprint(ran: Ran) -> str:
    match = _FINGERPRINT.search(ran.stdout.decode("utf-8", "replace"))
    if ran.returncode != 0 or match is None:
        raise RefusedError(f"a signature does not hold: {_words(ran)}", hint="it is not over what it stands beside")
    return match.group()


def _someone_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _keygen(*arguments: str, stdin: bytes = b"") -> Ran:
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=stdin, capture_output=True, timeout=SECONDS, check=False
        )  # fmt: skip
    except FileNotFoundError as error:
        raise _no_keygen() from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"ssh-keygen did not end within {SECONDS:g} s", hint="is it asking for a passphrase?"
        ) from error


def _keygen_for_a_person(*arguments: str) -> Ran:
    """Run it where it can ask: its words go to the terminal, too."""
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], stdout=subprocess.PIPE, timeout=SECONDS_FOR_A_PERSON, check=False
        )
    except FileNotFoundError as error:
        raise _no_keygen() from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"ssh-keygen was not answered within {SECONDS_FOR_A_PERSON:g} s") from error


def _no_keygen() -> UsageError:
    return UsageError("there is no ssh-keygen here", hint="install the OpenSSH client")


def _words(ran: Ran) -> str:
    said = (ran.stderr or ran.stdout or b"").decode("utf-8", "replace").split("\n")
    words = "; ".join(line.strip() for line in said if line.strip())
    return printable(words, 400) or f"ssh-keygen ended with {ran.returncode}"
