"""Prove an index of wheels, file by file, from nothing but the digests that the lock file had."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sparkctl.airgap.blobs import digest_of, opened
from sparkctl.airgap.mirrors.kind import Proven
from sparkctl.airgap.mirrors.wheel_closure import lacking
from sparkctl.airgap.mirrors.wheel_file import Wheel, named, wheel_at
from sparkctl.airgap.mirrors.wheel_index import WHEELS, index_of
from sparkctl.airgap.mirrors.wheel_target import answers, needed, targets_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.evidence_path import bytewise
from sparkctl.model.mirror_wheels import WheelsServed
from sparkctl.model.printable import printable
from sparkctl.model.transfer import MAX_FILES, TransferFile

_MAX_TOLD = 400  # of what was left out, of each sort
_AGAIN = "run the same command again; if it stays so, the origin is damaged, or somebody changed the file"


def prove_wheels(served: WheelsServed, folder: Path) -> Proven:
    """Verify an index; raises RefusedError for a file that is not what the lock file names, UsageError, OSError."""
    wheels, foreign = _wheels(served, folder / WHEELS)
    for target in targets_of(served):
        for pin in needed(served.pins, target):
            if not any(answers(wheel, pin, target) for wheel in wheels):
                raise UsageError(f"there is no wheel of {pin.name} {pin.version} for {target}", hint=_AGAIN)
    missing = [words for target in targets_of(served) for words in lacking(wheels, served.pins, target)]
    files = [TransferFile(path=f"{WHEELS}/{one.file}", size=one.size, sha256=one.sha256) for one in wheels]
    files += [_page(folder, path, content) for path, content in index_of(wheels, served.pins).items()]
    return Proven(
        files=sorted(files, key=lambda file: bytewise(file.path)),
        proven_by=_proofs(served, wheels, complete=not missing),
        counts={"distributions": len({wheel.name for wheel in wheels}), "wheels": len(wheels)},
        left_out=[*_some(missing), *_some(foreign)],
    )


def _wheels(served: WheelsServed, store: Path) -> tuple[list[Wheel], list[str]]:
    """Every wheel of a release that the lock file names, and sentences on what else is there."""
    pinned: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pin in served.pins:
        pinned[pin.name, pin.version] |= set(pin.sha256)
    wheels, foreign = [], []
    for file in _names(store):
        try:
            name, version, _ = named(file)
        except ValueError:
            name, version = "", ""
        if (name, version) not in pinned:
            foreign.append(f"{WHEELS}/{printable(file, 255)}: no requirement names it")
            continue
        wheel = _wheel(store / file)
        if wheel.sha256 not in pinned[name, version]:
            raise RefusedError(
                f"{WHEELS}/{file} has none of the digests that the requirements name for {name} {version}", hint=_AGAIN
            )
        if any(answers(wheel, pin, target) for target in targets_of(served) for pin in needed(served.pins, target)):
            wheels.append(wheel)
        else:
            foreign.append(f"{WHEELS}/{file}: it cannot be installed on any of the targets")
    return wheels, foreign


def _names(store: Path) -> list[str]:
    with os.scandir(store) as listing:
        names = sorted(item.name for item in listing)
    if len(names) > MAX_FILES:
        raise UsageError(f"{store} holds more than {MAX_FILES:,} files")
    return names


def _wheel(path: Path) -> Wheel:
    try:
        return wheel_at(path)
    except ValueError as error:
        raise RefusedError(f"{WHEELS}/{path.name} {error}", hint=_AGAIN) from None
    except OSError as error:
        raise UsageError(f"{WHEELS}/{path.name} cannot be read: {error.strerror}", hint=_AGAIN) from None


def _page(folder: Path, path: str, content: bytes) -> TransferFile:
    """A file of the index, which must be as it follows from the wheels."""
    place = folder.joinpath(*path.split("/"))
    try:
        with opened(place) as file:
            found = file.read(len(content) + 1)
        sha256, size = digest_of(place)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_AGAIN) from None
    if found != content or size != len(content):
        raise RefusedError(f"{path} is not what these wheels have as their index", hint=_AGAIN)
    return TransferFile(path=path, size=size, sha256=sha256)


def _proofs(served: WheelsServed, wheels: Sequence[Wheel], *, complete: bool) -> list[str]:
    pythons = " and ".join(served.pythons)
    found = [
        f"{len(wheels):,} wheels: each has a SHA-256 digest that the requirements name for its release",
        "each is a zip whose METADATA says the release of its name, and whose WHEEL does not contradict its name",
        f"every requirement has a wheel for {served.machine} with Python {pythons} and glibc {served.glibc}",
        "the index names these wheels with their digests and nothing else, byte for byte as it follows from them",
    ]
    return [*found, "all that the wheels need is there, by what they say that they need"] if complete else found


def _some(sentences: Sequence[str]) -> list[str]:
    told = list(dict.fromkeys(sentences))
    more = [f"and {len(told) - _MAX_TOLD:,} more"] if len(told) > _MAX_TOLD else []
    return [*told[:_MAX_TOLD], *more]
