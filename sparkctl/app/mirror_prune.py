"""Remove snapshots that no ring points to, but for the newest."""

from sparkctl.airgap.mirrors.shelf import Shelf
from sparkctl.model.mirror import SNAPSHOT


def prune(shelf: Shelf, keep: int) -> list[str]:
    """Remove all snapshots of every mirror but the newest `keep` and those of a ring; their names.

    One without its document is no snapshot any more, and counts for none that is kept; a person has to look at it.
    """
    held = {f"{mirror}/{stamp}" for ring in shelf.rings().values() for mirror, stamp in ring.items()}
    gone = []
    for mirror in shelf.mirrors():
        shelf.clear(mirror)
        whole = [stamp for stamp in shelf.stamps(mirror) if (shelf.place(mirror, stamp) / SNAPSHOT).is_file()]
        for stamp in whole[:-keep]:
            if f"{mirror}/{stamp}" not in held:
                shelf.remove(mirror, stamp)
                gone.append(f"{mirror}/{stamp}")
    return gone
