"""What mirroring asks of every kind of mirror."""

from pathlib import Path
from typing import Protocol, TypeVar

from sparkctl.airgap.mirrors.kind import Fetched, Planned, Proven
from sparkctl.app.file_fields import Fields
from sparkctl.model.base import Record

SpecT = TypeVar("SpecT", bound=Record)
ServedT_contra = TypeVar("ServedT_contra", bound=Record, contravariant=True)


class Kind(Protocol[SpecT, ServedT_contra]):
    """One kind of mirror. `work` is a folder of this mirror alone, which is kept between runs.

    Every method but `read` raises UsageError: for a tool that is not here, an origin that does not answer, a disk that
    is full, and files that are not what they should be; RefusedError for a signature that does not hold.
    """

    keys: tuple[str, ...]
    """What an entry of mirror.yaml may have."""

    clients_verify: bool
    """Whether clients verify what they get; else they believe whoever answers, who needs a certificate for that."""

    def read(self, name: str, fields: Fields) -> SpecT | None:
        """An entry of mirror.yaml; None, with the problem noted, where it cannot be used."""
        ...

    def origin(self, spec: SpecT) -> list[str]:
        """The addresses it comes from."""
        ...

    def plan(self, spec: SpecT, work: Path) -> Planned:
        """What it would bring, from indexes that were verified; nothing large is fetched."""
        ...

    def fetch(self, spec: SpecT, work: Path) -> Fetched:
        """Have a tool bring all of it, going on where it stopped; its exit status proves nothing."""
        ...

    def prove(self, served: ServedT_contra, folder: Path) -> Proven:
        """Verify a folder, file by file, as if somebody else had made it."""
        ...

    def client(self, served: ServedT_contra, url: str, name: str) -> dict[str, str]:
        """Files of a client that takes it from `url`: their contents by path, without a leading slash."""
        ...

    def vouchers(self, served: ServedT_contra) -> list[str]:
        """Who vouches for what is served, each as it can be compared with what its owner publishes."""
        ...
