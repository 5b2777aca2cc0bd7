"""The seam between the executor and whatever carries bytes to a node and back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sparkctl.model.inventory import Node
from sparkctl.model.vocabulary import Cause, Stage


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that each stage of a visit may take."""

    connect_s: float
    host_key_s: float
    authenticate_s: float
    run_s: float


@dataclass(frozen=True, slots=True)
class Command:
    """One argv and the bytes for its standard input; what it prints is read up to the limits (bytes), no further.

    `take` is given standard output as it comes, and returns what of it is to be kept and counted against the limit. It
    may raise TransportError, which ends the run; it bounds what it keeps itself.
    """

    argv: tuple[str, ...]
    stdin: bytes
    stdout_limit: int
    stderr_limit: int
    take: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: an exit status or, when a signal killed it, the signal's name (`KILL`)."""

    exit_status: int | None
    signal: str | None
    stdout: bytes
    stderr: bytes


class TransportError(Exception):
    """A visit that ended early: the stage it had reached, the cause, and whether connecting again could help.

    `message` is for a person and may quote the far side, with control characters already made visible. `pause_s` is how
    long to wait at least before connecting again (seconds), where the far side is known to need it.
    """

    def __init__(
        self,
        stage: Stage,
        cause: Cause,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool = False,
        pause_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.stage = stage
        self.cause = cause
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.pause_s = pause_s


class Session(Protocol):
    """A connection that a node has accepted. Close it in every case; closing never waits for the far side."""

    @property
    def host_key(self) -> str | None:
        """Fingerprint of the host key (`SHA256:...`), or None where the transport has none."""

    @property
    def stages_ms(self) -> dict[Stage, int]:
        """Milliseconds that each stage of connecting took."""

    @property
    def warnings(self) -> list[str]:
        """What the run record must carry, one printable sentence each: a host key accepted on first sight."""

    async def execute(self, command: Command, seconds: float) -> Ended:
        """Run one command to its end.

        Raises TransportError at stage `run`: on the deadline, on a limit, and when the connection is lost before the
        exit status arrives. Half a document is never returned as a result. After an error the session is spent.
        """

    async def close(self) -> None:
        """Drop the connection now."""


class Transport(Protocol):
    """A way to reach nodes. What it needs (keys, known hosts, configuration) is parsed once, when it is made."""

    async def connect(self, node: Node, deadlines: Deadlines) -> Session:
        """Connect, verify the host key, authenticate; raises TransportError with the stage that failed."""

    async def close(self) -> None:
        """Let go of whatever is shared between connections."""
