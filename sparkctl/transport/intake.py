"""What a command prints, gathered up to its limits; shared by every transport that is told of bytes as they come."""

import threading

from sparkctl.model.vocabulary import Cause
from sparkctl.transport.faults import over_limit
from sparkctl.transport.seam import Command


class Intake:
    """Two byte strings that never grow past their limits; safe to use from several threads."""

    def __init__(self, command: Command) -> None:
        self._buffers = {Cause.STDOUT_LIMIT: bytearray(), Cause.STDERR_LIMIT: bytearray()}
        self._limits = {Cause.STDOUT_LIMIT: command.stdout_limit, Cause.STDERR_LIMIT: command.stderr_limit}
        self._take = command.take
        self._lock = threading.Lock()

    @property
    def stdout(self) -> bytes:
        """What was printed on standard output so far."""
        return bytes(self._buffers[Cause.STDOUT_LIMIT])

    @property
    def stderr(self) -> bytes:
        """What was printed on standard error so far."""
        return bytes(self._buffers[Cause.STDERR_LIMIT])

    def add(self, data: bytes, *, is_stderr: bool) -> None:
        """Keep what arrived; raises TransportError(stdout_limit or stderr_limit) at the first byte too many."""
        cause = Cause.STDERR_LIMIT if is_stderr else Cause.STDOUT_LIMIT
        with self._lock:
            if self._take is not None and not is_stderr:
                data = self._take(data)
            buffer, limit = self._buffers[cause], self._limits[cause]
            room = limit - len(buffer)
            buffer += data[:room]
            if len(data) > room:
                raise over_limit(cause, limit)
