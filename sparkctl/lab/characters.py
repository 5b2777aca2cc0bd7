"""Who plays in the lab: healthy machines of every make, and machines with a fault."""

import difflib
from collections.abc import Sequence
from dataclasses import replace

from sparkctl.errors import UsageError
from sparkctl.lab.behaviours import BEHAVIOUR_FAULTS
from sparkctl.lab.faults import ACT_FAULTS, MACHINE_FAULTS, Fault
from sparkctl.lab.makes import MAKES
from sparkctl.lab.node_model import DriveHealth, Gpu, NodeModel, RootDisk
from sparkctl.lab.reset_stories import STORY_FAULTS

FAULT_TABLE: dict[str, Fault] = {fault.name: fault for fault in (*MACHINE_FAULTS, *ACT_FAULTS, *BEHAVIOUR_FAULTS)}
_BREAKS = FAULT_TABLE | STORY_FAULTS
FAULTS: dict[str, str] = {name: fault.description for name, fault in _BREAKS.items()}
"""What a node can be broken with while the lab runs, each with one line of what it does."""

CHARACTERS: dict[str, str] = {make.name: make.description for make in MAKES.values()} | FAULTS
"""What a node can be from the start: a healthy machine of some make, or one with a fault."""

HEALTHY = "healthy"
_ORDER = (
    "founders", "founders", "asus", "founders", "dell", "founders", "lenovo", "msi", "founders", "gigabyte", "hp",
    "acer",
)  # fmt: skip
# Where the broken nodes stand among the first 24 when nobody asks for a cast; the pattern repeats after that.
_BROKEN = {
    2: "full-disk", 5: "hot", 7: "connectx-absent", 9: "driver-missing", 11: "gpu-power-wedge", 13: "memory-wedge",
    15: "never-answers", 17: "failed-units", 19: "clock-unsynchronised", 21: "changed-host-key", 22: "banner-noise",
}  # fmt: skip
_PERIOD = 24


def cast(nodes: int, characters: Sequence[str] | None) -> list[tuple[str, str | None]]:
    """Make and fault of each node: the wished characters in turn, else mostly healthy ones with broken ones among them.

    `healthy` stands for a healthy machine of some make. Raises UsageError for a character that does not exist.
    """
    if characters is None:
        return [(_ORDER[at % len(_ORDER)], _BROKEN.get(at % _PERIOD)) for at in range(nodes)]
    wished = list(characters) or [HEALTHY]
    for name in wished:
        if name != HEALTHY and name not in CHARACTERS:
            raise UsageError(
                f"the lab has no character {name!r}", hint=f"choose from: {', '.join([HEALTHY, *CHARACTERS])}"
            )
    return [_played_by(wished[at % len(wished)], at) for at in range(nodes)]


def fault_named(name: str) -> Fault:
    """The fault or reset story of this name; raises UsageError with the list of all."""
    if name not in _BREAKS:
        close = difflib.get_close_matches(name, _BREAKS, 1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"the lab has no fault {name!r}", hint=f"{meant}all of them: sparkctl lab list --kinds")
    return _BREAKS[name]


def model_of(name: str, seed: int, make: str, fault: str | None) -> NodeModel:
    """The model of a node with its fault."""
    node = _lively(NodeModel(name=name, seed=str(seed), make=MAKES[make]))
    change = None if fault is None else _BREAKS[fault].change
    return node if change is None else change(node)


def _lively(node: NodeModel) -> NodeModel:
    """The same healthy node a little warmer, fuller or longer up than its neighbours."""
    return replace(
        node,
        uptime=float(86_400 * (3 + node.jitter("days", 40)) + node.jitter("seconds", 86_399)),
        root=RootDisk(used_percent=14.0 + node.jitter("disk", 480) / 10),
        gpu=Gpu(celsius=38 + node.jitter("gpu", 6), watts=3.7 + node.jitter("watts", 90) / 100),
        drive=DriveHealth(celsius=36 + node.jitter("drive", 8), unsafe_shutdowns=node.jitter("cuts", 12)),
        zones=tuple(zone + node.jitter(f"zone{at}", 2_500) for at, zone in enumerate(node.zones)),
    )


def behaviour_of(fault: str | None) -> str:
    """How the server treats visits to a node with this fault."""
    return "normal" if fault is None else _BREAKS[fault].behaviour


def _played_by(character: str, at: int) -> tuple[str, str | None]:
    """A fault is played by a make that its place decides."""
    if character in MAKES:
        return character, None
    return _ORDER[at % len(_ORDER)], None if character == HEALTHY else character
