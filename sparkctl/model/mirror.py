"""Mirrors: what is copied for a site without internet, dated snapshots of it, and rings of clients that take them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from annotated_types import Ge
from pydantic import FailFast, Field, StringConstraints, model_validator

from sparkctl.model.base import Record, Text, UtcDatetime, Word
from sparkctl.model.mirror_apt import AptServed
from sparkctl.model.mirror_firmware import FirmwareServed
from sparkctl.model.mirror_images import ImagesServed
from sparkctl.model.mirror_models import ModelsServed
from sparkctl.model.mirror_wheels import WheelsServed
from sparkctl.model.transfer import MAX_FILES, MAX_TOTAL, TransferFile, require_beside

MirrorName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""The name of a mirror, or of a ring: small letters, digits and hyphens."""

Stamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}T[0-9]{6}Z$")]
"""When a snapshot was taken, as its name: 20261130T070000Z, in UTC."""

SNAPSHOT = "snapshot.json"
"""The file of a snapshot that says what it is, beside the files that it names."""

MAX_SENTENCES = 1000

Served = Annotated[AptServed | FirmwareServed | ImagesServed | ModelsServed | WheelsServed, Field(discriminator="kind")]
"""What a client has to know of a mirror, by its kind."""


class Snapshot(Record):
    """A mirror as it was at one moment, every file of it by its digest.

    `origin` are the addresses it came from, `made_with` the tools and their versions, `proven_by` a sentence for each
    thing that was verified, `counts` how many there are of what, `left_out` what was there and was not taken.
    `valid_until` is when clients refuse it, by its own signature; `dated` are the times that its origin signed.
    """

    schema_name: Annotated[Literal["sparkctl.mirror-snapshot/1"], Field(alias="schema")] = "sparkctl.mirror-snapshot/1"
    mirror: MirrorName
    stamp: Stamp
    taken_at: UtcDatetime
    origin: Annotated[list[Text], Field(min_length=1, max_length=1000)]
    made_with: Annotated[list[Text], Field(max_length=20)]
    proven_by: Annotated[list[Text], Field(min_length=1, max_length=MAX_SENTENCES)]
    counts: Annotated[dict[Word, Annotated[int, Ge(0)]], Field(max_length=50)]
    left_out: Annotated[list[Text], Field(max_length=MAX_SENTENCES)]
    valid_until: UtcDatetime | None
    dated: Annotated[dict[Word, UtcDatetime], Field(max_length=100)]
    served: Served
    files: Annotated[list[TransferFile], FailFast(), Field(min_length=1, max_length=MAX_FILES)]

    @model_validator(mode="after")
    def _require_sense(self) -> Self:
        require_beside([file.path for file in self.files])
        if any(file.path == SNAPSHOT for file in self.files):
            raise ValueError(f"{SNAPSHOT} is this document, and no file of the mirror")
        if sum(file.size for file in self.files) > MAX_TOTAL:
            raise ValueError(f"the files hold more than {MAX_TOTAL // 2**40} TiB")
        return self

    @property
    def name(self) -> str:
        """What it is called: MIRROR/STAMP."""
        return f"{self.mirror}/{self.stamp}"

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.size for file in self.files)


class Promotion(Record):
    """One turn of a ring: from then on, clients of the ring get this snapshot.

    `instead_of` is the one they got before, `reason` what a person said who went past the order of rings or the soak.
    """

    schema_name: Annotated[Literal["sparkctl.mirror-promotion/1"], Field(alias="schema")] = (
        "sparkctl.mirror-promotion/1"
    )
    at: UtcDatetime
    by: Word
    ring: MirrorName
    mirror: MirrorName
    stamp: Stamp
    instead_of: Stamp | None
    reason: Text | None


def stamp_of(moment: datetime) -> str:
    """The stamp of a snapshot that is taken at a moment, which is in UTC."""
    return f"{moment:%Y%m%dT%H%M%SZ}"
