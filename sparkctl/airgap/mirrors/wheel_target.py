"""Where wheels are to be installed: what that machine has in place of the one that we run on."""

from dataclasses import dataclass
from functools import lru_cache

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags

from sparkctl.airgap.mirrors.wheel_file import Wheel
from sparkctl.model.mirror_wheels import WheelPin, WheelsMirror, WheelsServed

_OLDEST = 17  # manylinux_2_17 is manylinux2014 (PEP 600), the oldest that has aarch64


@dataclass(frozen=True, slots=True)
class Target:
    """CPython of one release on Linux, on one kind of machine, with one release of glibc."""

    machine: str
    glibc: str
    python: str

    def __str__(self) -> str:
        return f"{self.machine} with Python {self.python}"

    def platforms(self) -> list[str]:
        """The platforms whose wheels run there, the newest glibc first (PEP 600), a plain `linux` last."""
        newest = int(self.glibc.split(".")[1])
        found = [f"manylinux_2_{minor}_{self.machine}" for minor in range(newest, _OLDEST - 1, -1)]
        return [*found, f"manylinux2014_{self.machine}", f"linux_{self.machine}"]

    def abis(self) -> list[str]:
        """The binary interfaces whose wheels run there."""
        return [f"cp{self.python.replace('.', '')}", "abi3", "none"]

    def environment(self, extra: str = "") -> dict[str, str]:
        """What a marker sees there (PEP 508)."""
        full = f"{self.python}.0"
        return {
            "implementation_name": "cpython", "implementation_version": full, "os_name": "posix",
            "platform_machine": self.machine, "platform_python_implementation": "CPython", "platform_release": "",
            "platform_system": "Linux", "platform_version": "", "python_full_version": full,
            "python_version": self.python, "sys_platform": "linux", "extra": extra,
        }  # fmt: skip

    def fits(self, marker: Marker | str | None, extra: str = "") -> bool:
        """Whether a marker holds there; one that cannot be judged does."""
        if marker is None:
            return True
        try:
            return (Marker(marker) if isinstance(marker, str) else marker).evaluate(dict(self.environment(extra)))
        except (ValueError, RecursionError):  # such as a release of more digits than Python reads
            return True


@lru_cache(maxsize=32)
def tags_of(target: Target) -> dict[Tag, int]:
    """Every tag of a wheel that can be installed there, with its rank: the less, the better it fits."""
    version = (3, int(target.python.split(".")[1]))
    platforms = target.platforms()
    own = cpython_tags(python_version=version, abis=[target.abis()[0]], platforms=platforms)
    common = compatible_tags(python_version=version, interpreter=target.abis()[0], platforms=platforms)
    ranked: dict[Tag, int] = {}
    for tag in (*own, *common):
        ranked.setdefault(tag, len(ranked))
    return ranked


def targets_of(mirror: WheelsMirror | WheelsServed) -> list[Target]:
    """Every target of a mirror."""
    return [Target(mirror.machine, mirror.glibc, python) for python in mirror.pythons]


def needed(pins: list[WheelPin], target: Target) -> list[WheelPin]:
    """The pins that hold on a target."""
    return [pin for pin in pins if target.fits(pin.marker)]


def answers(wheel: Wheel, pin: WheelPin, target: Target) -> bool:
    """Whether a wheel is what a pin names, and can be installed on a target."""
    same = (wheel.name, wheel.version) == (pin.name, pin.version) and wheel.sha256 in pin.sha256
    return same and not wheel.tags.isdisjoint(tags_of(target))
