"""A wire of two tun devices that holds back and drops some of what the far end sends."""

import contextlib
import heapq
import os
import random
import select
import threading
import time
from types import TracebackType
from typing import Self

_MTU = 65535


class Relay:
    """Carries packets between two tun devices; those from `theirs` arrive `delay_s` later, or not at all.

    `lost` is the share of them that is dropped, by a seeded choice; where it is not 0, the seventh packet always is.
    """

    def __init__(self, ours: int, theirs: int, *, delay_s: float, lost: float) -> None:
        self.dropped = 0
        self._ours, self._theirs, self._delay_s, self._lost = ours, theirs, delay_s, lost
        self._chance = random.Random(5)
        self._held: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="relay")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._wake[1], b"x")
        self._thread.join()
        for descriptor in self._wake:
            os.close(descriptor)

    def _carry(self) -> None:
        while True:
            rest = max(0.0, self._held[0][0] - time.monotonic()) if self._held else None
            ready, _, _ = select.select([self._ours, self._theirs, self._wake[0]], [], [], rest)
            if self._wake[0] in ready:
                return
            # A device that is down, or gone already, takes and gives nothing: then the packet is lost, as on a wire.
            with contextlib.suppress(OSError):
                if self._ours in ready:
                    os.write(self._theirs, os.read(self._ours, _MTU))
            with contextlib.suppress(OSError):
                if self._theirs in ready:
                    self._hold(os.read(self._theirs, _MTU))
            while self._held and self._held[0][0] <= time.monotonic():
                with contextlib.suppress(OSError):
                    os.write(self._ours, heapq.heappop(self._held)[2])

    def _hold(self, packet: bytes) -> None:
        self._count += 1
        if self._count == 7 * bool(self._lost) or self._chance.random() < self._lost:
            self.dropped += 1
            return
        heapq.heappush(self._held, (time.monotonic() + self._delay_s, self._count, packet))
