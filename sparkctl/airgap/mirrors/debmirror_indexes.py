"""What debmirror reads of an archive: files that were verified here, laid out as if it had fetched them itself.

debmirror 2.37 goes by Release, which need not say what the signed InRelease says, does not verify the indexes that it
fetches, and writes a package wherever its index says, also outside of its folder. It gets none of them from the origin.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors.apt_index import Listed, Release, packages, unpacked
from sparkctl.airgap.mirrors.apt_origin import address, signed_release
from sparkctl.airgap.mirrors.apt_proof import SIGNED, wanted_indexes
from sparkctl.airgap.mirrors.download import download
from sparkctl.errors import UsageError
from sparkctl.model.mirror_apt import AptMirror, AptServed

_PLAIN = "Packages"
_BESIDE = ("i18n", "dep11", "cnf")
_OF_ARCHITECTURE = ("Components-", "Commands-")


def lay_out(spec: AptMirror, work: Path, archive: Path) -> int:
    """Have all that debmirror reads in its scratch folder below `archive`; the bytes of the largest file listed there.

    Raises RefusedError for a signature that does not hold, UsageError for an origin that does not answer, or lists what
    lies elsewhere, OSError.
    """
    store, scratch, log = work / "indexes", archive / ".temp", work / "indexes.log"
    log.unlink(missing_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)
    kept = set[Path]()
    largest = 0
    for suite in spec.suites:
        root = Path("dists", suite)
        told = signed_release(spec, suite, store, log)
        wanted = [*_indexes(spec, told, suite), *_beside(spec, told)]
        for listed in wanted:
            place = store / root / listed.path
            download(address(spec, f"{root}/{listed.path}"), place, log, limit=listed.size, sha256=listed.sha256)
            _placed(place, scratch / root / listed.path)
        plain = list(_unpacked(wanted, scratch / root))
        for index in plain:
            sizes = [package.size for package in packages(scratch / root / index.path, told.listed.get(index.path))]
            largest = max(largest, index.size, *sizes)
        _placed(store / root / SIGNED, scratch / ".tmp" / root / SIGNED)
        (scratch / ".tmp" / root / "Release").write_text(_release(suite, [*wanted, *plain]), "utf-8")
        kept |= {store / root / path for path in (SIGNED, *(listed.path for listed in wanted))}
    for path in [path for path in store.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()
    return largest


def _indexes(spec: AptMirror, told: Release, suite: str) -> Iterator[Listed]:
    """The indexes of packages, in the forms that debmirror reads; one without compression where there is no other."""
    served = AptServed(suites=[suite], components=spec.components, architectures=spec.architectures, key=spec.key)
    for forms in wanted_indexes(served, told, suite):
        found = [form for form in forms if form.path.endswith((".xz", ".gz"))]
        found = found or [form for form in forms if form.path.endswith(_PLAIN)]
        if not found:
            raise UsageError(
                f"{forms[0].path} of {suite} is in no form that debmirror reads",
                hint="mirror a part of the archive, with `packages` and `sign_with`",
            )
        yield from found


def _beside(spec: AptMirror, told: Release) -> Iterator[Listed]:
    """Translations, and what desktops and shells look packages up by, as far as it is for these architectures."""
    ours = tuple(f"{kind}{each}." for kind in _OF_ARCHITECTURE for each in spec.architectures)
    folders = tuple(f"{component}/{folder}/" for component in spec.components for folder in _BESIDE)
    for path, listed in told.listed.items():
        name = path.rpartition("/")[2]
        foreign = name.startswith(_OF_ARCHITECTURE) and not name.startswith(ours)
        if path.startswith(folders) and path.endswith((".xz", ".gz", ".bz2")) and not foreign:
            yield listed


def _unpacked(wanted: list[Listed], folder: Path) -> Iterator[Listed]:
    """Each index without compression, which debmirror reads, beside the form in which it came."""
    done = set[str]()
    for listed in wanted:
        plain = listed.path.removesuffix(".xz").removesuffix(".gz")
        if plain.endswith(f"/{_PLAIN}") and plain not in done:
            done.add(plain)
            if plain != listed.path:
                unpacked(folder / listed.path, folder / plain)
            sha256, size = digest_of(folder / plain)
            yield Listed(plain, size, sha256)


def _placed(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


def _release(suite: str, listed: list[Listed]) -> str:
    """A Release file of ours: what it does not list, debmirror does not look for."""
    lines = "".join(f" {one.sha256} {one.size} {one.path}\n" for one in listed)
    return f"Codename: {suite.partition('/')[0]}\nSHA256:\n{lines}"
