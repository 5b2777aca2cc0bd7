"""The last boots of a node as a picture: a bar for the time each was up, and how it ended.

Times are those of the monotonic clock of each boot. Between boots only the clock of the day counts, so that a gap is
shown only where the node says that this clock was the same on both sides.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from rich.text import Text

from sparkctl.model.reset import ResetData, ResetEnvelope
from sparkctl.model.reset_report import EndKind, kind_of
from sparkctl.model.reset_tree import MOST_BACK
from sparkctl.report.reset import TITLES
from sparkctl.report.screen import STYLES, screen_on

WIDE = 100  # columns from which there is room for gaps and longer bars
BOOT = 8  # characters of a boot id
DURATION = 11
LEGEND, GAPS = "boots, newest first; bars: time up, logarithmic", "; + time to the next"
RUNNING, UNRECORDED = "running", "how it ended is not recorded"


@dataclass(frozen=True, slots=True)
class Signs:
    """What a picture is drawn with."""

    bar: str
    running: str
    ended: str
    broken: str
    untold: str
    cut: str


FULL = Signs("█", "▶", "│", "✗", "?", "…")
PLAIN = Signs("#", ">", "|", "x", "?", "...")


@dataclass(frozen=True, slots=True)
class Row:
    """One boot; `up_s` is how long it was seen up, `gap_s` the time to the next one, each in seconds."""

    label: str
    boot_id: str | None
    up_s: float | None
    gap_s: float | None
    kind: EndKind | None
    words: str


def show_timeline(title: str, envelope: ResetEnvelope, stream: TextIO) -> None:
    """Draw the boots that a document tells of, newest first, one line each."""
    if envelope.data is None:
        return
    rows = list(rows_of(envelope.data))
    signs = FULL if (stream.encoding or "utf-8").lower().startswith("utf") else PLAIN
    with screen_on(stream) as console:
        wide = console.width >= WIDE
        console.print(Text.assemble((title, "bold"), ("  " if wide else "\n  ") + LEGEND + (GAPS if wide else "")))
        longest = max((row.up_s for row in rows if row.up_s is not None), default=0.0)
        for row in rows:
            console.print(_line(row, longest, signs, console.width), no_wrap=True, overflow="crop")
        if wide and any(row.gap_s is None and row.up_s is not None for row in rows if row.kind):
            console.print(Text("  without +: the node's clock was set in between, or is not known", "dim"))
        if len(envelope.data.transitions) == MOST_BACK:
            console.print(Text(f"  older boots than the last {MOST_BACK} are not looked at", "dim"))


def rows_of(data: ResetData) -> Iterator[Row]:
    """The boots of a document, newest first: the one that runs, then each whose end was asked for."""
    newest = data.transitions[0]
    if newest.index == 0:
        yield Row("now", newest.to_boot_id, data.witnesses.uptime_s, None, None, RUNNING)
    unnamed = False
    for one in data.transitions:
        if unnamed and one.to_boot_id is not None:
            yield Row("", one.to_boot_id, None, None, EndKind.NOT_TOLD, UNRECORDED)
        unnamed = one.from_boot_id is None
        kind = kind_of(one.claims, one.flat.expected)
        gap = one.window.gap_s if one.window.gap_s is not None and one.window.gap_s >= 0 else None
        yield Row(str(one.index), one.from_boot_id, one.window.last_sign_s, gap, kind, one.flat.words)


def _line(row: Row, longest: float, signs: Signs, width: int) -> Text:
    """Label, boot, bar with its end, duration and words, at most `width` columns."""
    room = 24 if width >= WIDE else 14
    look = STYLES[TITLES[row.kind][2]] if row.kind else STYLES["pass"]
    bar = Text(signs.bar * _length(row.up_s, longest, room), "dim").append(_end(row, signs), style=look)
    bar.pad_right(room + 1 - bar.cell_len)
    up = told(row.up_s) if row.up_s is not None else ""
    line = Text.assemble(f"  {row.label:>3}  ", ((row.boot_id or "")[:BOOT].ljust(BOOT), "dim"), "  ", bar,
                         f"  {up:>{DURATION}}  ")  # fmt: skip
    if width >= WIDE:
        line.append(f"{f'+{told(row.gap_s)}' if row.gap_s is not None else '':<{DURATION + 1}}  ", style="dim")
    left = width - line.cell_len
    words = _cut(row.words, left, signs)
    words.stylize(look if row.kind else "")
    return line.append_text(words)


def _cut(words: str, columns: int, signs: Signs) -> Text:
    text = Text(words if signs is FULL else words.encode("ascii", "replace").decode())
    if text.cell_len > columns:
        text.truncate(max(0, columns - len(signs.cut)))
        text.append(signs.cut)
    return text


def _length(seconds: float | None, longest: float, room: int) -> int:
    """Columns of a bar, 1 to `room`; none where the duration is not known."""
    if seconds is None:
        return 0
    return max(1, round(room * math.log1p(seconds) / math.log1p(longest))) if longest > 0 else 1


def _end(row: Row, signs: Signs) -> str:
    if row.kind is None:
        return signs.running
    if row.kind is EndKind.NOT_TOLD:
        return signs.untold
    return signs.broken if row.kind in (EndKind.UNEXPECTED, EndKind.CUT_OFF) else signs.ended


def told(seconds: float) -> str:
    """A duration in its two largest units, at most 11 characters: `12 d 03 h`, `4 min 05 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h" if days <= 9999 else f"{days:.0e} d"
