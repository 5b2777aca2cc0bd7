"""The metadata of a remote: fetched, and verified twice, by libjcat's tool and by us."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sparkctl.airgap.blobs import CHUNK, opened
from sparkctl.airgap.mirrors import jcat
from sparkctl.airgap.mirrors.chain import loaded
from sparkctl.airgap.mirrors.download import download
from sparkctl.airgap.mirrors.firmware_metadata import of_devices
from sparkctl.airgap.mirrors.pkcs7 import Signature
from sparkctl.airgap.mirrors.tool import output
from sparkctl.atomic_file import replace_file
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_firmware import ORIGIN, SIGNATURES, FirmwareMirror
from sparkctl.model.printable import printable

MAX_METADATA = 256 * 2**20
"""Bytes of compressed metadata at most; that of LVFS has two million."""

_NEWEST = "newest-origin"
_AGAIN = "run the same command again; if it stays so, the origin is damaged, or somebody changed it"
_HINT = "compare the certificates in `trust` with those that the origin publishes; there is no way past a signature"


@dataclass(frozen=True, slots=True)
class Origin:
    """Metadata that was verified: where it and its signatures lie, who signed it, and the components of our devices."""

    path: Path
    signature: Signature
    components: list[Element]


def origin(spec: FirmwareMirror, work: Path, log: Path, at: datetime) -> Origin:
    """Fetch and verify; certificates must be valid now, that is `at`. Raises RefusedError, UsageError, OSError."""
    path = work / ORIGIN / metadata_name(spec.metadata)
    download(spec.metadata + SIGNATURES, beside(path), log, limit=jcat.MAX_JCAT)
    download(spec.metadata, path, log, limit=MAX_METADATA)
    trust = loaded(spec.trust)
    signature = signed(path, trust, printable(spec.metadata, 300), at)
    require_by_tool(path, trust)
    _require_newest(spec.metadata, signature.signed_at, work / _NEWEST)
    return Origin(path, signature, named_components(path, spec.devices, printable(spec.metadata, 300)))


def metadata_name(address: str) -> str:
    """What metadata is called here: how it is compressed is told by its name."""
    return f"firmware.xml.{address.rsplit('.', 1)[-1]}"


def beside(path: Path) -> Path:
    """The file of signatures beside a file."""
    return path.with_name(path.name + SIGNATURES)


def signed(path: Path, trust: Sequence[x509.Certificate], named: str, at: datetime | None) -> Signature:
    """The signature of a file, from the file beside it, which is of this one file; raises RefusedError, OSError."""
    try:
        with opened(beside(path)) as file:
            items = jcat.items(file.read(jcat.MAX_JCAT + 1))
    except FileNotFoundError:
        raise RefusedError(f"{named} is refused: there is no signature beside it", hint=_HINT) from None
    except ValueError as error:
        raise RefusedError(f"{named} is refused: what is beside it {error}", hint=_HINT) from None
    if len(items) != 1:
        raise RefusedError(f"{named} is refused: its signatures are of {len(items)} files, and not of it", hint=_HINT)
    try:
        return jcat.verified_item(items[0], lambda name: _digest(path, name), trust, at)
    except ValueError as error:
        raise RefusedError(f"{named} is refused: the signature {error}", hint=_HINT) from None


def require_by_tool(path: Path, trust: Sequence[x509.Certificate]) -> None:
    """Raise RefusedError unless jcat-tool, too, finds a signature of a file that holds now.

    It looks for the file by the name in the signatures. Of several signatures one must hold, which is fwupd's rule;
    jcat-tool itself ends well only when all do.
    """
    with opened(beside(path)) as file:
        item = jcat.items(file.read(jcat.MAX_JCAT + 1))[0]
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        folder = Path(scratch)
        name = item.names[0]
        if not name or "/" in name or not name.isprintable() or name in {".", ".."} or len(name) > 200:
            raise RefusedError(f"the signature of {path} is of a file without a plain name", hint=_HINT)
        (folder / "signed").mkdir()
        (folder / "signed" / name).symlink_to(path.absolute())
        for number, certificate in enumerate(trust):
            (folder / f"{number}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        _, said = output(
            ["jcat-tool", "--kind", "pkcs7", "--keyring", str(folder / "keyring"), "--public-keys", str(folder),
             "--prefix", str(folder / "signed"), "verify", str(beside(path).absolute())],
            package="jcat", limit=65_536,
        )  # fmt: skip
    lines = said.decode("utf-8", "replace").splitlines()
    if not any(line.startswith("    PASSED pkcs7") for line in lines):
        words = printable(
            next((line.strip() for line in lines if "FAILED pkcs7" in line), "it finds no signature"), 300
        )
        raise RefusedError(f"{path} is refused by jcat-tool: {words}", hint=_HINT)


def named_components(path: Path, devices: Sequence[str], named: str) -> list[Element]:
    """The components of devices in metadata that was verified; raises UsageError, OSError."""
    try:
        return of_devices(path, devices)
    except ValueError as error:
        raise UsageError(f"{named} {error}", hint=_AGAIN) from None


def _require_newest(address: str, signed_at: datetime, record: Path) -> None:
    """Raise RefusedError where metadata was signed earlier than what was seen at the same address, which is kept.

    A snapshot has the time too. It is not enough: of what changed nothing for our devices, no snapshot is made.
    """
    told = record.read_text("ascii").split() if record.is_file() else []
    if len(told) == 2 and told[0] == address and signed_at.isoformat() < told[1]:
        raise RefusedError(
            f"{printable(address, 300)} is of {signed_at:%Y-%m-%d %H:%M} UTC, older than what it was before: {told[1]}",
            hint="somebody shows an old state of it, in which holes are open that were closed since",
        )
    replace_file(record, f"{address} {signed_at.isoformat()}\n".encode("ascii"), 0o644)


def _digest(path: Path, name: str) -> bytes:
    digest = hashlib.new(name)
    with opened(path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.digest()
