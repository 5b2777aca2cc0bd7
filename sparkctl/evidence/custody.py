"""Signatures of the book of custody: made for many documents at once, and held against allowed signers."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence import ssh_signatures
from sparkctl.evidence.sshsig import taken_apart
from sparkctl.model.ledger import NAMESPACE
from sparkctl.model.ledger_checkpoint import CustodySignature
from sparkctl.model.printable import printable

_AT_ONCE = 500
_AHEAD = (timedelta(days=30), timedelta(days=1), timedelta(hours=1))
_DAMAGED = "it was changed after it was signed, or the signature belongs to something else"


@dataclass(frozen=True, slots=True)
class Signing:
    """A signature that holds: the principal (None where nobody was asked who that is) and the key."""

    principal: str | None
    fingerprint: str

    @property
    def name(self) -> str:
        """The principal, or the fingerprint without one."""
        return self.principal or self.fingerprint


def sign_all(contents: Sequence[bytes], key: Path) -> list[str]:
    """A signature in its armour for each content; a passphrase is asked for once for every few hundred of them.

    Raises UsageError when the key cannot sign.
    """
    made: list[str] = []
    for at in range(0, len(contents), _AT_ONCE):
        with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
            places = [Path(scratch) / f"{number}.json" for number in range(len(contents[at : at + _AT_ONCE]))]
            for place, content in zip(places, contents[at : at + _AT_ONCE], strict=True):
                place.write_bytes(content)
            made += [done.read_text("ascii") for done in ssh_signatures.sign_files(places, key, NAMESPACE)]
    return made


def signature_over(content: bytes, key: Path) -> CustodySignature:
    """One content signed; raises UsageError when the key cannot sign."""
    armoured = sign_all([content], key)[0]
    return CustodySignature(fingerprint=taken_apart(armoured.encode()).fingerprint, signature=armoured)


class CustodyTrust:
    """Whose signatures count: those of an allowed-signers file, or of anybody without one.

    A key counts as it was valid when the signed document says that it was made: a ledger outlives its keys. Who holds a
    key that expired cannot enter something in the past, since entries only follow each other and checkpoints are held
    by others; a key that was stolen is taken out of the file.
    """

    def __init__(self, allowed_signers: Path | None) -> None:
        if allowed_signers is not None and not allowed_signers.is_file():
            raise UsageError(
                f"there is no file {allowed_signers}", hint="name the allowed signers as ssh-keygen knows them"
            )
        self.allowed_signers = allowed_signers
        self._known: dict[bytes, tuple[datetime, datetime, Signing]] = {}

    def signing(self, content: bytes, armoured: str, at: datetime, named: str) -> Signing:
        """Who signed `content`, which says that it was made `at`.

        Raises RefusedError unless the signature holds and, with an allowed-signers file, is of somebody in it.
        """
        raw = armoured.encode()
        try:
            taken = taken_apart(raw)
            holds = taken.holds_by_ed25519(content)
        except ValueError as error:
            raise RefusedError(f"the signature of {named} is damaged: {error}", hint=_DAMAGED) from error
        if holds is False:
            raise RefusedError(f"the signature of {named} does not hold", hint=_DAMAGED)
        if taken.namespace != NAMESPACE.encode():
            raise RefusedError(
                f"the signature of {named} is for another purpose than {NAMESPACE}", hint="sign it with sparkctl ledger"
            )
        if self.allowed_signers is None:
            if holds is None:
                ssh_signatures.fingerprint_in(content, raw, NAMESPACE)
            return Signing(None, taken.fingerprint)
        known = self._known.get(taken.public_key)
        if holds and known is not None and known[0] <= at <= known[1]:
            return known[2]
        signing, until = self._ask(content, raw, at, named)
        self._known[taken.public_key] = (at, until, signing)
        return signing

    def _ask(self, content: bytes, armoured: bytes, at: datetime, named: str) -> tuple[Signing, datetime]:
        """Who signed it, and until when the key is allowed to by the same name: OpenSSH is not asked for every entry.

        Whoever is allowed now and in a while is allowed between: OpenSSH knows keys from a moment and until a moment.
        """
        with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
            (place := Path(scratch) / "signature").write_bytes(armoured)
            found = self._allowed(content, place, at, named)
            for ahead in _AHEAD:
                with contextlib.suppress(RefusedError):
                    if self._allowed(content, place, at + ahead, named) == found:
                        return found, at + ahead
        return found, at

    def _allowed(self, content: bytes, signature: Path, at: datetime, named: str) -> Signing:
        assert self.allowed_signers is not None  # noqa: S101 - the caller looked
        found = ssh_signatures.signatory(
            content, signature, named=named, allowed_signers=self.allowed_signers, namespace=NAMESPACE, at=at
        )
        return Signing(printable(found.principal, 120), found.fingerprint)
