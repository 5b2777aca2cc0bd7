"""Private keys and certificates for asyncssh: each file is read once per run."""

from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from sparkctl.transport.faults import bad_settings, unreadable
from sparkctl.transport.route import Endpoint


@dataclass(frozen=True, slots=True)
class Identity:
    """What one identity file holds: a private key, or only the public key of one that the agent is to use."""

    private: asyncssh.SSHKey | None
    public: bytes | None


@dataclass(slots=True)
class Offer:
    """What is offered to one host: keys, each bare or with a certificate, in the order they are tried.

    `agent_identities` are the public keys that the agent may use; None stands for all it holds. `remarks` explain what
    was left out, for whoever is denied access.
    """

    keys: list[tuple[asyncssh.SSHKey, asyncssh.SSHCertificate | None]] = field(default_factory=list)
    agent_identities: list[bytes] | None = None
    remarks: list[str] = field(default_factory=list)

    def pairs(self) -> list[asyncssh.SSHKeyPair]:
        """The same for asyncssh, made anew: a key pair remembers the signature algorithm of its connection."""
        made: list[asyncssh.SSHKeyPair] = []
        for key, certificate in self.keys:
            loaded = asyncssh.load_keypairs([key if certificate is None else (key, certificate)])
            made.extend(loaded[:1])
        return made


class KeyRing:
    """Every identity file and certificate of the run. Raises TransportError(bad_settings)."""

    def __init__(self) -> None:
        self._identities: dict[Path, Identity] = {}
        self._certificates: dict[Path, asyncssh.SSHCertificate] = {}

    def offer(self, endpoint: Endpoint) -> Offer:
        """The credentials for one host; only files that were named for it must be there and usable."""
        offer = Offer(agent_identities=[] if endpoint.identities_only else None)
        certificates = [self._certificate(path) for path in endpoint.certificate_files]
        for path in endpoint.identity_files:
            if not endpoint.identities_named and not path.is_file():
                continue
            identity = self._identity(path)
            if offer.agent_identities is not None and identity.public:
                offer.agent_identities.append(identity.public)
            if identity.private is not None:
                offer.keys.extend(self._with_certificates(path, identity.private, certificates))
            elif endpoint.agent_path is not None:
                offer.remarks.append(f"{path} is encrypted or public and is left to the agent")
            elif endpoint.identities_named:
                raise encrypted(path)
        return offer

    def _with_certificates(
        self, path: Path, key: asyncssh.SSHKey, certificates: list[asyncssh.SSHCertificate]
    ) -> list[tuple[asyncssh.SSHKey, asyncssh.SSHCertificate | None]]:
        """The key with each of its certificates, then bare."""
        beside = path.with_name(path.name + "-cert.pub")
        found = [certificate for certificate in certificates if certificate.key.public_data == key.public_data]
        if not found and beside.is_file():
            found = [self._certificate(beside)]
        return [*((key, certificate) for certificate in found), (key, None)]

    def _identity(self, path: Path) -> Identity:
        if path not in self._identities:
            self._identities[path] = _read_identity(path)
        return self._identities[path]

    def _certificate(self, path: Path) -> asyncssh.SSHCertificate:
        if path not in self._certificates:
            try:
                self._certificates[path] = asyncssh.read_certificate(path)
            except OSError as error:
                raise unreadable(path, error.strerror or "unreadable") from None
            except ValueError as error:
                raise unreadable(path, f"no OpenSSH certificate: {error}") from None
        return self._certificates[path]


def encrypted(path: Path) -> Exception:
    """A named key that nobody can decrypt: there is no one to ask for a passphrase."""
    return bad_settings(
        f"the key {path} is encrypted, and no agent holds it for us",
        "start an ssh-agent, `ssh-add` the key, and pass SSH_AUTH_SOCK on",
    )


def _read_identity(path: Path) -> Identity:
    try:
        key = asyncssh.read_private_key(path)
        return Identity(key, key.public_data)
    except OSError as error:
        raise unreadable(path, error.strerror or "unreadable") from None
    except ValueError as error:
        public = _read_public(path)
        if public is None and "assphrase" not in str(error):
            raise unreadable(path, f"no private key: {error}") from None
        return Identity(None, public)


def _read_public(path: Path) -> bytes | None:
    """The public key in the file itself, or in the `.pub` file beside an encrypted one."""
    for candidate in (path, path.with_name(path.name + ".pub")):
        try:
            return asyncssh.read_public_key(candidate).public_data
        except (OSError, ValueError):
            continue
    return None
