"""The bastion's own witness: when a node answered in which boot, and what that boot had armed then."""

from dataclasses import dataclass
from datetime import datetime

from sparkctl.model.witnesses import Witnesses


@dataclass(frozen=True, slots=True)
class Contacts:
    """The contacts with one boot of a node: the first and the last, by the bastion's clock.

    `witnesses` is what it had armed at the last one that brought them, None where none did.
    """

    boot_id: str
    first_at: datetime
    last_at: datetime
    witnesses: Witnesses | None


@dataclass(frozen=True, slots=True)
class Outage:
    """The time that a UPS log has on battery; `until` is None where the log ends on battery."""

    since: datetime
    until: datetime | None
