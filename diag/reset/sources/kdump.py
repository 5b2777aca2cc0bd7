"""Crash dumps in /var/crash: what a crash kernel saved of the kernel that had crashed.

kdump-tools makes a folder `YYYYMMDDHHMM` (or `HOST-YYYYMMDDHHMM`) with `dmesg.STAMP` and `dump.STAMP`, kexec-tools of
other systems one with `vmcore-dmesg.txt` and `vmcore`. A dump is bound to a boot by the kernel's lines in that log.
Anybody may write to /var/crash, so on a live machine only logs that belong to root count, and root alone can read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from diag.nodekit.machine import Machine
from diag.nodekit.problems import MissingTool, words_of
from diag.reset.evidence import Report, Seen, excerpt
from diag.reset.scope import Scope
from diag.reset.sources.pstore import LINE, binding_lines
from diag.reset.words import Source, SourceState

SECONDS = 4.0
FOLDER = "/var/crash"
LAST_LINES = 2000  # a panic of a machine with many cores prints some hundreds
# One exact command: the ends of all logs that belong to root; the image of a memory is larger than that.
READ_ALL = (
    "/usr/bin/find", FOLDER, "-mindepth", "2", "-maxdepth", "2", "-type", "f", "-uid", "0", "-size", "-4096k",
    "-exec", "/usr/bin/tail", "-v", "-n", str(LAST_LINES), "{}", "+",
)  # fmt: skip
ELEVATED = (READ_ALL,)
MOST, MOST_FILES = 16, 32  # dumps, and files in the folder of one
BINDING_LINES = 200  # what was printed since the crash began is in no journal, so those before it are taken
FILE_BYTES, ALL_BYTES = 4 * 1024 * 1024, 8 * 1024 * 1024
STAMPED = re.compile(r"(?:^|-)(\d{12}|\d{4}(?:-\d\d){3}(?::\d\d){2})$")
LOG = re.compile(r"dmesg\.\d{12}|vmcore-dmesg\.txt")
IMAGE = re.compile(r"(?:dump|vmcore)(?!-dmesg)(?:[.-][\w.-]{1,60})?")
TITLE = re.compile(rf"^==> ({FOLDER}/[^/]+/[^/]+) <==$")
CRASH = re.compile(
    r"^Kernel panic - not syncing: |^(?:BUG: |Oops: |Internal error: |Unable to handle )|: Trigger a crash$"
)


@dataclass(frozen=True)
class Dump:
    """One folder: the path of its log, None where there is none, and what there is of the memory."""

    path: str
    log: str | None
    image: str


def read(machine: Machine, scope: Scope) -> Report:  # noqa: ARG001 - as every source
    """`crash_dump` for the newest dumps by the stamps in their names; bound later, those whose log could be read.

    `value` says what there is of the memory. Raises OSError where there is no such folder.
    """
    if not machine.exists(FOLDER):
        raise FileNotFoundError(2, "No such folder", FOLDER)
    names = sorted((match[1], name) for name in machine.names(FOLDER) if (match := STAMPED.search(name)))
    dumps = [dump for _, name in reversed(names[-MOST:]) if (dump := _dump(machine, f"{FOLDER}/{name}")) is not None]
    if not dumps:
        return Report(Source.KDUMP, SourceState.ABSENT, f"no crash dump lies in {FOLDER}")
    logs, problem = _logs(machine, dumps)
    unread = sum(dump.log is not None and dump.log not in logs for dump in dumps)
    if problem is None and len(names) > MOST:
        problem = f"{len(names)} folders are there; the newest {MOST} were read"
    if problem is None and unread:
        problem = f"the logs of {unread} of {len(dumps)} dumps are not there to be read, or do not belong to root"
    state = SourceState.PARTIAL if problem else SourceState.READ
    return Report(Source.KDUMP, state, problem, seen=tuple(_seen(dump, logs.get(dump.log or "")) for dump in dumps))


def _dump(machine: Machine, path: str) -> Dump | None:
    names = machine.names(path)[:MOST_FILES]
    log = next((f"{path}/{name}" for name in names if LOG.fullmatch(name)), None)
    images = [name for name in names if IMAGE.fullmatch(name)]
    if log is None and not images:
        return None
    whole = any("incomplete" not in name for name in images)
    return Dump(path, log, "memory saved" if whole else "memory saved in part" if images else "memory not saved")


def _logs(machine: Machine, dumps: list[Dump]) -> tuple[dict[str, str], str | None]:
    """The logs by path, and what was in the way of reading them."""
    try:
        ran = machine.run(READ_ALL, seconds=SECONDS - 1, limit=ALL_BYTES, elevate=True)
    except MissingTool:
        if machine.as_live:
            raise
        return _logs_of_tree(machine, dumps)
    except (PermissionError, TimeoutError) as problem:
        machine.forgive(problem)
        return {}, words_of(problem)
    return parse_ends(ran.stdout), f"the logs in {FOLDER} are longer than is read of them" if ran.truncated else None


def _logs_of_tree(machine: Machine, dumps: list[Dump]) -> tuple[dict[str, str], str | None]:
    ends = ((dump.log, _end(machine, dump.log)) for dump in dumps if dump.log is not None)
    return {path: end for path, end in ends if end is not None}, None


def _end(machine: Machine, path: str) -> str | None:
    try:
        return "\n".join(machine.read(path, FILE_BYTES).splitlines()[-LAST_LINES:])
    except OSError as problem:
        machine.forgive(problem)
        return None


def parse_ends(text: str) -> dict[str, str]:
    """The files of which `tail -v` printed the ends, by path."""
    files: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        title = TITLE.match(line)
        if title is not None:
            lines = files.setdefault(title[1], [])
        else:
            lines.append(line)
    return {path: "\n".join(lines) for path, lines in files.items()}


def _seen(dump: Dump, log: str | None) -> Seen:
    """A log that shows no crash binds nothing: it may be anything that was laid there."""
    matches = [match for match in map(LINE.match, (log or "").splitlines()) if match is not None]
    crashes = [number for number, match in enumerate(matches) if CRASH.search(match[3])]
    if log is None:
        told = "its log could not be read" if dump.log else "it has no log"
    else:
        told = matches[crashes[-1]][3] if crashes else "its log shows no crash"
    return Seen(
        Source.KDUMP,
        "crash_dump",
        dump.log or dump.path,
        excerpt(f"{dump.image}: {told}"),
        at_s=max(int(match[1]) + int(match[2]) / 1e6 for match in matches) if crashes else None,
        value=dump.image,
        binds=_binds([match[0] for match in matches], crashes[0], crashes[-1]) if crashes else (),
    )


def _binds(lines: list[str], first: int, last: int) -> tuple[str, ...]:
    """Fingerprints of the lines before the first and before the last sign of the crash."""
    before = lines[max(0, first - BINDING_LINES) : first] + lines[max(first, last - BINDING_LINES) : last]
    return binding_lines("\n".join(before))
