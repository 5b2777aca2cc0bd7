"""What every kind of mirror gives: what it would cost, files that a tool brought, and proof of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sparkctl.model.mirror import Served
from sparkctl.model.transfer import TransferFile


@dataclass(frozen=True, slots=True)
class Planned:
    """What a mirror would bring, by what its origin says now; `bytes` of all files, None where the origin does not say.

    `not_covered` are sentences on what clients would miss, each told in capitals.
    """

    bytes: int | None
    counts: Mapping[str, int]
    not_covered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a tool brought: the folder that is to be served, what clients have to know of it, tools with versions.

    `left_out` are sentences on what was there, and was not brought. `signed_here` are the paths of signatures that we
    made: they are others each time, and no change. `dated` are times that the origin signed and that cannot be proven
    from the folder, by what they are called.
    """

    folder: Path
    served: Served
    made_with: Sequence[str]
    left_out: Sequence[str] = ()
    signed_here: Sequence[str] = ()
    dated: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proven:
    """What was verified of a folder: `files` are all that a snapshot takes, sorted by path, nothing else is trusted.

    `proven_by` has a sentence for each thing that was verified. `dated` are the times that the origin signed, by what
    it calls them: a mirror never goes back behind one of them.
    """

    files: Sequence[TransferFile]
    proven_by: Sequence[str]
    counts: Mapping[str, int]
    left_out: Sequence[str] = field(default_factory=tuple)
    valid_until: datetime | None = None
    dated: Mapping[str, datetime] = field(default_factory=dict)
