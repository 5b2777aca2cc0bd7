"""Keys of OpenPGP as text and as a keyring, and what gpgv says of a signed file."""

import base64
import binascii
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap.blobs import opened
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.printable import printable

MAX_KEYRING = 256 * 1024
"""Bytes of a keyring at most."""

MAX_SIGNED = 16 * 2**20
"""Bytes of a signed file at most; that of Ubuntu's archive is a quarter of a megabyte."""

_SECONDS = 60.0
_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[A-Za-z]+: [^\r\n]*\r?\n)*\r?\n([A-Za-z0-9+/=\r\n]+?)"
    rb"(?:=[A-Za-z0-9+/]{4}\r?\n)?-----END PGP PUBLIC KEY BLOCK-----"
)
_BEGIN, _SIGNATURE, _END = (
    b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----",
)  # fmt: skip
_LINE = 64
_PUBLIC_KEY_TAG = 6


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, without its signature, and the fingerprints of the keys that signed it."""

    text: str
    keys: tuple[str, ...]


def armoured(content: bytes) -> str:
    """A keyring or an armoured key as armour; raises ValueError with half a sentence for anything else."""
    if len(content) > MAX_KEYRING:
        raise ValueError(f"must be at most {MAX_KEYRING // 1024} KiB long")
    if b"PRIVATE KEY" in content:
        raise ValueError("must be a public key, and this is a private one")
    binary = _binary(content)
    if not binary or _tag(binary[0]) != _PUBLIC_KEY_TAG:
        raise ValueError("must be a public key of OpenPGP, or a keyring of them")
    text = base64.b64encode(binary).decode("ascii")
    lines = (text[start : start + _LINE] for start in range(0, len(text), _LINE))
    return "\n".join(("-----BEGIN PGP PUBLIC KEY BLOCK-----", "", *lines, "-----END PGP PUBLIC KEY BLOCK-----", ""))


def keyring(key: str) -> bytes:
    """An armoured key as the keyring that gpgv reads; raises ValueError."""
    return _binary(key.encode("ascii"))


def verified(path: Path, key: str, named: str) -> Signed:
    """What a clear-signed file says, when a key signed it; raises RefusedError when none did, UsageError, OSError."""
    with opened(path) as file:
        content = file.read(MAX_SIGNED + 1)
    if len(content) > MAX_SIGNED:
        raise UsageError(f"{named} is larger than {MAX_SIGNED // 2**20} MiB")
    if not _clear_signed(content):
        other = "it is not one text with its signature and nothing around it"
        raise RefusedError(f"{named} is refused: {other if _BEGIN in content else 'nobody signed it'}", hint=_HINT)
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        ring, text, signed = (Path(scratch) / name for name in ("keyring.gpg", "text", "signed"))
        ring.write_bytes(keyring(key))
        signed.write_bytes(content)
        status = _gpgv("--keyring", str(ring), "--output", str(text), str(signed), named=named)
        keys = _require_good(status, named)
        return Signed(text.read_text("utf-8", "replace"), keys)


def verified_apart(content: bytes, signature: bytes, key: str, named: str) -> tuple[str, ...]:
    """The fingerprints of the keys that made a signature that stands apart from what it signs, one of them `key`.

    Raises RefusedError when it made none, UsageError.
    """
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        ring, apart, signed = (Path(scratch) / name for name in ("keyring.gpg", "signature", "signed"))
        ring.write_bytes(keyring(key))
        apart.write_bytes(signature)
        signed.write_bytes(content)
        return _require_good(_gpgv("--keyring", str(ring), str(apart), str(signed), named=named), named)


def _gpgv(*arguments: str, named: str) -> str:
    """What gpgv reports, line by line, whatever it ended with."""
    # What a signature holds may be compressed, and gpgv writes it before it knows who signed it.
    argv = ["prlimit", f"--fsize={MAX_SIGNED + 1}", "--", "gpgv", "--status-fd", "1", *arguments]
    if shutil.which("gpgv") is None:
        raise UsageError("there is no gpgv here", hint="apt-get install gpgv")
    try:
        ran = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise UsageError(f"gpgv did not end within {_SECONDS:g} s over {named}") from None
    return ran.stdout.decode("utf-8", "replace")


def _require_good(status: str, named: str) -> tuple[str, ...]:
    """The fingerprints of good signatures; raises RefusedError unless there is one, and none is bad."""
    words = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    said = {word[0] for word in words if word}
    bad = [(name, sentence) for name, sentence in _REASONS if name in said]
    valid = [word for word in words if word[:1] == ["VALIDSIG"] and len(word) > _DIGEST]
    good = tuple(word[1] for word in valid if word[_DIGEST] not in _WEAK)
    if valid and not good and "GOODSIG" in said:
        raise RefusedError(
            f"{named} is refused: its signature is over SHA-1 or older, which clients do not take", hint=_HINT
        )
    if "BADSIG" in said or "GOODSIG" not in said or not good:
        reason = bad[0][1] if bad else "nobody signed it"
        missing = next((word[1] for word in words if word[:1] == ["NO_PUBKEY"] and len(word) > 1), None)
        by = f": {printable(missing, 40)}" if missing and bad and bad[0][0] == "NO_PUBKEY" else ""
        raise RefusedError(f"{named} is refused: {reason}{by}", hint=_HINT)
    return good


_DIGEST = 8
_WEAK = frozenset({"1", "2", "3"})
"""Where VALIDSIG has the digest (doc/DETAILS of GnuPG), and MD5, SHA-1 and RIPEMD-160 (RFC 9580, section 9.5)."""

_REASONS = (
    ("BADSIG", "it was changed after it was signed"),
    ("EXPKEYSIG", "the key that signed it has expired"),
    ("REVKEYSIG", "the key that signed it was revoked"),
    ("EXPSIG", "its signature has expired"),
    ("NO_PUBKEY", "the key that signed it is not the one that was named"),
)
_HINT = "compare the key with the one that the owner publishes; there is no way past a signature"


def _clear_signed(content: bytes) -> bool:
    """Whether a file is one text with one signature and nothing else, which alone is what apt takes (RFC 9580, 7).

    gpgv looks over what stands around it, and takes signatures of other forms, too.
    """
    lines = [line.rstrip(b"\r") for line in content.rstrip(b"\r\n").split(b"\n")]
    marks = [number for number, line in enumerate(lines) if line.startswith(b"-----")]
    if [lines[number] for number in marks] != [_BEGIN, _SIGNATURE, _END] or marks[0] or marks[2] != len(lines) - 1:
        return False
    headers = lines[1 : lines.index(b"")] if b"" in lines else lines
    return len(headers) < marks[1] and all(line.startswith(b"Hash: ") for line in headers)


def _binary(content: bytes) -> bytes:
    blocks = _ARMOUR.findall(content)
    if not blocks:
        return b"" if content.lstrip().startswith(b"-----") else content
    try:
        return b"".join(base64.b64decode(b"".join(block.split()), validate=True) for block in blocks)
    except binascii.Error as error:
        raise ValueError("must be whole armour of OpenPGP") from error


def _tag(first: int) -> int:
    """The kind of packet that begins with this byte (RFC 9580, section 4.2); 0 for what is none."""
    if not first & 0x80:
        return 0
    return first & 0x3F if first & 0x40 else (first >> 2) & 0x0F
