"""Pinned host keys: what known_hosts files say of a name, the judgement of a key, and new pins.

One index serves every transport, so that all of them trust exactly the same keys. asyncssh parses the files: hashed
names, wildcards, `@cert-authority` and `@revoked` mean what they mean to OpenSSH.
"""

import base64
import binascii
import errno
import fcntl
import hashlib
import os
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from sparkctl.errors import UsageError
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.faults import bad_settings
from sparkctl.transport.seam import TransportError

DEFAULT_PORT = 22
_MARKERS = ("@cert-authority", "@revoked")


@dataclass(frozen=True, slots=True)
class Pin:
    """One key in one file; `blob` is the key as it crosses the wire."""

    algorithm: str
    fingerprint: str
    blob: bytes
    signature_algorithms: tuple[str, ...]
    file: Path


@dataclass(frozen=True, slots=True)
class Pins:
    """All that is known of one name: keys trusted, host CAs trusted, and keys or CAs revoked."""

    name: str
    trusted: tuple[Pin, ...]
    authorities: tuple[Pin, ...]
    revoked: tuple[Pin, ...]


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as the far side showed it: its wire form, its fingerprint (`SHA256:...`), and `TYPE BASE64`."""

    blob: bytes
    fingerprint: str
    public_key: str

    @classmethod
    def of(cls, blob: bytes) -> "PresentedKey":
        """The key with this wire form (RFC 4253, section 6.6)."""
        length = int.from_bytes(blob[:4], "big")
        encoded = base64.b64encode(blob).decode("ascii")
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")
        return cls(blob, f"SHA256:{digest}", f"{blob[4 : 4 + length].decode('ascii', 'backslashreplace')} {encoded}")


def pin_name(host: str, port: int) -> str:
    """The name a pin stands under: `host`, or `[host]:port` when the port is not 22."""
    return host if port == DEFAULT_PORT else f"[{host}]:{port}"


class HostKeys:
    """An index of known_hosts files, each parsed once; safe to use from several threads."""

    def __init__(self) -> None:
        self._files: dict[Path, asyncssh.SSHKnownHosts] = {}
        self._lock = threading.Lock()
        self._accepting = threading.Lock()

    def load(self, path: Path) -> asyncssh.SSHKnownHosts:
        """Parse one file, once; an absent file is an empty one. Raises UsageError naming file and line."""
        with self._lock:
            if path not in self._files:
                self._files[path] = _parse(path)
            return self._files[path]

    def lookup(self, host: str, port: int, files: Iterable[Path]) -> Pins:
        """What the files say of `host` at `port`; a pin without a port holds for every port that has none of its own.

        Raises UsageError for a malformed file.
        """
        trusted: list[Pin] = []
        authorities: list[Pin] = []
        revoked: list[Pin] = []
        for path in files:
            index = self.load(path)
            found = [index.match(name, "", None) for name in dict.fromkeys((pin_name(host, port), host))]
            # A key that is revoked under either name is revoked; asyncssh's own look-up with a port forgets the
            # revocations of one of them.
            revoked.extend(_pin_of(key, path) for keys in found for key in keys[2])
            best = next((keys for keys in found if keys[0] or keys[1]), found[0])
            trusted.extend(_pin_of(key, path) for key in best[0])
            authorities.extend(_pin_of(key, path) for key in best[1])
        return Pins(pin_name(host, port), tuple(trusted), tuple(authorities), tuple(revoked))

    def accept(self, host: str, port: int, files: tuple[Path, ...], key: PresentedKey) -> str | None:
        """Pin an unknown key on first sight, in the first of `files`; the warning that must be shown.

        None means that another visit has pinned the same key meanwhile. Raises TransportError when that one has pinned
        another key, and when the file cannot be written.
        """
        with self._accepting:
            pins = self.lookup(host, port, files)
            refusal = judge(pins, key)
            if refusal is None:
                return None
            if refusal.cause is not Cause.HOST_KEY_UNKNOWN:
                raise refusal
            try:
                line = pin(files[0], host, port, key.public_key)
            except OSError as error:
                raise bad_settings(f"the host key cannot be pinned in {files[0]}: {error.strerror}") from None
            self.load(files[0]).load(line)
        return (
            f"accept-new: the unknown host key {key.fingerprint} of {pins.name} was accepted and pinned in {files[0]}"
        )


def pin(path: Path, host: str, port: int, public_key: str) -> str:
    """Append one pin to `path` and return its line; a line that stands there already is not repeated.

    `public_key` is `TYPE BASE64`, a comment is dropped. The file is made with mode 0600, written whole under a lock and
    synced. Raises OSError when it cannot be written.
    """
    algorithm, encoded = public_key.split()[:2]
    line = f"{pin_name(host, port)} {algorithm} {encoded}\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        fcntl.flock(file, fcntl.LOCK_EX)
        present = file.read() or b""
        if line.encode() not in present.splitlines(keepends=True):
            torn = present and not present.endswith(b"\n")
            file.write((b"\n" if torn else b"") + line.encode())
            os.fsync(file.fileno())
    return line


def judge(pins: Pins, key: PresentedKey) -> TransportError | None:
    """Hold a plain key against the pins; None means that it is trusted.

    A key of another type than the pinned one counts as changed: nobody pinned it.
    """
    revoked = next((pin for pin in pins.revoked if pin.blob == key.blob), None)
    if revoked is not None:
        return _refusal(
            Cause.HOST_KEY_REVOKED,
            f"the host key {key.fingerprint} of {pins.name} is revoked in {revoked.file}",
            "find out why it was revoked before anything else",
        )
    if any(pin.blob == key.blob for pin in pins.trusted):
        return None
    if pins.trusted:
        expected = " or ".join(f"{pin.fingerprint} ({pin.algorithm}, {pin.file})" for pin in pins.trusted)
        return _refusal(
            Cause.HOST_KEY_CHANGED,
            f"the host key of {pins.name} has changed: pinned is {expected}, presented was {key.fingerprint}",
            "someone may be in between; if the node was reinstalled, compare the fingerprint on its console, "
            "remove the old line and pin again",
        )
    aside = "; a host CA is trusted for it, but it showed no certificate" if pins.authorities else ""
    return _refusal(
        Cause.HOST_KEY_UNKNOWN,
        f"no host key is pinned for {pins.name}; presented was {key.fingerprint}{aside}",
        "compare the fingerprint on the node's console, then run `sparkctl inventory pin`",
    )


def judge_authority(pins: Pins, authority: PresentedKey) -> TransportError | None:
    """Hold the CA of a host certificate against the pins; None means that it is trusted."""
    if any(pin.blob == authority.blob for pin in pins.revoked):
        return _refusal(
            Cause.HOST_KEY_REVOKED,
            f"the host CA {authority.fingerprint}, which signed the certificate of {pins.name}, is revoked",
            "find out why it was revoked before anything else",
        )
    if any(pin.blob == authority.blob for pin in pins.authorities):
        return None
    expected = " or ".join(f"{pin.fingerprint} ({pin.file})" for pin in pins.authorities)
    return _refusal(
        Cause.HOST_KEY_CHANGED,
        f"the host certificate of {pins.name} is signed by {authority.fingerprint}; trusted is {expected}",
        "check which CA signed the host key of the node",
    )


def certificate_refused(pins: Pins, reason: str) -> TransportError:
    """A certificate of a trusted CA that does not hold: expired, or made out to another name."""
    return _refusal(
        Cause.HOST_KEY_UNKNOWN,
        f"the host certificate of {pins.name} does not hold: {printable(reason)}",
        "sign the host key again, with this name among the principals and a validity that covers today",
    )


def _refusal(cause: Cause, message: str, hint: str) -> TransportError:
    return TransportError(Stage.HOST_KEY, cause, message, hint=hint)


def _pin_of(key: asyncssh.SSHKey, path: Path) -> Pin:
    names = tuple(name.decode("ascii") for name in key.sig_algorithms)
    return Pin(key.get_algorithm(), key.get_fingerprint(), key.public_data, names, path)


def _read(path: Path) -> bytes:
    # A FIFO or a device must not block or flood us; `/dev/null` is how OpenSSH is told that there is no file.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode) and str(path) != os.devnull:
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read()


def _parse(path: Path) -> asyncssh.SSHKnownHosts:
    index = asyncssh.SSHKnownHosts()
    try:
        text = _read(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return index
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            _check(line)
            index.load(line)
        except (ValueError, UnicodeError) as error:
            raise UsageError(
                f"{path}:{number}: {printable(str(error))}", hint="correct the line or remove it"
            ) from None
    return index


def _check(line: str) -> None:
    """Refuse what the parser would pass over in silence: a key that is cut short or is not what its name says."""
    fields = line.split()
    if not fields or fields[0].startswith("#"):
        return
    wanted = 3
    if fields[0].startswith("@"):
        if fields[0] not in _MARKERS:
            raise ValueError(f"unknown marker {fields[0]}")
        wanted = 4
    if len(fields) < wanted:
        raise ValueError("a line is: names, key type, key")
    algorithm, encoded = fields[wanted - 2 : wanted]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the key is not base64") from None
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length] != algorithm.encode("utf-8", "surrogateescape") or len(blob) <= 4 + length:
        raise ValueError(f"the key is not a whole key of type {printable(algorithm)}")
