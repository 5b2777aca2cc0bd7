"""Keys of a lab: one for its user, one for each node's host key, all Ed25519, all made for this lab alone."""

from pathlib import Path

from sparkctl.lab.state import Lab, write_atomically

APPROVERS = ("approver-1", "approver-2")
"""Two people who may approve what is done to a lab: as many as anything needs."""


def make_keys(lab: Lab) -> None:
    """Write every key pair of the lab; private ones with mode 0600. Raises OSError."""
    lab.identity_file.parent.mkdir(mode=0o700, exist_ok=True)
    _make(lab.identity_file, "simulated user")
    _make(lab.impostor_key_file, "simulated impostor")
    for name in APPROVERS:
        _make(lab.approver_key_file(name), f"simulated {name}")
    for node in lab.nodes:
        _make(lab.host_key_file(node.name), f"simulated {node.name}")


def public_key(path: Path) -> str:
    """`TYPE BASE64` of a key pair."""
    return " ".join(Path(f"{path}.pub").read_text("utf-8").split()[:2])


def _make(path: Path, comment: str) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - paid only by who makes a lab
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    write_atomically(path, private.decode("ascii"))
    write_atomically(Path(f"{path}.pub"), f"{public.decode('ascii')} {comment}\n", 0o644)
