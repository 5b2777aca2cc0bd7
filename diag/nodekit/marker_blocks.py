"""Blocks of known content at known places of a drive: written before it is erased, looked for afterwards.

As the main process of an act, `python3 -I -S -c SOURCE DEVICE SEED` writes them. It imports nothing of ours, and its
words must not hold a dollar sign. A block is SHAKE-256 over the seed and its place: whoever has the seed can make it
again, and no other content is like it.
"""

import errno
import hashlib
import mmap
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

COUNT = 64
SIZE = 4096  # bytes of a block, the largest sector that NVMe drives have


@dataclass(frozen=True)
class Found:
    """What reads back: how many as they were written, how many not at all; `direct` is past the page cache."""

    bytes: int
    digest: str
    found: int
    unreadable: int
    direct: bool


def places(size: int) -> list[int]:
    """Where the blocks lie on a drive of so many bytes: the first, the last, and evenly between."""
    last = size // SIZE - 1
    if last < COUNT - 1:
        raise ValueError(f"a drive of {size} bytes is too small for {COUNT} blocks")
    return [last * number // (COUNT - 1) * SIZE for number in range(COUNT)]


def block(seed: str, place: int) -> bytes:
    """The content at a place."""
    return hashlib.shake_256(f"{seed}:{place}".encode()).digest(SIZE)


def looked_for(path: str, seed: str) -> Found:
    """Read every place of a drive that nobody uses; raises OSError, EBUSY where somebody does."""
    device, direct = _opened(path)
    try:
        size = os.lseek(device, 0, os.SEEK_END)
        whole, found, unreadable = hashlib.sha256(), 0, 0
        for place, content in _read(device, places(size)):
            wanted = block(seed, place)
            whole.update(wanted)
            found += content == wanted
            unreadable += content is None
        return Found(size, whole.hexdigest(), found, unreadable, direct)
    finally:
        os.close(device)


def _opened(path: str) -> tuple[int, bool]:
    """The drive, past the page cache where that can be."""
    try:
        return os.open(path, os.O_RDONLY | os.O_EXCL | os.O_DIRECT), True
    except OSError as problem:
        if problem.errno != errno.EINVAL:
            raise
        return os.open(path, os.O_RDONLY | os.O_EXCL), False


def _read(device: int, where: list[int]) -> Iterator[tuple[int, bytes | None]]:
    """What stands at each place, None where it does not read."""
    with mmap.mmap(-1, SIZE) as buffer:  # reads past the page cache want memory that lies on a page
        for place in where:
            yield place, bytes(buffer) if _reads(device, buffer, place) else None


def _reads(device: int, buffer: mmap.mmap, place: int) -> bool:
    try:
        return os.preadv(device, [buffer], place) == SIZE
    except OSError:
        return False


def main(path: str, seed: str) -> int:
    """Write them all; returns the exit status."""
    device = os.open(path, os.O_WRONLY | os.O_EXCL | os.O_DSYNC)
    where = places(os.lseek(device, 0, os.SEEK_END))
    for place in where:
        os.pwrite(device, block(seed, place), place)
    os.fsync(device)
    os.close(device)
    print(f"{len(where)} blocks are written")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
