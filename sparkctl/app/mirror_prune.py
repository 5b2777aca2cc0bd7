"""Remove snapshots that no ring points to, but for the newest."""

from sparkctl.airgap.mirrors.shelf import Shelf


def prune(shelf: Shelf, keep: int) -> list[str]:
    """Remove all snapshots of every mirror but the newest `keep` and those of a ring; their names."""
    held = {f"{mirror}/{stamp}" for ring in shelf.rings().values() for mirror, stamp in ring.items()}
    gone = []
    for mirror in shelf.mirrors():
        for stamp in shelf.stamps(mirror)[:-keep]:
            if f"{mirror}/{stamp}" not in held:
                shelf.remove(mirror, stamp)
                gone.append(f"{mirror}/{stamp}")
    return gone
