"""What the four-way match brings together for one machine."""

from dataclasses import dataclass, field

from sparkctl.lifecycle.labels import Label, canonical
from sparkctl.model.receiving import MatchClass, NoticeRow, Observation, OrderLine, ScanRow

SEVERITY = {name: place for place, name in enumerate(MatchClass)}
"""The order of classes: of several that apply to a machine the last is its class."""

NO_PERSON = frozenset({MatchClass.MATCHED, MatchClass.MATCHED_PARTIALLY, MatchClass.DUPLICATE_SCAN})
"""The classes that nobody has to look into. A label that is read twice is none."""


@dataclass(slots=True)
class Group:
    """What belongs to one machine: at most one row of each kind, and the line that it was ordered on.

    An `extra` one holds what claims to be a machine that another group is already. `others` are serials that its label
    may mean as well.
    """

    key: str | None
    notice: NoticeRow | None = None
    scan: ScanRow | None = None
    label: Label = field(default_factory=Label)
    seen: Observation | None = None
    order: OrderLine | None = None
    extra: bool = False
    others: list[str] = field(default_factory=list)
    faults: list[tuple[MatchClass, str]] = field(default_factory=list)

    def fault(self, name: MatchClass, words: str) -> None:
        """Note what is not as it should be."""
        self.faults.append((name, words))


def serial_key(serial: str) -> str:
    """A serial or a part number as it is compared."""
    return canonical(serial) or serial.upper()
