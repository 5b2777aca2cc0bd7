"""An archive of Debian packages: what is mirrored of it, and how clients take it from the mirror."""

from typing import Annotated, Literal

from pydantic import Field

from sparkctl.model.base import Record, Text, Word

Pem = Annotated[str, Field(min_length=1, max_length=262_144)]

FLAT = "/"
"""The suite of an archive without suites, whose index lies beside its packages (sources.list(5))."""


class AptMirror(Record):
    """An archive to mirror; `key` is the armoured OpenPGP key that must have signed it.

    A flat archive has the one suite `/` and no components. `packages` are names of those that are taken, `*` in one for
    anything, with what they depend on unless it is flat; none for all of them. `sign_with` is the fingerprint of the
    key with which the mirror is signed again; without one it keeps the signature of its owner, as only a whole archive
    with suites can.
    """

    name: Word
    uri: Text
    suites: Annotated[list[Word], Field(min_length=1, max_length=20)]
    components: Annotated[list[Word], Field(max_length=20)]
    architectures: Annotated[list[Word], Field(min_length=1, max_length=5)]
    packages: Annotated[list[Word], Field(max_length=1000)]
    key: Pem
    sign_with: Word | None

    @property
    def flat(self) -> bool:
        """Whether the archive has no suites."""
        return self.suites == [FLAT]


class AptServed(Record):
    """What a client writes into its sources; `key` is the armoured OpenPGP key that signed what is served."""

    kind: Literal["apt"] = "apt"
    suites: Annotated[list[Word], Field(min_length=1, max_length=20)]
    components: Annotated[list[Word], Field(max_length=20)]
    architectures: Annotated[list[Word], Field(min_length=1, max_length=5)]
    key: Pem
