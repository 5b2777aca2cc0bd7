"""What takes in more than a document: the entries of a bundle, as they come, and what is made of them afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sparkctl.model.inventory import Node
from sparkctl.model.run import AnyEnvelope


@dataclass(frozen=True, slots=True)
class Kept:
    """What a visit left on the bastion: files by name, and what the run record must warn of."""

    artifacts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


NOTHING_KEPT = Kept()


class Receiver(Protocol):
    """Takes in what one visit brings; closed in every case."""

    @property
    def taken_bytes(self) -> int:
        """How many bytes it has taken off the wire."""

    def take(self, data: bytes) -> bytes:
        """Take standard output as it comes, and return what is not for it; raises TransportError."""

    async def finish(self, envelope: AnyEnvelope) -> Kept:
        """Make of it what it is for, once the connection is closed; raises TransportError."""

    def close(self) -> None:
        """Let go of what is not kept."""


Receive = Callable[[Node, str], Receiver]
"""The receiver of the visit to a node; the string is the nonce that its stream begins with."""
