"""The report of a fleet as a screen that stays: as many lines as there are, the most pressing first."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from sparkctl.model.fleet_page import FleetPage
from sparkctl.report import fleet_words
from sparkctl.report.fleet_screen import coverage_of, running_line, title_of, totals_of
from sparkctl.report.fleet_words import SIGNS
from sparkctl.report.screen import STYLES

_NAMES = 26  # columns of the names of nodes


class WatchScreen:
    """Shows a page on the whole of a terminal, in place of the one before; use it with `with`."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, page: FleetPage, seconds: float) -> None:
        """Show a page; `seconds` is how often it is read."""
        width, height = self._console.size
        self._live.update(Group(*lines(page, width, height, seconds)), refresh=True)


def lines(page: FleetPage, width: int, height: int, seconds: float) -> list[Text]:
    """The page in so many columns and lines: head and foot always, and as many hands as fit in between."""
    head = [title_of(page), totals_of(page), coverage_of(page)]
    head += [running_line(page, run) for run in page.coverage.running]
    foot = [Text(), *_ages(page), Text(f"read from the store every {seconds:g} s, no node is asked; q ends", "dim")]
    room = max(0, height - len(head) - len(foot) - 1)
    told = [*head, Text(), *_hands(page, room)]
    told += [Text()] * max(0, height - len(foot) - len(told))
    shown = [*told[: max(0, height - len(foot))], *foot][:height]
    for line in shown:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis")
    return shown


def _hands(page: FleetPage, room: int) -> list[Text]:
    """One line for each set of nodes and, for the first of them as far as there is room, what to do."""
    groups = [group for _, found in fleet_words.groups([*page.hands, *page.watch]) for group in found]
    if not groups:
        return [Text("nothing needs hands, as far as could be seen")]
    fitting = groups if len(groups) <= room else groups[: max(0, room - 1)]
    spare = max(0, room - len(groups))
    found = []
    for group in fitting:
        sign, look = SIGNS[group.status], STYLES[SIGNS[group.status].look]
        titles = "; ".join(f"{one.title}: {one.example}" for one in group.hands)
        named = fleet_words.folded(group.nodes)
        named = named if len(named) <= _NAMES else f"{named[: _NAMES - 1]}…"
        found.append(Text.assemble((f" {sign.letter} ", look), (named.ljust(_NAMES), "bold"), "  ", titles))
        if spare and group.actions:
            spare -= 1
            found.append(Text(" " * (_NAMES + 5) + f"→ {group.actions[0]}", "dim"))
    if len(fitting) < len(groups):
        found.append(Text(f"   and {len(groups) - len(fitting)} more, for which this terminal is too low", "dim"))
    return found


def _ages(page: FleetPage) -> Iterator[Text]:
    for one in page.ages:
        if one.newest is None:
            yield Text(f"{one.what}: never asked of any node", STYLES["unknown"])
            continue
        newest, middle, oldest = (fleet_words.age(page.made_at, at) for at in (one.newest, one.middle, one.oldest))
        line = Text(f"{one.what}: newest {newest}, middle {middle}, oldest {oldest} ({one.oldest_node})")
        yield line.append(f", never {one.never:,}", STYLES["unknown"]) if one.never else line
