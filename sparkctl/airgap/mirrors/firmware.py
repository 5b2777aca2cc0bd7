"""Bring firmware: the origin's metadata, the cabs that it names for our devices, and metadata that the site signs."""

import gzip
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copyfile

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors import cabinet, firmware_cab
from sparkctl.airgap.mirrors.chain import loaded
from sparkctl.airgap.mirrors.component_xml import written
from sparkctl.airgap.mirrors.download import download
from sparkctl.airgap.mirrors.firmware_metadata import Release, address, cab_name, guids, of_cab, releases
from sparkctl.airgap.mirrors.firmware_metadata import served as as_served
from sparkctl.airgap.mirrors.firmware_origin import Origin, beside, origin, signed
from sparkctl.airgap.mirrors.firmware_site import Signer, named_cab, own_cabs, sign_metadata
from sparkctl.airgap.mirrors.kind import Fetched, Planned
from sparkctl.airgap.mirrors.pkcs7 import Signature
from sparkctl.airgap.mirrors.tool import version
from sparkctl.atomic_file import replace_file
from sparkctl.errors import RefusedError
from sparkctl.model.mirror_firmware import METADATA, ORIGIN, FirmwareMirror, FirmwareServed

_ROOT = '<components origin="site" version="0.9">'
_LOG = "firmware.log"


@dataclass(frozen=True, slots=True)
class _Cab:
    """A cab that is wanted, with the address where it is."""

    release: Release
    sha256: str
    address: str


def plan(spec: FirmwareMirror, work: Path, at: datetime) -> Planned:
    """What the verified metadata names for our devices; raises RefusedError, UsageError, OSError."""
    found = origin(spec, work, work / _LOG, at)
    cabs = _wanted(spec, found)
    sizes = {cab.sha256: cab.release.size for cab in cabs}
    known = [size for size in sizes.values() if size is not None]
    own = [component for cab in spec.cabs for component in named_cab(cab).components.values()]
    covered = {guid for component in (*found.components, *own) for guid in guids(component)}
    missing = [guid for guid in spec.devices if guid not in covered]
    not_covered = [f"{guid}: the metadata has no firmware for this device" for guid in missing]
    if not spec.cabs:
        not_covered.append(
            "firmware that is not in this metadata: name its cabs in `cabs`, or it is updated by other means"
        )
    counts = {
        "devices": len(spec.devices) - len(missing),
        "components": len(found.components),
        "releases": len(cabs),
        "cabs": len(sizes) + len(spec.cabs),
    }
    return Planned(sum(known) if len(known) == len(sizes) else None, counts, not_covered)


def fetch(spec: FirmwareMirror, work: Path, at: datetime) -> Fetched:
    """Bring and sign all of it; what is there is not fetched again. Raises RefusedError, UsageError, OSError."""
    log, folder = work / _LOG, work / "served"
    folder.mkdir(parents=True, exist_ok=True)
    signer = Signer(spec, log)
    _require_valid([signer.certificate, *signer.authorities], at)
    found = origin(spec, work, log, at)
    trust = loaded(spec.trust)
    wanted = _wanted(spec, found)
    for cab in wanted:
        download(cab.address, folder / cab_name(cab.sha256), log, limit=cabinet.MAX_CAB, sha256=cab.sha256)
    kept = {cab.sha256 for cab in wanted if _installable(folder / cab_name(cab.sha256), trust)}
    listed = [one for component in found.components if (one := as_served(component, kept)) is not None]
    own = set[str]()
    for path in own_cabs(spec, signer, work / "own"):
        sha256, size = digest_of(path)
        _placed(path, folder / cab_name(sha256))
        listed += [of_cab(one, sha256, size) for one in firmware_cab.read(path).components.values()]
        own.add(sha256)
    content = gzip.compress(written(_ROOT, listed), 9, mtime=0)
    if not _same(signer, folder, content, found, trust):
        _sign(signer, found, folder, content)
    _clear(folder, {cab_name(sha256) for sha256 in kept | own})
    served = FirmwareServed(
        metadata=spec.metadata,
        ca="".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in signer.authorities),
        trust=spec.trust,
        devices=spec.devices,
        own=sorted(own),
    )
    return Fetched(folder, served, _tools(spec))


def _wanted(spec: FirmwareMirror, found: Origin) -> list[_Cab]:
    """The cabs that are named in full; one for each release, so that two may be the same cab."""
    cabs = []
    for component in found.components:
        for _, release in releases(component):
            place = address(release, spec.metadata, spec.base)
            if release.sha256 is not None and place is not None:
                cabs.append(_Cab(release, release.sha256, place))
    return cabs


def _installable(path: Path, trust: Sequence[x509.Certificate]) -> bool:
    """Whether fwupd would install a cab: its payload is signed. The proof tells of those that are not."""
    try:
        cab = firmware_cab.read(path)
        cab.require_signed(cab.payloads(), trust)
    except ValueError:
        return False
    return True


def _sign(signer: Signer, found: Origin, folder: Path, content: bytes) -> None:
    """Put metadata and signature there, and those of the origin by which the cabs in it are proven."""
    path = folder / METADATA
    before = _signed_before(path, signer.authorities)
    making = folder / ".new"
    making.mkdir(exist_ok=True)
    fresh = making / METADATA
    replace_file(fresh, content, 0o644)
    sign_metadata(signer, fresh, int(before.signed_at.timestamp()) if before else 0)
    (folder / ORIGIN).mkdir(exist_ok=True)
    for old in (folder / ORIGIN).iterdir():
        old.unlink()
    for source in (found.path, beside(found.path)):
        copyfile(source, folder / ORIGIN / source.name)
    beside(fresh).replace(beside(path))
    fresh.replace(path)
    making.rmdir()


def _same(signer: Signer, folder: Path, content: bytes, found: Origin, trust: Sequence[x509.Certificate]) -> bool:
    """Whether the same metadata is there, signed by the same certificate: signed anew, it would be a new snapshot."""
    site = _signed_before(folder / METADATA, signer.authorities)
    return (
        site is not None
        and site.signer == signer.certificate
        and (folder / METADATA).read_bytes() == content
        and _signed_before(folder / ORIGIN / found.path.name, trust) is not None
    )


def _signed_before(path: Path, trust: Sequence[x509.Certificate]) -> Signature | None:
    """The signature of what is there from the last time, when it holds."""
    try:
        return signed(path, trust, path.name, None)
    except (RefusedError, OSError):
        return None


def _require_valid(certificates: Sequence[x509.Certificate], at: datetime) -> None:
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise RefusedError(
                f"the site's certificate {certificate.subject.rfc4514_string()} is valid from "
                f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}, not now",
                hint="make a new one: sparkctl airgap mirror ca firmware",
            )


def _placed(source: Path, target: Path) -> None:
    """The same file at another place, whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    copyfile(source, part)
    part.replace(target)


def _clear(folder: Path, named: Collection[str]) -> None:
    """Remove cabs that are not named any more, and parts of them."""
    for path in (*folder.glob("*.cab"), *folder.glob(".*.part")):
        if path.name not in named:
            path.unlink()


def _tools(spec: FirmwareMirror) -> list[str]:
    found = [version(["curl", "--version"], package="curl"), version(["jcat-tool", "--version"], package="jcat")]
    return found + ([version(["gcab", "--version"], package="gcab")] if spec.cabs else [])
