"""The limits of a run, all of them in one place."""

from dataclasses import dataclass

from sparkctl.transport.seam import Deadlines


@dataclass(frozen=True)
class Limits:
    """Limits on one visit, in seconds and bytes, and on how many visits run at once.

    `node_s` bounds the whole visit with all its retries; `program_s` is what the program allows itself; what a login
    prints around the document may add `noise_bytes`.
    """

    node_s: float = 60.0
    connect_s: float = 10.0
    host_key_s: float = 10.0
    authenticate_s: float = 15.0
    program_s: float = 30.0
    exit_grace_s: float = 5.0
    document_bytes: int = 256 * 1024
    noise_bytes: int = 64 * 1024
    stderr_bytes: int = 64 * 1024
    attempts: int = 3
    concurrency: int = 50

    @classmethod
    def within(cls, node_s: float, *, concurrency: int) -> "Limits":
        """Limits for a visit of at most `node_s` seconds: each stage gets its usual share of them."""
        share = node_s / cls.node_s
        return cls(
            node_s=node_s,
            connect_s=cls.connect_s * share,
            host_key_s=cls.host_key_s * share,
            authenticate_s=cls.authenticate_s * share,
            program_s=min(cls.program_s, max(2.0, node_s - 5.0)),
            concurrency=concurrency,
        )

    @property
    def deadlines(self) -> Deadlines:
        """The deadlines of the stages, as a transport wants them."""
        return Deadlines(self.connect_s, self.host_key_s, self.authenticate_s, self.program_s + self.exit_grace_s)
