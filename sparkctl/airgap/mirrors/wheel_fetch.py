"""Bring the wheels of a lock file by pip, one requirement after the other, and make an index of them.

A wheel that came is kept, so that a run that was killed goes on with the first that is missing.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from sparkctl.airgap.mirrors.kind import Fetched
from sparkctl.airgap.mirrors.wheel_file import Wheel, wheel_at
from sparkctl.airgap.mirrors.wheel_index import SIMPLE, WHEELS, index_of
from sparkctl.airgap.mirrors.wheel_pip import bring, pip_version
from sparkctl.airgap.mirrors.wheel_target import Target, answers, needed, targets_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_wheels import WheelPin, WheelsMirror, WheelsServed


def fetch_wheels(mirror: WheelsMirror, work: Path) -> Fetched:
    """Have all wheels of a mirror in a folder with their index; raises UsageError, RefusedError, OSError."""
    folder = work / "site"
    store = folder / WHEELS
    store.mkdir(parents=True, exist_ok=True)
    pinned = {digest for pin in mirror.pins for digest in pin.sha256}
    have = {wheel.sha256: wheel for wheel in _kept(store.iterdir(), pinned)}
    for target in targets_of(mirror):
        for pin in needed(mirror.pins, target):
            if not any(answers(have[digest], pin, target) for digest in pin.sha256 if digest in have):
                wheel = _brought(pin, target, mirror.indexes, work, store)
                have[wheel.sha256] = wheel
    pins = _taken(mirror, have)
    wheels = [have[digest] for digest in sorted({digest for pin in pins for digest in pin.sha256})]
    shutil.rmtree(folder / SIMPLE, ignore_errors=True)
    for path, content in index_of(wheels, pins).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    served = WheelsServed(machine=mirror.machine, glibc=mirror.glibc, pythons=mirror.pythons, pins=pins)
    return Fetched(folder, served, [pip_version()])


def _kept(paths: Iterable[Path], pinned: set[str]) -> list[Wheel]:
    """The wheels that are pinned; what else is there goes, and would not be served."""
    kept = []
    for path in sorted(paths):
        try:
            wheel = wheel_at(path)
        except (ValueError, OSError):
            wheel = None
        if wheel is not None and wheel.sha256 in pinned:
            kept.append(wheel)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return kept


def _brought(pin: WheelPin, target: Target, indexes: list[str], work: Path, store: Path) -> Wheel:
    """The wheel that pip brings for a pin, which is looked at; raises UsageError, RefusedError."""
    inbox = work / "inbox"
    shutil.rmtree(inbox, ignore_errors=True)
    inbox.mkdir()
    bring(pin, target, indexes, work, inbox)
    found = sorted(inbox.iterdir())
    if len(found) != 1:
        raise UsageError(f"pip ended well and brought {len(found)} files for {pin.name} {pin.version}")
    try:
        wheel = wheel_at(found[0])
    except ValueError as error:
        raise RefusedError(
            f"what came as {pin.name} {pin.version} {error}",
            hint="do not install it; ask whoever made the requirements",
        ) from None
    if not answers(wheel, pin, target):
        raise RefusedError(f"pip ended well and brought {wheel.file}, which is not {pin.name} {pin.version}")
    found[0].replace(store / wheel.file)
    return wheel


def _taken(mirror: WheelsMirror, have: dict[str, Wheel]) -> list[WheelPin]:
    """The pins that hold on some target, with the digests of what is there."""
    wanted = {id(pin) for target in targets_of(mirror) for pin in needed(mirror.pins, target)}
    return [
        pin.model_copy(update={"sha256": [digest for digest in pin.sha256 if digest in have]})
        for pin in mirror.pins
        if id(pin) in wanted
    ]
