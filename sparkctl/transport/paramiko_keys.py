"""Private keys, certificates and agents in the form paramiko wants them."""

import io
import socket
import threading

import asyncssh
import paramiko
from paramiko.agent import AgentKey, AgentSSH

from sparkctl.model.printable import printable
from sparkctl.transport.credentials import Offer

_CLASSES: dict[str, type[paramiko.PKey]] = {"ssh-ed25519": paramiko.Ed25519Key, "ssh-rsa": paramiko.RSAKey}


class ParamikoKeys:
    """Each key is converted once per run; safe to use from several threads."""

    def __init__(self) -> None:
        self._converted: dict[tuple[bytes, bytes], paramiko.PKey | None] = {}
        self._lock = threading.Lock()

    def keys(self, offer: Offer) -> list[paramiko.PKey]:
        """The keys of an offer, in its order; a type that paramiko does not know is left out with a remark."""
        made: list[paramiko.PKey] = []
        for key, certificate in offer.keys:
            with self._lock:
                converted = self._convert(key, certificate)
            if converted is None:
                offer.remarks.append(f"paramiko knows no keys of type {key.get_algorithm()}")
            else:
                made.append(converted)
        return made

    def _convert(self, key: asyncssh.SSHKey, certificate: asyncssh.SSHCertificate | None) -> paramiko.PKey | None:
        signed = certificate.export_certificate("openssh") if certificate else b""
        index = (key.public_data, signed)
        if index not in self._converted:
            self._converted[index] = _convert(key, signed.decode("ascii"))
        return self._converted[index]


def _convert(key: asyncssh.SSHKey, certificate: str) -> paramiko.PKey | None:
    algorithm = key.get_algorithm()
    kind = paramiko.ECDSAKey if algorithm.startswith("ecdsa-sha2-nistp") else _CLASSES.get(algorithm)
    if kind is None:
        return None
    converted = kind.from_private_key(io.StringIO(key.export_private_key("openssh").decode("ascii")))
    if certificate:
        converted.load_certificate(certificate.strip())
    return converted


class Agent(AgentSSH):
    """The agent behind one socket. An agent that does not answer in `seconds` has no keys, and `remarks` says so."""

    def __init__(self, path: str, seconds: float, remarks: list[str]) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(seconds)
        try:
            self._socket.connect(path)
            self._connect(self._socket)  # type: ignore[attr-defined]  # the stubs leave it out
        except (OSError, paramiko.SSHException) as error:
            remarks.append(f"the ssh-agent does not answer: {printable(str(error))}")
            self._socket.close()

    def close(self) -> None:
        """Leave the agent."""
        self._socket.close()

    def allowed(self, offer: Offer) -> list[AgentKey]:
        """The agent's keys that may be used for this host."""
        wanted = offer.agent_identities
        return [key for key in self.get_keys() if wanted is None or key.blob in wanted]
