"""The clock of one visit: which stage it is in, how long each took, and the deadline of the present one."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from sparkctl.model.durations import told_seconds
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import Deadlines, TransportError

T = TypeVar("T")

_ORDER = (Stage.CONNECT, Stage.HOST_KEY, Stage.AUTHENTICATE)
_DOING = {
    Stage.CONNECT: "while connecting",
    Stage.HOST_KEY: "while waiting for the host key",
    Stage.AUTHENTICATE: "while authenticating",
}


class StageClock:
    """Runs the connecting half of a visit; whoever sees the far side move calls `enter`, from the event loop's thread.

    The stages are connect (name, TCP, SSH version), host_key (key exchange, until the key is judged) and authenticate.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self.stage = Stage.CONNECT
        self.stages_ms: dict[Stage, int] = {}
        self._limits = {
            Stage.CONNECT: deadlines.connect_s,
            Stage.HOST_KEY: deadlines.host_key_s,
            Stage.AUTHENTICATE: deadlines.authenticate_s,
        }
        self._entered = time.monotonic()
        self._timer: asyncio.Timeout | None = None

    async def run(self, work: Awaitable[T]) -> T:
        """Await `work`; raises TransportError(timeout) at the stage whose deadline passed."""
        timer = asyncio.timeout(None)
        try:
            async with timer:
                self._begin(Stage.CONNECT, timer)
                result = await work
                self._leave()
                return result
        except TimeoutError:
            if not timer.expired():
                raise
            raise TransportError(
                self.stage,
                Cause.TIMEOUT,
                f"no answer within {told_seconds(self._limits[self.stage])} {_DOING[self.stage]}",
                retryable=self.stage is Stage.CONNECT,
            ) from None
        finally:
            # A timer holds the task, the task its result: kept here, every record would wait for the garbage collector.
            self._timer = None

    def enter(self, stage: Stage) -> None:
        """Move on to a later stage; ignored when it is not later, or when the clock no longer runs."""
        timer = self._timer
        if timer and not timer.expired() and _ORDER.index(stage) > _ORDER.index(self.stage):
            self._leave()
            self._begin(stage, timer)

    def _begin(self, stage: Stage, timer: asyncio.Timeout) -> None:
        self.stage, self._timer = stage, timer
        self._entered = time.monotonic()
        timer.reschedule(asyncio.get_running_loop().time() + self._limits[stage])

    def _leave(self) -> None:
        self.stages_ms[self.stage] = round((time.monotonic() - self._entered) * 1000)
