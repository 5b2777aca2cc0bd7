"""What wheels say that they need, and whether it is there: an installer would otherwise find out on the far side."""

from collections import deque
from collections.abc import Iterator, Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sparkctl.airgap.mirrors.wheel_file import Wheel
from sparkctl.airgap.mirrors.wheel_target import Target, answers, needed
from sparkctl.model.mirror_wheels import WheelPin
from sparkctl.model.printable import clip, printable


def lacking(wheels: Sequence[Wheel], pins: Sequence[WheelPin], target: Target) -> Iterator[str]:
    """A sentence for each thing that a wheel needs on a target and that is not among them.

    It is no error: whoever made the lock file may have overridden what a wheel claims to need.
    """
    active = {pin.name: pin for pin in needed(list(pins), target)}
    by_name: dict[str, list[Wheel]] = {}
    for wheel in wheels:
        by_name.setdefault(wheel.name, []).append(wheel)
    here = {name: next(w for w in by_name[name] if answers(w, pin, target)) for name, pin in active.items()}
    waiting = deque((name, extra) for name, pin in active.items() for extra in ("", *pin.extras))
    seen = set(waiting)
    while waiting:
        name, extra = waiting.popleft()
        for required in here[name].requires:
            if not target.fits(required.marker, extra):
                continue
            other = canonicalize_name(required.name)
            if other not in here or not _allows(required, here[other]):
                yield _sentence(here[name], required, target)
                continue
            fresh = {(other, each) for each in required.extras} - seen
            seen |= fresh
            waiting.extend(sorted(fresh))


def _allows(required: Requirement, wheel: Wheel) -> bool:
    try:
        return required.specifier.contains(wheel.version, prereleases=True)
    except ValueError:  # a release of more digits than Python reads
        return False


def _sentence(wheel: Wheel, required: Requirement, target: Target) -> str:
    wanted = printable(f"{required.name}{required.specifier}", 200)
    return clip(f"{wanted.upper()} IS NOT IN THE MIRROR, and {wheel.name} {wheel.version} needs it on {target}", 400)
