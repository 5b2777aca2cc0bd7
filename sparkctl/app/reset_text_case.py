"""Lay the published lines of a reset case out as a tree of recorded outputs, as the node's program reads them. Pure.

A case's text holds lines of the journal, of dmesg, of pstore, of `last -x` and the like, as people published them. A
line that begins with `# ` is a note of the collector, no evidence. The boots are told apart by what the lines say:

- by a note that is no more than the heading `# next boot`;
- by lines that only the start of the boot after prints (AFTER_AN_END), with all that follows them;
- by the kernel's clock: it counts on in one boot, so that lines in an unbroken count are of one boot, and it goes back
  only at a start.

Lines may be left out anywhere, so that the tree says of itself that it is an excerpt. What has no place in a tree is
kept in `cmd/unplaced.txt`, which no source reads.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

Tree = dict[str, bytes]
YEAR = 2026  # of dates that have none
BASE_US = 1_767_225_600_000_000  # 2026-01-01, for lines that have no date at all
DAY_US, HOUR_US, SECOND_US, STEP_US = 86_400_000_000, 3_600_000_000, 1_000_000, 1000
EARLY_US = (
    5 * SECOND_US
)  # where a boot begins of which no line has the kernel's time; the boot that ended ran for longer
SAME_START_US = 60 * SECOND_US  # lines of one start that each boot prints once

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_LEVELS = "emerg|alert|crit|err|warn|notice|info|debug"
_OF_A_FILE = re.compile(r"^/var/log/[\w./-]+:")  # grep's
_PROMPT = re.compile(r"^[\w.-]+@[\w.-]+:\S*[#$] ")
_LEVEL = re.compile(r"^<\d{1,3}>")
_KERNEL_TIME = re.compile(r"^\[ *(\d{1,10})\.(\d{6})\] ?")
_SINCE_LAST = re.compile(r"^\[ *\+(\d{1,6})\.(\d{6})\] ?")
_NO_USE = re.compile(rf"^\[(?:{_MONTHS})\d\d \d\d:\d\d\] ?")
_SYSLOG = "%b %d %H:%M:%S"
_DATES = (
    (re.compile(rf"^((?:{_MONTHS}) +\d{{1,2}} \d\d:\d\d:\d\d)(?:\.\d+)?:? +"), _SYSLOG),
    (re.compile(rf"^(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)?\S* +(?:(?:{_LEVELS}) )?"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"^\[\w{3} (\w{3} +\d{1,2} \d\d:\d\d:\d\d \d{4})\] "), "%b %d %H:%M:%S %Y"),
    (re.compile(r"^(\d\d:\d\d:\d\d)(?:\.\d+)? (?=\S)"), "%H:%M:%S"),
)  # fmt: skip
_SPEAKER = re.compile(r"^(?:[\w.-]+ +)?(?P<who>[^\s:\[\]]+)(?:\[(?P<pid>\d{1,10})\])?: ?(?P<words>.*)$")
_BARE_SPEAKER = re.compile(r"^(?P<who>[\w./@()-]+)\[(?P<pid>\d{1,10})\]: (?P<words>.*)$")
_VERBOSE = re.compile(r"^\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d{6} \w+$")
_VERBOSE_FIELD = re.compile(r"^\s+([A-Z_][A-Z0-9_]*)=(.*)$")
_LISTED_BOOT = re.compile(r"^ *(?:-?\d+ [0-9a-f]{8,32}(?:\.{3})? |IDX BOOT ID)")
_BOOT_ID = re.compile(r"\b[0-9a-f]{32}\b")
_LAST = re.compile(
    r"^(?:(?:reboot|shutdown|runlevel)\s+(?:system (?:boot|down)|\(to lvl \d\))\s|\S+\s+(?:tty|pts/)\d+\s|wtmp begins )"
)
_PSTORE_HEADER = re.compile(r"^(?:Panic|Oops|Emergency|Restart|Shutdown|Halt|Poweroff)#\d+ Part\d+$")
_CAT = re.compile(r"^cat (/(?:sys|proc)(?:/(?!\.)[\w.-]+)+)$")
_NO_LOG = re.compile(
    r"^(?:[\"{}$|]|#|\[\d+\] \[\d{5}\] |INSERT |NOTICE: |Message from syslogd|(?:grep|ssh|cat) |\d\d:\d\d:\d\d {2,}"
    r"|(?:console|dmesg)-\w+-\d+$|[\w ]{1,6}\| )"
    r"|^\s*(?:\}|\"|\| |RST_STAT|GSA_RESET_STATUS|Reboot (?:Info|reason|mode))|^\s+\w+: {2,}\S|^\d+$"
)
_BORDER = re.compile(r"^# (?:on )?(?:the )?next boot:?$")

AFTER_AN_END = re.compile(
    r"^File \S+\.journal corrupted or uncleanly shut down, renaming"
    r"|^EXT4-fs \([^)]*\): (?:INFO: )?(?:recovery (?:required|complete)|write access will be enabled during recovery)"
    r"|^XFS \([^)]*\): (?:Starting|Ending) recovery|recovering journal|Dirty bit is set"
    r"|^BERT: |Previous system reset reason|^PM: (?:hibernation: )?(?:Image signature found|resume from hibernation)"
)
"""What is printed only at the start of the boot after one that was cut off (or sent to sleep on disk)."""


@dataclass(frozen=True)
class Line:
    """One line of a log. Times in microseconds: `kernel_us` since boot, `wall_us` by the clock of the day."""

    words: str
    who: str = "kernel"
    pid: str | None = None
    kernel_us: int | None = None
    step_us: int | None = None
    wall_us: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    is_border: bool = False

    @property
    def is_after_an_end(self) -> bool:
        """Whether only the start of the boot after an end prints this."""
        return AFTER_AN_END.search(self.words) is not None


NOTHING = Line("no line of this boot was published", who="excerpt")
"""The entry of a boot that has none here: no journal lists a boot without entries, and each boot follows another."""


def tree_of_text(evidence: str) -> Tree:
    """Files of a tree by their path; `evidence` is a case's text."""
    files: dict[str, list[str]] = {}
    boots = _boots(_log_lines(evidence, files))
    ids = _boot_ids(files.get("cmd/list-boots.txt", []), len(boots))
    for index, (boot_id, lines) in enumerate(zip(ids, boots, strict=True), 1 - len(boots)):
        files[f"cmd/journal{index}.json"] = list(_entries(lines or [NOTHING], boot_id, index))
    if "cmd/list-boots.txt" not in files:
        files["cmd/list-boots.txt"] = [f"{index:3d} {boot_id}" for index, boot_id in enumerate(ids, 1 - len(ids))]
    files["proc/sys/kernel/random/boot_id"] = [_dashed(ids[-1])]
    tree = {path: ("\n".join(lines) + "\n").encode() for path, lines in files.items()}
    return tree | {"cmd/journal-excerpt": b""}


# --- lines ---


def _log_lines(evidence: str, files: dict[str, list[str]]) -> Iterator[Line]:
    """The lines that are of a log, each with its prefix taken off; the others go to the files that they are of."""
    destination: str | None = None  # of lines that follow a heading
    pending: Line | None = None
    for raw in evidence.splitlines():
        if raw.startswith("# "):
            if _BORDER.match(raw):
                if pending:
                    yield pending
                pending = Line("", is_border=True)
            continue
        destination = _place(raw, destination, files)
        if destination is not None:
            continue
        joined = _continued(pending, raw)
        if joined is None:
            if pending:
                yield pending
            joined = _line(raw)
        pending = joined
    if pending:
        yield pending


def _place(raw: str, before: str | None, files: dict[str, list[str]]) -> str | None:
    """Put a line that is of no log where it belongs: the path of that file, None for a line of a log."""
    shell = _PROMPT.sub("", raw)
    if before is not None and before.startswith("sys/fs/pstore/") and _LEVEL.match(raw):
        path = before
    elif _PSTORE_HEADER.match(raw):
        path = f"sys/fs/pstore/dmesg-ramoops-{sum('pstore' in name for name in files)}"
    elif before is not None and before.startswith(("sys/", "proc/")) and not files[before]:
        path = before
    elif printed := _CAT.match(shell):
        path = printed[1].lstrip("/")
        files[path] = []  # what follows is what it holds; if it is printed twice, the later counts
        return path
    elif _LISTED_BOOT.match(raw):
        path = "cmd/list-boots.txt"
    elif _LAST.match(raw):
        path = "cmd/last-x-F.txt"
    elif not raw.strip() or _NO_LOG.match(shell) or (shell != raw and not _KERNEL_TIME.match(shell)):
        path = "cmd/unplaced.txt"
    else:
        return None
    files.setdefault(path, []).append(raw)
    return path


def _continued(before: Line | None, raw: str) -> Line | None:
    """The line before with this one added, where this is a part of it: a field of a verbose entry, or a second line."""
    if before is None or before.is_border:
        return None
    fields = _VERBOSE_FIELD.match(raw)
    if before.fields and fields:
        named = {**before.fields, fields[1]: fields[2]}
        return replace(before, words=named.get("MESSAGE", ""), fields=named)
    if before.kernel_us is not None and raw.startswith(" " * 8):
        return replace(before, words=f"{before.words}\n{raw}")
    return None


def _line(raw: str) -> Line:
    """A line without its prefixes; a bare one is of the kernel, as dmesg prints it without times."""
    verbose = _VERBOSE.match(raw)
    if verbose:
        wall = _moment(verbose[1], "%Y-%m-%d %H:%M:%S")
        return Line("", who="", wall_us=wall, fields={"_TRANSPORT": "journal"})
    rest = raw.removeprefix("> ").strip()
    for prefix in (_OF_A_FILE, _PROMPT, _LEVEL, _NO_USE):
        rest = prefix.sub("", rest)
    wall_us, of_syslog, rest = _dated(rest)
    kernel_us, step_us, rest = _kernel_timed(rest)
    broadcast = re.match(r"^kernel: ?(?=\S)", rest)
    said = None if broadcast else (_SPEAKER if of_syslog and kernel_us is None else _BARE_SPEAKER).match(rest)
    if broadcast or (said and said["who"] == "kernel"):
        rest = said["words"] if said else rest[broadcast.end() if broadcast else 0 :]
        kernel_us, step_us, rest = _kernel_timed(rest) if kernel_us is None else (kernel_us, step_us, rest)
        said = None
    if said is not None and not _is_kernels(said["who"]):
        return Line(said["words"], said["who"], said["pid"], kernel_us, step_us, wall_us)
    return Line(rest, kernel_us=kernel_us, step_us=step_us, wall_us=wall_us)


def _is_kernels(who: str) -> bool:
    """Whether what stands before the colon is a part of the kernel (`x86/amd`, `0000:01:00.0`), not a program."""
    return "/" in who or who.isdigit()


def _dated(text: str) -> tuple[int | None, bool, str]:
    """The time of the day a line begins with, whether it is one of syslog (then a speaker follows), and the rest."""
    for pattern, form in _DATES:
        match = pattern.match(text)
        if match:
            return _moment(match[1], form), form == _SYSLOG, text[match.end() :]
    return None, False, text


def _moment(words: str, form: str) -> int | None:
    if "%Y" not in form:
        words, form = f"{YEAR} {words}", f"%Y {form}"
    try:
        moment = datetime.strptime(" ".join(words.split()), form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND_US


def _kernel_timed(text: str) -> tuple[int | None, int | None, str]:
    """Microseconds since boot, or since the line before, that a line begins with, and the rest."""
    if match := _KERNEL_TIME.match(text):
        return int(match[1]) * SECOND_US + int(match[2]), None, text[match.end() :]
    if match := _SINCE_LAST.match(text):
        return None, int(match[1]) * SECOND_US + int(match[2]), text[match.end() :]
    return None, None, text


# --- boots ---


def _boots(lines: Iterator[Line]) -> list[list[Line]]:
    """The lines by boot, oldest first; the last is the boot that runs, which may have none."""
    boots: list[list[Line]] = [[]]
    has_begun = False  # whether the boot that is being filled is known to be one after an end
    mark: Line | None = None
    for line in lines:
        if line.is_border or _goes_back(boots[-1], line):
            boots.append([])
            has_begun, mark = True, None
        if line.is_border:
            continue
        if line.is_after_an_end:
            if not has_begun:
                run = _run_start(boots[-1], line)
                boots[-1:] = [boots[-1][:run], boots[-1][run:]]
            elif mark is not None and _is_later_start(mark, line):
                boots.append([])
            has_begun, mark = True, line
        older = mark is not None and line is not mark and _is_before(line, mark)
        boots[-2 if older else -1].append(line)
    return boots if has_begun else [*boots, []]


def _goes_back(boot: Sequence[Line], line: Line) -> bool:
    """Whether the kernel's clock went back by more than lines that came at once do."""
    last = next((one.kernel_us for one in reversed(boot) if one.kernel_us is not None), None)
    return last is not None and line.kernel_us is not None and line.kernel_us < last - SECOND_US


def _run_start(boot: Sequence[Line], line: Line) -> int:
    """Where the unbroken count of the kernel's clock began in which this line stands."""
    start = len(boot)
    while line.kernel_us is not None and start and boot[start - 1].kernel_us is not None:
        start -= 1
    return start


def _is_later_start(mark: Line, line: Line) -> bool:
    """Whether what a boot prints once at its start comes again, much later by the only clock there is."""
    if line.kernel_us is not None or mark.wall_us is None or line.wall_us is None:
        return False
    return line.wall_us - mark.wall_us > SAME_START_US


def _is_before(line: Line, mark: Line) -> bool:
    return line.wall_us is not None and mark.wall_us is not None and line.wall_us < mark.wall_us


def _boot_ids(listing: Sequence[str], count: int) -> list[str]:
    """Ids for the newest boots, oldest first: those of the listing in the text, else made up."""
    made_up = [f"b007000000004000800000000000{number:04x}" for number in range(1, count + 1)]
    listed = [match[0] for match in map(_BOOT_ID.search, listing) if match is not None][-count:]
    return [*made_up[: count - len(listed)], *listed]


def _dashed(boot_id: str) -> str:
    return "-".join((boot_id[:8], boot_id[8:12], boot_id[12:16], boot_id[16:20], boot_id[20:]))


# --- entries ---


def _entries(lines: Sequence[Line], boot_id: str, index: int) -> Iterator[str]:
    """The lines of one boot as `journalctl -o json` prints them."""
    for line, at_us, real_us in _timed(lines, index):
        entry = {
            "_BOOT_ID": boot_id,
            "__MONOTONIC_TIMESTAMP": str(at_us),
            "__REALTIME_TIMESTAMP": str(real_us),
            **_speaker_fields(line, at_us),
            "MESSAGE": line.words,
            **line.fields,
        }
        yield json.dumps(entry, ensure_ascii=False)


def _speaker_fields(line: Line, at_us: int) -> dict[str, str]:
    """Who said it; what the first process becomes at the end, and its helpers, can only write to the kernel's log."""
    if line.fields:
        return {}
    if line.who == "kernel":
        return {"_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel", "_SOURCE_MONOTONIC_TIMESTAMP": str(at_us)}
    through_kernel = line.who == "systemd-shutdown" or line.who.startswith("(")
    said = {"_TRANSPORT": "kernel" if through_kernel else "syslog", "SYSLOG_IDENTIFIER": line.who}
    if line.pid is None:
        return said
    return said | {"SYSLOG_PID" if through_kernel else "_PID": line.pid}


def _timed(lines: Sequence[Line], index: int) -> Iterator[tuple[Line, int, int]]:
    """Each line with its time since boot and that of the day; where one is not printed it follows from the other."""
    both = [one.wall_us - one.kernel_us for one in lines if one.wall_us is not None and one.kernel_us is not None]
    first = next((one.kernel_us for one in lines if one.kernel_us is not None), EARLY_US if index == 0 else HOUR_US)
    began_us = both[0] if both else None
    at_us = max(0, first - STEP_US)
    for line in lines:
        if line.kernel_us is not None:
            at_us = line.kernel_us
        elif line.wall_us is not None and began_us is not None:
            at_us = max(at_us + 1, line.wall_us - began_us)
        else:
            at_us += STEP_US if line.step_us is None else line.step_us
        if began_us is None and line.wall_us is not None:
            began_us = line.wall_us - at_us
        since = BASE_US + index * DAY_US if began_us is None else began_us
        yield line, at_us, since + at_us if line.wall_us is None else line.wall_us
