"""Snapshots of a small mirror of wheels, which need no tool: the proof of them is real."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.airgap.mirrors.wheel_file import wheel_at
from sparkctl.airgap.mirrors.wheel_index import index_of
from sparkctl.airgap.mirrors.wheel_lock import pins_in
from sparkctl.airgap.mirrors.wheel_proof import prove_wheels
from sparkctl.model.mirror import Snapshot
from sparkctl.model.mirror_wheels import WheelsServed
from tests.support.wheelhouse import build_wheel, lock_line

NAME = "wheels"


def served_wheels(folder: Path, glibc: str = "2.39") -> WheelsServed:
    """One wheel with its index in a folder."""
    wheel = build_wheel(folder / "wheels", "thing")
    pins = pins_in(lock_line(wheel))
    for path, content in index_of([wheel_at(wheel)], pins).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return WheelsServed(machine="aarch64", glibc=glibc, pythons=["3.12"], pins=pins)


def snapshot_of_wheels(
    folder: Path, at: datetime, more: Mapping[str, Any] | None = None, *, glibc: str = "2.39"
) -> Snapshot:
    """What a sync makes of such a folder, but for fields that are told otherwise."""
    served = served_wheels(folder, glibc)
    proven = prove_wheels(served, folder)
    fields: dict[str, Any] = {
        "mirror": NAME, "stamp": f"{at:%Y%m%dT%H%M%SZ}", "taken_at": at, "origin": ["https://example.net"],
        "made_with": [], "proven_by": list(proven.proven_by), "counts": dict(proven.counts), "left_out": [],
        "valid_until": None, "dated": {}, "served": served, "files": list(proven.files),
    }  # fmt: skip
    return Snapshot(**fields | dict(more or {}))


def put_wheels(shelf: Shelf, folder: Path, at: datetime, *, glibc: str = "2.39") -> str:
    """Put a snapshot on a shelf; its name."""
    made = snapshot_of_wheels(folder, at, glibc=glibc)
    shelf.put(made, folder, None)
    return made.name
