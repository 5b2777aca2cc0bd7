"""What is known of nodes, in the words of another system."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sparkctl import __version__
from sparkctl.app.ages import fresh
from sparkctl.app.places import Places
from sparkctl.app.standings import standings
from sparkctl.atomic_file import written_over
from sparkctl.errors import ExitCode, UsageError
from sparkctl.export.catalogue import FORMATS
from sparkctl.export.identity import contested, correlation_key
from sparkctl.export.subject import Subject
from sparkctl.inventory.load import load_fleet
from sparkctl.inventory.selector import select
from sparkctl.model.base import MAX_TEXT
from sparkctl.model.export_report import ExportReport
from sparkctl.model.inventory import Node
from sparkctl.model.printable import printable
from sparkctl.store.store import Store

MODE = 0o644
"""Of a file that is written: others read it, as node_exporter does."""


class Export:
    """One export; its report is true once all of its text was taken."""

    def __init__(self, places: Places, selector: str, target: str, max_age: timedelta | None = None) -> None:
        """Raises UsageError for a selector or an inventory that is none."""
        self._places, self._selector, self._target, self._max_age = places, selector, target, max_age
        self._format = FORMATS[target]
        self._fleet = load_fleet(places.fleet)
        self._nodes = select(self._fleet, selector)
        self._at = datetime.now(UTC)
        self._unknown: list[str] = []
        self._stale: list[str] = []
        self._never_visited: list[str] = []
        self._simulated = 0

    def pieces(self) -> Iterator[str]:
        """The text, piece by piece; raises StoreError."""
        with Store.open(self._places.state, create=False) as store:
            disputed = contested(self._fleet.nodes, _serials_shown(store, self._fleet.nodes))
            yield from self._format.pieces(self._subjects(store, disputed))

    def _subjects(self, store: Store, disputed: dict[str, frozenset[str]]) -> Iterator[Subject]:
        for standing in standings(store, self._nodes):
            name = standing.node.node_id
            kept, stale = fresh(standing, self._at, self._max_age)
            others = disputed.get(name, frozenset())
            subject = Subject(kept, self._at, others, stale, correlation_key(standing, others))
            self._simulated += subject.simulated
            for noted, found in (
                (self._unknown, not subject.is_known),
                (self._stale, bool(stale)),
                (self._never_visited, standing.last is None),
            ):
                if found:
                    noted.append(name)
            yield subject

    def write_to(self, path: Path) -> None:
        """Put the whole text at `path`, or leave what is there; raises UsageError when it cannot be written."""
        try:
            with written_over(path, MODE) as file:
                for piece in self.pieces():
                    file.write(piece.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}", hint="name another file") from error

    def report(self, file: Path | None) -> ExportReport:
        """What became of it: unjudged when something that was asked for is not known, or too old."""
        unjudged = bool(self._unknown or self._stale or not self._nodes)
        code = ExitCode.UNJUDGED if unjudged else ExitCode.OK
        return ExportReport(
            tool=f"sparkctl {__version__}",
            target=self._target,
            at=self._at,
            selector=self._selector,
            selected=len(self._nodes),
            simulated=self._simulated,
            unknown=self._unknown,
            stale=self._stale,
            left_out=[] if self._format.of_unknown else self._never_visited,
            max_age_s=round(self._max_age.total_seconds()) if self._max_age else None,
            file=printable(str(file), MAX_TEXT) if file else None,
            exit_code=code,
            exit_name=code.name.lower(),
        )


def _serials_shown(store: Store, nodes: list[Node]) -> dict[str, set[str]]:
    """The nodes of this inventory by the serial that they show."""
    names = {node.node_id for node in nodes}
    shown: dict[str, set[str]] = {}
    for held in store.held("identity"):
        serial = (held.document.get("data") or {}).get("serial")
        if serial:
            shown.setdefault(serial, set()).update(held.since.keys() & names)
    return shown
