"""What a site says about playbooks: who approves what, when nodes may be changed, and its own playbooks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, minute_of_day, number, one_of, seconds
from sparkctl.app.settings_file import examined, settings_path, usable
from sparkctl.errors import UsageError
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.yaml_nodes import Mapping as YamlMapping
from sparkctl.model.inventory import Problem
from sparkctl.model.playbook import Risk
from sparkctl.model.printable import printable
from sparkctl.model.schedule_times import DAY_NAMES, EVERY_DAY, at
from sparkctl.playbook.calendar import Calendar, Freeze, OpenTimes

FILE_VARIABLE = "SPARKCTL_PLAYBOOKS"
FILE_NAME = "playbooks.yaml"
APPROVALS = {Risk.READ_ONLY: 0, Risk.REVERSIBLE: 1, Risk.DISRUPTIVE: 1, Risk.DESTRUCTIVE: 2}
"""How many people must approve a plan of each class, where a site says nothing else; it may ask for more only."""

VALID_FOR = timedelta(hours=24)
_TOP = ("version", "folder", "allowed_signers", "approvals", "valid_for", "windows", "freezes")
_LONGEST_WINDOW_S = 7 * 86400
_MOST_APPROVALS = 20


@dataclass(frozen=True, slots=True)
class Site:
    """The rules of a site. `file` is where they stand, None where there is no such file; `folder` has own playbooks."""

    file: Path | None = None
    folder: Path | None = None
    allowed_signers: Path | None = None
    approvals: Mapping[Risk, int] = field(default_factory=lambda: dict(APPROVALS))
    valid_for: timedelta = VALID_FOR
    calendar: Calendar = field(default_factory=Calendar)


def site_file(option: Path | None, environ: Mapping[str, str], fleet: Path | None) -> Path | None:
    """The file: `--site`, then SPARKCTL_PLAYBOOKS, then `playbooks.yaml` beside the inventory, if it is there."""
    return settings_path(option, environ.get(FILE_VARIABLE), fleet, FILE_NAME)


def read_site(path: Path | None) -> Site:
    """The rules in a file, the defaults without one. Raises UsageError for the first error, with file, line and key."""
    return Site() if path is None else usable(examine_site(path), "sparkctl playbook check")


def examine_site(path: Path) -> tuple[Site | None, list[Problem]]:
    """What the file says, None where that is of no use, and everything that is wrong with it."""
    return examined(path, "of rules", lambda root, problems: _Reader(path, root, problems).read())


class _Reader:
    def __init__(self, path: Path, root: YamlMapping, problems: Problems) -> None:
        self._path, self._problems = path, problems
        self._top = Fields(root, "", path, problems, _TOP)

    def read(self) -> Site:
        """The rules; what is wrong is among the problems."""
        top = self._top
        top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
        valid_s = top.text("valid_for", seconds)
        if valid_s == 0:
            top.wrong("valid_for", "must be longer than nothing", "Write a duration such as 24h.")
        return Site(
            file=self._path,
            folder=self._place("folder", Path.is_dir, "folder"),
            allowed_signers=self._place("allowed_signers", Path.is_file, "file"),
            approvals=self._approvals(),
            valid_for=timedelta(seconds=valid_s) if valid_s else VALID_FOR,
            calendar=Calendar(tuple(self._windows()), tuple(self._freezes())),
        )

    def _place(self, key: str, there: Callable[[Path], bool], what: str) -> Path | None:
        place = self._top.text(key, lambda text: lexical(self._path.parent / text))
        if place is not None and not there(place):
            self._top.wrong(key, f"there is no {what} {place}", f"Name a {what} that is there.")
        return place

    def _approvals(self) -> dict[Risk, int]:
        found = dict(APPROVALS)
        fields = self._top.under("approvals", [risk.value for risk in Risk])
        for risk in Risk:
            wanted = fields.text(risk.value, number(0, _MOST_APPROVALS))
            if wanted is not None and wanted < APPROVALS[risk]:
                fields.wrong(
                    risk.value, f"must be at least {APPROVALS[risk]}", "Ask for more approvals, not for fewer."
                )
            elif wanted is not None:
                found[risk] = wanted
        return found

    def _windows(self) -> list[OpenTimes]:
        found = []
        for name, fields in self._named("windows", ("at", "days", "for")):
            minutes = set(fields.texts("at", minute_of_day))
            days = [DAY_NAMES.index(day) for day in fields.texts("days", one_of(DAY_NAMES))]
            length_s = fields.text("for", seconds, required="Say how long it is open: `for: 4h`.")
            if not minutes and not fields.has("at"):
                fields.wrong(None, "`at` is missing", "Say when it opens (UTC): `at: 22:00`.")
            if length_s is not None and not 60 <= length_s <= _LONGEST_WINDOW_S:
                fields.wrong("for", "must be from 1m to 7d", "Write several windows for more.")
            if minutes and length_s:
                times = at(minutes, frozenset(days) or EVERY_DAY)
                found.append(OpenTimes(name, times, timedelta(seconds=length_s)))
        return found

    def _freezes(self) -> list[Freeze]:
        found = []
        for name, fields in self._named("freezes", ("from", "until", "reason")):
            begins = fields.text("from", _moment, required="Say when it begins: `from: 2026-12-20T00:00Z`.")
            ends = fields.text("until", _moment, required="Say when it ends: `until: 2027-01-04T00:00Z`.")
            reason = fields.text("reason", str, required="Say why: `reason: year end`.")
            if begins and ends and ends <= begins:
                fields.wrong("until", "must be after `from`", "Correct one of them.")
            elif begins and ends and reason:
                found.append(Freeze(name, begins, ends, printable(reason, 200)))
        return found

    def _named(self, key: str, known: tuple[str, ...]) -> list[tuple[str, Fields]]:
        if not self._top.has(key):
            return []
        found = []
        for name, line, node in self._top.entries(key, required="Write entries under it, or leave it out."):
            where = Where(str(self._path), line, f"{key}.{printable(name, 60)}")
            if isinstance(node, YamlMapping) and name and printable(name, 60) == name:
                found.append((name, Fields(node, where.key or "", self._path, self._problems, known)))
            else:
                self._problems.error(where, "this must be a named mapping", f"Write some of: {', '.join(known)}.")
        return found


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        found = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter for a year that UTC has not
        found = None
    if found is None:
        raise ValueError("must be a moment with its zone such as 2026-12-20T00:00Z")
    return found


def signers_of(site: Site) -> Path:
    """The file of those who may approve; raises UsageError where a site names none."""
    if site.allowed_signers is None:
        where = site.file or FILE_NAME
        raise UsageError(
            f"{where} names no allowed signers, so that nobody can approve anything",
            hint="write `allowed_signers: FILE` (ssh-keygen(1), ALLOWED SIGNERS) there",
        )
    return site.allowed_signers
