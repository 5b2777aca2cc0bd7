"""What the origin of an archive has now: its signed indexes, fetched and verified, and every package they list."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sparkctl.airgap.mirrors import openpgp
from sparkctl.airgap.mirrors.apt_index import (
    COMPRESSED,
    Listed,
    Release,
    depends,
    package,
    release,
    require_suite,
    stanzas,
)  # fmt: skip
from sparkctl.airgap.mirrors.apt_proof import SIGNED, wanted_indexes
from sparkctl.airgap.mirrors.download import download
from sparkctl.errors import UsageError
from sparkctl.model.mirror_apt import FLAT, AptMirror, AptServed

_SMALLEST = (".xz", ".bz2", ".gz", "")


@dataclass(frozen=True, slots=True)
class Origin:
    """The packages that the origin lists by their path; by suite, until when it is valid, and its Release file.

    `needs` are name and dependencies of each package by its digest, where a part of the archive is wanted.
    """

    packages: dict[str, Listed]
    valid_until: dict[str, datetime]
    told: dict[str, Release]
    needs: dict[str, tuple[str, list[set[str]]]]
    indexes: list[Path]

    def missing(self, taken: set[str]) -> list[str]:
        """What packages of these digests depend on and what is there and not among them, by name."""
        names = {self.needs[sha256][0] for sha256 in taken if sha256 in self.needs}
        all_names = {name for name, _ in self.needs.values()}
        wanted = [any_of for sha256 in taken if sha256 in self.needs for any_of in self.needs[sha256][1]]
        return sorted({name for any_of in wanted if not any_of & names for name in any_of & all_names})


def origin(spec: AptMirror, work: Path) -> Origin:
    """Fetch the indexes anew below `work`, each verified; raises RefusedError for a signature, UsageError."""
    place, log = work / "origin", work / "origin.log"
    found = Origin({}, {}, {}, {}, [])
    for suite in spec.suites:
        root = "" if suite == FLAT else f"dists/{suite}/"
        told = found.told[suite] = signed_release(spec, suite, place, log)
        if moment := told.moment("valid-until"):
            found.valid_until[suite] = moment
        served = AptServed(suites=[suite], components=spec.components, architectures=spec.architectures, key=spec.key)
        indexes = [_flat_forms(told)] if spec.flat else list(wanted_indexes(served, told, suite))
        for forms in indexes:
            path = _fetched(spec, forms, root, place, log)
            plain = next((form for form in forms if form.path.endswith("Packages")), None)
            found.indexes.append(path)
            for fields in stanzas(path, plain):
                listed = package(fields, path)
                found.packages[listed.path] = listed
                if spec.packages:
                    found.needs[listed.sha256] = (fields.get("package", ""), depends(fields))
    shutil.rmtree(place)
    return found


def signed_release(spec: AptMirror, suite: str, place: Path, log: Path) -> Release:
    """What a suite of the origin says of itself, fetched below `place`; raises RefusedError, UsageError, OSError."""
    root = "" if suite == FLAT else f"dists/{suite}/"
    signed = place / root / SIGNED
    download(address(spec, root + SIGNED), signed, log, limit=openpgp.MAX_SIGNED)
    named = f"{root}{SIGNED} of {spec.name}"
    told = release(openpgp.verified(signed, spec.key, named).text, named)
    require_suite(told, suite, named)
    return told


def _flat_forms(told: Release) -> list[Listed]:
    forms = [told.listed[name] for suffix in COMPRESSED if (name := f"Packages{suffix}") in told.listed]
    if not forms:
        raise UsageError("the archive has no index beside its InRelease", hint="is it flat? Name its suites")
    return forms


def _fetched(spec: AptMirror, forms: list[Listed], root: str, place: Path, log: Path) -> Path:
    """One form of an index: the smallest that the origin has."""
    by_suffix = {form.path.rpartition("Packages")[2]: form for form in forms}
    refused: UsageError | None = None
    for suffix in _SMALLEST:
        if suffix not in by_suffix:
            continue
        form = by_suffix[suffix]
        target = place / root / form.path
        try:
            download(address(spec, root + form.path), target, log, limit=form.size, sha256=form.sha256)
        except UsageError as error:
            refused = refused or error
            continue
        return target
    raise refused or UsageError(f"no index of {spec.name} is there")


def address(spec: AptMirror, path: str) -> str:
    """Where a file of the archive is."""
    return f"{spec.uri.rstrip('/')}/{path}"
