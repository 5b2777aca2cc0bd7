"""Prove an archive of packages from the signature down: what was signed, its indexes, and every package they list."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors import openpgp
from sparkctl.airgap.mirrors.apt_index import COMPRESSED, Listed, Release, packages, release, require_suite
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.evidence_path import bytewise
from sparkctl.model.mirror_apt import AptServed
from sparkctl.model.transfer import TransferFile

SIGNED = "InRelease"
"""The file of a suite that apt reads first: a list of digests, and the signature over it."""

_ARCHITECTURE_OF_ALL = "all"
_AGAIN = "run the same command again; if it stays so, the archive is damaged"


@dataclass(slots=True)
class _Found:
    files: dict[str, Listed] = field(default_factory=dict)
    proven_by: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"suites": 0, "indexes": 0, "packages": 0})
    valid_until: list[datetime] = field(default_factory=list)
    dated: dict[str, datetime] = field(default_factory=dict)


def prove(served: AptServed, folder: Path) -> Proven:
    """Verify every suite, index and package; raises RefusedError for a signature that does not hold, UsageError.

    Only what was proven is in the result: files that nobody signed are left out.
    """
    _require_plain(served.key)
    found = _Found()
    for suite in served.suites:
        _prove_suite(served, folder, suite, found)
    files = sorted(found.files.values(), key=lambda file: bytewise(file.path))
    return Proven(
        files=[TransferFile(path=file.path, size=file.size, sha256=file.sha256) for file in files],
        proven_by=found.proven_by,
        counts=found.counts,
        left_out=list(_unsigned(folder, found)),
        valid_until=min(found.valid_until, default=None),
        dated=found.dated,
    )


def _require_plain(key: str) -> None:
    """Raise RefusedError for a key with anything around it: clients get all of it, and might read more keys there."""
    try:
        plain = openpgp.armoured(key.encode("ascii")) == key
    except ValueError:
        plain = False
    if not plain:
        raise RefusedError(
            "the key of the archive is not one block of armour, as it is written here", hint="do not use it"
        )


def verified_release(served: AptServed, folder: Path, suite: str) -> tuple[Release, openpgp.Signed]:
    """What a suite says of itself, once its signature holds; raises RefusedError, UsageError."""
    path = folder / "dists" / suite / SIGNED
    named = f"dists/{suite}/{SIGNED}"
    if not path.is_file() or path.is_symlink():
        raise UsageError(f"there is no {named} in {folder}", hint="an archive that is not signed so is not mirrored")
    signed = openpgp.verified(path, served.key, named)
    told = release(signed.text, named)
    require_suite(told, suite, named)
    return told, signed


def wanted_indexes(served: AptServed, told: Release, suite: str) -> Iterator[list[Listed]]:
    """For each component and architecture, the forms in which its index is listed; raises UsageError for none."""
    both = _ARCHITECTURE_OF_ALL in told.fields.get("architectures", "").split()
    for component in served.components:
        for architecture in served.architectures:
            forms = _forms(told, f"{component}/binary-{architecture}/Packages")
            if not forms:
                raise UsageError(
                    f"the suite {suite} has no index of {component} for {architecture}",
                    hint=f"it has: {told.fields.get('components', 'none')}; {told.fields.get('architectures', 'none')}",
                )
            yield forms
        if both and (forms := _forms(told, f"{component}/binary-{_ARCHITECTURE_OF_ALL}/Packages")):
            yield forms


def _prove_suite(served: AptServed, folder: Path, suite: str, found: _Found) -> None:
    told, signed = verified_release(served, folder, suite)
    root = f"dists/{suite}"
    sha256, size = digest_of(folder / root / SIGNED)
    found.files[f"{root}/{SIGNED}"] = Listed(f"{root}/{SIGNED}", size, sha256)
    for listed in told.listed.values():
        path = folder / root / listed.path
        if path.is_file() and not path.is_symlink():
            _require(path, listed)
            found.files[f"{root}/{listed.path}"] = Listed(f"{root}/{listed.path}", listed.size, listed.sha256)
            found.counts["indexes"] += 1
    count = 0
    for forms in wanted_indexes(served, told, suite):
        here = next((form for form in forms if f"{root}/{form.path}" in found.files), None)
        if here is None:
            raise UsageError(f"{root}/{forms[0].path} is not there", hint=_AGAIN)
        plain = next((form for form in forms if form.path.endswith("Packages")), None)
        for package in packages(folder / root / here.path, plain):
            count += _prove_package(folder, package, found)
    found.counts["suites"] += 1
    found.counts["packages"] += count
    found.proven_by.append(f"{root}/{SIGNED} signed by {', '.join(signed.keys)}, {len(told.listed):,} indexes listed")
    if moment := told.moment("valid-until"):
        found.valid_until.append(moment)
    if moment := told.moment("date"):
        found.dated[suite] = moment


def _prove_package(folder: Path, package: Listed, found: _Found) -> int:
    """Prove one package; how many are new by that."""
    known = found.files.get(package.path)
    if known is not None:
        if known != package:
            raise UsageError(f"two indexes list {package.path} with other digests", hint="the archive is damaged")
        return 0
    _require(folder / package.path, package)
    found.files[package.path] = package
    return 1


def _require(path: Path, listed: Listed) -> None:
    """Raise UsageError unless a file is what was listed."""
    try:
        sha256, size = digest_of(path)
    except FileNotFoundError:
        raise UsageError(f"{listed.path} is listed and is not there", hint=_AGAIN) from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint=_AGAIN) from error
    if size != listed.size:
        raise UsageError(f"{listed.path} has {size:,} bytes, where {listed.size:,} are listed", hint=_AGAIN)
    if sha256 != listed.sha256:
        raise UsageError(f"{listed.path} is not what was listed: its SHA-256 is {sha256}", hint=_AGAIN)


def _forms(told: Release, path: str) -> list[Listed]:
    return [told.listed[path + suffix] for suffix in COMPRESSED if path + suffix in told.listed]


def _unsigned(folder: Path, found: _Found) -> Iterator[str]:
    """What lies in the archive and was not proven, counted by where it lies."""
    strange = [
        path
        for place in ("dists", "pool")
        for path in sorted((folder / place).rglob("*"))
        if path.is_symlink() or path.is_file()
        if path.name not in {"Release", "Release.gpg"} and path.relative_to(folder).as_posix() not in found.files
    ]
    if strange:
        first = strange[0].relative_to(folder).as_posix()
        yield f"{len(strange):,} files that no signed index lists, such as {first}"
