"""Are the SSH host keys of kinds that clients still trust?"""

from __future__ import annotations

from diag.nodekit.check import Check
from diag.nodekit.finding import Finding, Reading
from diag.nodekit.hostkeys import SSH_FOLDER, HostKey, host_keys
from diag.nodekit.machine import Machine
from diag.nodekit.problems import Unevaluated
from diag.nodekit.vocabulary import Status, UnknownReason

CHECK = Check(title="SSH host keys")
DSA = "ssh-dss"
RSA_WEAK, RSA_SHORT = 2048, 3072
SOURCE = "NIST SP 800-57 part 1: RSA below 2048 bits is disallowed, 3072 bits give 128 bits of strength"


def observe(machine: Machine) -> tuple[HostKey, ...]:
    keys = host_keys(machine)
    if not keys:
        raise Unevaluated(UnknownReason.PRECONDITION, f"{SSH_FOLDER} holds no public host key")
    return keys


def evaluate(seen: tuple[HostKey, ...]) -> Finding:
    status, summary = _judge(seen)
    return Finding(
        status,
        summary,
        value=len(seen),
        unit="1",
        locator=SSH_FOLDER,
        action=None
        if status == Status.PASS
        else f"Remove the weak key from {SSH_FOLDER}, run `ssh-keygen -A`, restart ssh, pin the new key",
        readings=tuple(Reading(key.algorithm[:120] or "?", key.fingerprint, locator=key.file) for key in seen),
    )


def _judge(keys: tuple[HostKey, ...]) -> tuple[str, str]:
    by_strength = sorted((key.bits, key.file) for key in keys if key.algorithm == "ssh-rsa" and key.bits is not None)
    for key in keys:
        if key.algorithm == DSA:
            return Status.FAIL, f"{key.file} is a DSA key, which OpenSSH no longer accepts"
    if by_strength and by_strength[0][0] < RSA_WEAK:
        return Status.FAIL, f"{by_strength[0][1]} has only {by_strength[0][0]} bits ({SOURCE})"
    if by_strength and by_strength[0][0] < RSA_SHORT:
        return Status.WARN, f"{by_strength[0][1]} has only {by_strength[0][0]} bits ({SOURCE})"
    if all(key.algorithm == "ssh-rsa" for key in keys):
        return Status.WARN, "RSA is the only kind of host key; there is no Ed25519 or ECDSA key"
    return Status.PASS, f"{len(keys)} host keys: {', '.join(key.algorithm for key in keys)}"
