"""Prove a folder of firmware from two signatures down: the site's over what clients get, the origin's over its cabs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from cryptography import x509

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors import firmware_cab
from sparkctl.airgap.mirrors.chain import loaded, subject
from sparkctl.airgap.mirrors.component_xml import components
from sparkctl.airgap.mirrors.firmware_metadata import Release, cab_name, guids, releases
from sparkctl.airgap.mirrors.firmware_origin import beside, metadata_name, named_components, signed
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.airgap.mirrors.pkcs7 import Signature
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.evidence_path import bytewise
from sparkctl.model.mirror_firmware import METADATA, ORIGIN, FirmwareServed
from sparkctl.model.transfer import TransferFile

_AGAIN = "sync again; if it stays so, the mirror is damaged, or somebody changed it"


@dataclass(slots=True)
class _Cabs:
    """Cabs that were proven, by digest; how many lack a signed description."""

    files: dict[str, TransferFile]
    bare: int = 0


def prove(served: FirmwareServed, folder: Path) -> Proven:
    """Verify both signatures, and every cab; raises RefusedError for what nobody signed whom we trust, UsageError."""
    origin_name = f"{ORIGIN}/{metadata_name(served.metadata)}"
    site = _signed(folder, METADATA, loaded(served.ca))
    origin = _signed(folder, origin_name, loaded(served.trust))
    theirs = named_components(folder / origin_name, served.devices, origin_name)
    ours = _components(folder / METADATA)
    cabs = _cabs(served, folder, theirs, ours)
    files = [file for name in (METADATA, origin_name) for file in _with_signature(folder, name)] + list(
        cabs.files.values()
    )
    own = sum(file.sha256 in served.own for file in cabs.files.values())
    proven_by = [
        f"{METADATA} {_words(site)}",
        f"{origin_name} {_words(origin)}",
        f"{len(cabs.files) - own:,} cabs by digests that {origin_name} names, {own:,} by those that the operator named",
        f"{len(cabs.files):,} cabs in which every payload is signed by somebody whom clients trust",
    ]
    if cabs.bare:
        proven_by.append(f"{cabs.bare:,} cabs whose descriptions are not signed, which fwupd from 2.2 on refuses")
    return Proven(
        files=sorted(files, key=lambda file: bytewise(file.path)),
        proven_by=proven_by,
        counts={
            "components": len(ours),
            "releases": sum(len(list(releases(one))) for one in ours),
            "cabs": len(cabs.files),
        },
        left_out=[*_left_out(theirs, cabs), *_strange(folder, files)],
        valid_until=site.valid_until,
        dated={"metadata of the origin": origin.signed_at, "metadata of the site": site.signed_at},
    )


def _signed(folder: Path, name: str, trust: Sequence[x509.Certificate]) -> Signature:
    path = folder / name
    if not path.is_file() or path.is_symlink() or path.parent.is_symlink():
        raise UsageError(f"there is no {name} in {folder}", hint=_AGAIN)
    return signed(path, trust, name, None)


def _components(path: Path) -> list[Element]:
    try:
        return components(path, lambda _: True)
    except ValueError as error:
        raise UsageError(f"{path.name} {error}", hint=_AGAIN) from None


def _cabs(served: FirmwareServed, folder: Path, theirs: Sequence[Element], ours: Sequence[Element]) -> _Cabs:
    named = {release.sha256 for one in theirs for _, release in releases(one)}
    trust = [*loaded(served.trust), *loaded(served.ca)]
    found = _Cabs({})
    for component in ours:
        for _, release in releases(component):
            sha256 = release.sha256
            if sha256 is None or release.location != cab_name(sha256):
                raise RefusedError(
                    f"{METADATA} names a cab of {release.title} that is not here by its digest", hint=_AGAIN
                )
            own = sha256 in served.own
            if not own and (sha256 not in named or guids(component).isdisjoint(served.devices)):
                raise RefusedError(
                    f"the cab of {release.title} is one that neither the origin nor the operator named", hint=_AGAIN
                )
            if sha256 not in found.files:
                found.files[sha256] = _cab(folder, release, sha256)
                found.bare += _bare(folder / cab_name(sha256), release, trust)
    return found


def _cab(folder: Path, release: Release, sha256: str) -> TransferFile:
    name = cab_name(sha256)
    try:
        told, size = digest_of(folder / name)
    except FileNotFoundError:
        raise UsageError(f"the cab of {release.title} is not there: {name}", hint=_AGAIN) from None
    except OSError as error:
        raise UsageError(f"{folder / name}: {error.strerror}", hint=_AGAIN) from None
    if release.size is not None and size != release.size:
        raise UsageError(
            f"the cab of {release.title} has {size:,} bytes, where {release.size:,} are named", hint=_AGAIN
        )
    if told != sha256:
        raise UsageError(f"the cab of {release.title} is not what was named: its SHA-256 is {told}", hint=_AGAIN)
    return TransferFile(path=name, size=size, sha256=sha256)


def _bare(path: Path, release: Release, trust: Sequence[x509.Certificate]) -> bool:
    """Whether a cab of which every payload is signed has a description that is not; raises RefusedError, OSError."""
    try:
        cab = firmware_cab.read(path)
        cab.require_signed(cab.payloads(), trust)
    except ValueError as error:
        raise RefusedError(f"the cab of {release.title} {error}", hint="fwupd would refuse it") from None
    try:
        cab.require_signed(list(cab.components), trust)
    except ValueError:
        return True
    return False


def _with_signature(folder: Path, name: str) -> Iterator[TransferFile]:
    for path in (folder / name, beside(folder / name)):
        sha256, size = digest_of(path)
        yield TransferFile(path=path.relative_to(folder).as_posix(), size=size, sha256=sha256)


def _left_out(theirs: Sequence[Element], cabs: _Cabs) -> list[str]:
    """What the origin has for our devices and clients do not get, with the reason."""
    found = []
    for component in theirs:
        for _, release in releases(component):
            if release.sha256 is None:
                found.append(f"{release.title}: the origin names no SHA-256 of its cab")
            elif release.sha256 not in cabs.files:
                found.append(f"{release.title}: no payload signature in its cab that fwupd would take")
    return found


def _strange(folder: Path, files: Sequence[TransferFile]) -> Iterator[str]:
    """What lies in the folder and nobody named, counted."""
    named = {file.path for file in files}
    strange = sorted(
        name
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
        if (name := path.relative_to(folder).as_posix()) not in named
    )
    if strange:
        yield f"{len(strange):,} files that no signed metadata names"


def _words(signature: Signature) -> str:
    return f"signed at {signature.signed_at:%Y-%m-%d %H:%M:%S} UTC by {subject(signature.signer)}"
