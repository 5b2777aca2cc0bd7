"""Bundles for the tests: a small folder, what is said of it, keys, and bundles that are packed by hand."""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sparkctl import ustar
from sparkctl.evidence.dsse import Signed
from sparkctl.evidence.frame import Packer
from sparkctl.evidence.sealing import Sealed, seal
from sparkctl.evidence.signers import Signer
from sparkctl.model.envelope import Cost, Limits
from sparkctl.model.evidence import About, CommandSource, EntryFacts, EntryKind, Missing
from sparkctl.model.vocabulary import Elevation, Origin, UnknownReason

SALT_KEY = b"of the tests, and of nobody else"
MOMENT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ABOUT = About(
    node="node-7f",
    collected_at=MOMENT,
    tool="sparkctl",
    version="0.1.0",
    program_sha256="ab" * 32,
    elevation=Elevation.COMMANDS,
    origin=Origin.SIMULATED,
    simulated=True,
    limits=Limits(seconds=60.0, bytes=50 * 2**20),
    spent=Cost(wall_ms=900, cpu_ms=300, children=12, bytes=4711),
)
MISSING = [Missing(name="nvidia-bug-report", reason=UnknownReason.MISSING_TOOL, words="there is no such program")]
CONTENTS = {
    "artefacts/kernel/dmesg": b"[    0.000000] Linux version 6.11.0-1016-nvidia\n" * 400,
    "artefacts/net/links to -> nowhere": b"",
    "judged/health.json": b'{"ok":true}',
    "tree/proc/uptime": b"12.5 100.0\n",
    "tree/sys/devices/" + "pci0000:00/" * 14 + "vendor": b"0x10de\n",
    "tree/var/log/" + "long-name-" * 12 + "log": bytes(range(256)) * 3,
    "tree/var/log/Grüße.log": "Grüße\n".encode(),
}


def facts_of(paths: Iterable[str]) -> list[EntryFacts]:
    source = CommandSource(argv=["dmesg", "--time-format=iso"], exit_status=0)
    return [
        EntryFacts(path=path, kind=EntryKind.TREE if path.startswith("tree/") else EntryKind.ARTEFACT, source=source)
        for path in paths
    ]


@dataclass(frozen=True)
class SlowSigner:
    """A signer during whose work something happens."""

    signer: Signer
    meanwhile: Callable[[], None]

    def sign(self, content: bytes) -> Signed:
        self.meanwhile()
        return self.signer.sign(content)


def write_files(folder: Path, contents: dict[str, bytes]) -> Path:
    for path, content in contents.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


def sealed(
    out: Path, signer: Signer | None = None, contents: dict[str, bytes] | None = None, salt_key: bytes = SALT_KEY
) -> Sealed:
    """A bundle of `contents`, whose spool stands beside it."""
    contents = CONTENTS if contents is None else contents
    folder = write_files(out.parent / f"{out.name}.spool", contents)
    return seal(folder, facts_of(contents), MISSING, ABOUT, out, salt_key=salt_key, signer=signer)


def packed(out: Path, tar: bytes) -> Path:
    """Any bytes as the tar of a bundle."""
    with out.open("wb") as file:
        packer = Packer(file)
        packer.write(tar)
        packer.end()
    return out


def tar_of(members: Sequence[tuple[str, bytes]], moment: int = int(MOMENT.timestamp())) -> bytes:
    """The tar of a bundle with any members, whatever their names."""
    parts = (
        ustar.header(path, len(content), moment) + content + ustar.padding(len(content)) for path, content in members
    )
    return b"".join(parts) + ustar.END


def openssh_key(folder: Path, name: str = "key", *options: str, passphrase: str = "") -> Path:
    """A new OpenSSH key; its public part is beside it."""
    key = folder / name
    kind = options or ("-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", *kind, "-N", passphrase, "-C", name, "-f", str(key)], check=True, timeout=60)
    return key


def pem_key(folder: Path, name: str = "key") -> Path:
    """A new Ed25519 key in PEM; its public part is `NAME.pub.pem`."""
    private = Ed25519PrivateKey.generate()
    key = folder / f"{name}.pem"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pub.pem").write_bytes(public)
    return key


def allowed(folder: Path, key: Path, options: str = "", principal: str = "ops@example.org") -> Path:
    """An allowed-signers file with one key."""
    signers = folder / "allowed_signers"
    public = key.with_name(f"{key.name}.pub").read_text()
    signers.write_text(f"{principal} {options} {public}")
    return signers
